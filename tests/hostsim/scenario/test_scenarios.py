"""Scenario files: a wrong one is refused by file, line and key, with what is allowed; a right one plays as it says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from cabinwatch.errors import UsageError
from cabinwatch.scenario import load as scenarios
from cabinwatch.scenario.toml_out import toml_text

GOOD = """\
title = "t"
duration = "1h"

[cabin.compartments.station]
volume = "100 m3"

[cabin.leaks.hole]
size = "1 mm"

[[telecommands]]
at = 5
do = "ping"

[[telecommands]]
at = 6
do = "set"
parameter = "threshold"
value = 50

[[link.faults]]
kind = "flip"
rate = 0.1

[sensor]
noise = 2
"""

BROKEN = {
    "not TOML": ('duration = "1h"', "duration = = 1", 2, "not TOML"),
    "unknown key": ('"1h"', '"1h"\ndurations = 3', 3, "durations: no such key here; allowed: title"),
    "key of a table": (
        "noise = 2",
        "noise = 2\nnoize = 3",
        26,
        "sensor.noize: no such key here; allowed: compartment",
    ),
    "no duration": ('duration = "1h"\n', "", None, "duration: Field required"),
    "bad duration": ('"1h"', '"1 fortnight"', 2, "duration:"),
    "zero duration": ('"1h"', "0", 2, "duration:"),
    "endless duration": ('"1h"', "inf", 2, "duration:"),
    "bad unit": ('"100 m3"', '"100 furlongs"', 5, "cabin.compartments.station.volume:"),
    "negative volume": ('"100 m3"', '"-1 m3"', 5, "cabin.compartments.station.volume:"),
    "bad leak": ('"1 mm"', '"1 potato"', 8, "cabin.leaks.hole.size:"),
    "unknown verb": ('"ping"', '"pong"', 12, "telecommands.0.do:"),
    "second command": ("at = 6", 'at = "soon"', 15, "telecommands.1.at:"),
    "unknown parameter": (
        '"threshold"',
        '"zz"',
        17,
        "telecommands.1.parameter: no parameter 'zz'; there are",
    ),
    "parameter out of range": (
        "value = 50",
        "value = 5000",
        18,
        "telecommands.1.value: threshold = 5000 is out",
    ),
    "key behind a multi-line string": (
        'title = "t"',
        'title = """\nnoise = 1\n"""',
        27,
        "sensor.noise:",
        "noise = 2",
        "noise = -2",
    ),
    "key of an inline table": (
        "noise = 2",
        "faults = [{ kind = 'silent' },\n  { kind = 'bias', size = 'x' }]",
        26,
        "sensor.faults.1.size:",
    ),
    "rate above one": ("rate = 0.1", "rate = 1.1", 22, "link.faults.0.rate:"),
    "alias": (
        "noise = 2",
        "noise = 2\n[[raw]]\nat = 1\ntyp = 1",
        28,
        "raw.0.typ: no such key here; allowed: at, times, gap_ms, octets, apid, type,",
    ),
    "unknown compartment of a leak": (
        'size = "1 mm"',
        'size = "1 mm"\ncompartment = "node"',
        9,
        "cabin.leaks.hole.compartment: no compartment 'node'; there is station",
    ),
    "set without value": ("value = 50\n", "", 14, "'set' needs value"),
    "unknown fault": ('kind = "flip"', 'kind = "flop"', 20, "link.faults.0"),
    "words for a number": ("noise = 2", "noise = true", 25, "sensor.noise:"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_by_line_and_key(name):
    old, new, line, says, *more = BROKEN[name]
    assert GOOD.count(old) >= 1
    text = GOOD.replace(old, new, 1)
    if more:
        text = text.replace(*more)
    with pytest.raises(UsageError) as refused:
        scenarios.parse(text, "bad.toml")
    text = str(refused.value)
    assert says in text
    where = f"line {line}" if name == "not TOML" else f"bad.toml:{line}:" if line else "bad.toml: "
    assert where in text
    assert text.startswith("bad.toml")


def test_every_fault_of_a_file_is_told_at_once():
    with pytest.raises(UsageError) as refused:
        scenarios.parse(GOOD.replace('"1 mm"', '"x"').replace("noise = 2", "noise = -2"), "bad.toml")
    assert [line.split(":")[1] for line in str(refused.value).splitlines()] == ["8", "25"]


def test_the_good_file_is_good():
    scenario = scenarios.parse(GOOD, "good.toml")
    assert scenario.duration_ms == 3600_000
    assert scenario.telecommands[1].values == {"parameter": 10, "value": 50}


def test_an_unknown_name_lists_the_names(tmp_path):
    with pytest.raises(UsageError) as refused:
        scenarios.locate("prk2024")
    for name in scenarios.bundled():
        assert name in str(refused.value)
    for missing in ("nothing.toml", "no/such/file"):
        with pytest.raises(UsageError, match="no scenario file"):
            scenarios.locate(missing)
    with pytest.raises(UsageError, match="no scenario file"):
        scenarios.load(str(tmp_path))
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot read"):
        scenarios.load(str(binary))


@pytest.mark.parametrize("name", scenarios.bundled())
def test_every_bundled_scenario_names_its_sources(name):
    scenario = scenarios.load(name)[0]
    assert scenario.title
    assert scenario.sources


@settings(max_examples=40)
@given(st.text(alphabet='abc=[]"\n.0{}#\\', max_size=60))
def test_no_text_at_all_ends_in_a_traceback(text):
    assert refusal(text).startswith("x.toml")


@settings(max_examples=50)
@given(worlds.tomls(), st.data())
def test_a_file_with_a_line_lost_is_read_or_refused_with_its_name(text, data):
    lines = text.splitlines(keepends=True)
    lost = data.draw(st.integers(0, len(lines) - 1))
    said = refusal("".join(lines[:lost] + lines[lost + 1 :]))
    assert not said or said.startswith("x.toml")


def refusal(text):
    """What a scenario's text is refused with; empty where it is taken."""
    try:
        scenarios.parse(text, "x.toml")
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kelvin", [120, 655.35, 999])
@pytest.mark.parametrize("pressure", ["0 Pa", "1 Pa", "200 kPa"])
def test_the_ends_of_what_a_cabin_may_be_fit_the_wire(kelvin, pressure):
    text = toml_text(
        {
            "title": "extreme",
            "duration": 30,
            "cabin": {
                "compartments": {"station": {"volume": 1, "temperature": kelvin, "pressure": pressure}}
            },
            "analyser": {"noise": 0},
        }
    )
    world, _ = worlds.run(text, 1, "cpython")
    assert world.ground.counts.frames > 0
