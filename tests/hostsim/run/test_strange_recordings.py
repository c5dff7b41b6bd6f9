"""A recording of a stranger's is read, or refused by file and line; each command says so in words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.errors import UsageError
from cabinwatch.run.transcript import FORMAT, read
from cabinwatch.verify.conform import decode as decoding
from cabinwatch.view import story as plot

STEP = '{"t_ms":0,"rx":"","tx":"00","wake_ms":5}'
TOML = 'title = "t"\nduration = "1min"\n[cabin.compartments.c]\nvolume = "10 m3"\n'
HEADER = json.dumps({"format": FORMAT, "scenario": "t", "toml": TOML, "seed": 1})
WRONG_STEPS = {
    "endless time": STEP.replace("0,", "1e999,", 1),
    "endless wake": STEP.replace("5", "1e999"),
    "time of 400 digits": STEP.replace("0,", "9" * 400 + ",", 1),
    "time of 5,000 digits": STEP.replace("0,", "9" * 5000 + ",", 1),
    "no number": STEP.replace("0,", "NaN,", 1),
    "negative": STEP.replace("0,", "-1,", 1),
    "nested": "[" * 100_000 + "]" * 100_000,
    "no object": "[1]",
    "no hex": STEP.replace('"00"', '"zz"'),
    "octets as a number": STEP.replace('"00"', "0"),
    "power of a half": STEP.replace("5}", '5,"power":[1]}'),
    "power without end": STEP.replace("5}", '5,"power":[1e999,0]}'),
    "no text": "\x00",
}


@pytest.mark.parametrize("name", WRONG_STEPS)
@pytest.mark.parametrize(
    "words", [("replay",), ("plot", "-o", "x.svg"), ("decode",)], ids=lambda words: words[0]
)
def test_a_wrong_step_is_refused_by_line(cabinwatch, tmp_path, monkeypatch, name, words):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "wrong.jsonl"
    path.write_text(f"{HEADER}\n{STEP}\n{WRONG_STEPS[name]}\n{STEP}\n")
    code, _, err = cabinwatch(words[0], path, *words[1:])
    assert code == 2
    assert err.startswith(f"cabinwatch: {path}:3: not a step of a transcript: ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "header",
    [
        {"toml": 3, "seed": 1}, {"seed": 1}, {"toml": TOML}, {"toml": TOML, "seed": "1e999"},
        {"toml": "x = ", "seed": 1}, {"toml": "x = " + "[" * 100_000, "seed": 1}, {"toml": TOML, "seed": None},
    ],
)  # fmt: skip
def test_a_header_that_does_not_say_what_was_played(cabinwatch, tmp_path, header):
    path = tmp_path / "headed.jsonl"
    path.write_text(f"{json.dumps({'format': FORMAT, **header})}\n{STEP}\n")
    code, out, err = cabinwatch("plot", path, "-o", tmp_path / "x.svg")
    assert (code, out, len(err.splitlines())) == (2, "", 1), err


@pytest.mark.parametrize("line", ["", "{}", "[" * 100_000, "9" * 5000, "1e999", "null", "\x00\xff"])
def test_what_is_no_header_is_no_recording(cabinwatch, tmp_path, line):
    path = tmp_path / "headless.jsonl"
    path.write_text(f"{line}\n{STEP}\n")
    code, _, err = cabinwatch("replay", path)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "not a cabinwatch recording" in err


numbers = st.integers() | st.floats() | st.none() | st.text(max_size=3) | st.lists(st.integers(), max_size=3)
steps = st.fixed_dictionaries(
    {},
    optional={
        "t_ms": numbers,
        "wake_ms": numbers,
        "rx": st.text("0123456789abcdef g", max_size=8) | numbers,
        "tx": st.binary(max_size=60).map(bytes.hex) | numbers,
        "reset": numbers,
        "power": numbers,
    },
)
lines = steps.map(json.dumps) | st.text(max_size=30) | st.just(STEP)


@given(st.lists(lines, max_size=5), st.sampled_from([HEADER, "", '{"format":1}']), st.booleans())
def test_any_lines_are_read_or_refused(tmp_path_factory, body, header, ended):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text("\n".join([header, *body]) + "\n" * ended)
    refusal = str(path)
    try:
        transcript = read(path)
        list(decoding.decode(path.read_bytes(), path))
        plot.from_transcript(transcript)
    except UsageError as error:
        refusal = str(error)
    assert str(path) in refusal or "the recording" in refusal


@given(st.binary(max_size=200) | st.text("0123456789abcdefxX ,:\n", max_size=60).map(str.encode))
def test_any_octets_are_decoded_or_refused(data):
    refusal = "hexadecimal"
    try:
        told = list(decoding.decode(data))
        assert all(line.isprintable() for line in told)
    except UsageError as error:
        refusal = str(error)
    assert "hexadecimal" in refusal
