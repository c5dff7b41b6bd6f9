"""The ``[cabin]`` table: what it takes, and how it refuses."""

import tomllib

import pytest
from pydantic import ValidationError

from cabinwatch.world.cabin import CabinModel

SIMPLE = """
[cabin.compartments.station]
volume = "916 m3"

[cabin.leaks.hole]
size = "2 mm"
at = "1h"
"""


def read(text):
    return CabinModel.model_validate(tomllib.loads(text)["cabin"])


def test_the_simple_case_takes_a_handful_of_lines():
    model = read(SIMPLE)
    assert model.first == "station"
    assert (model.compartments["station"].volume, model.leaks["hole"].at) == (916.0, 3600.0)


ROOM = '[cabin.compartments.a]\nvolume = 1\n[cabin.compartments.b]\nvolume = "2 m3"\n'


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("[cabin]\n", "compartments", "required"),
        ("[cabin.compartments.a]\nvolume = '7 kg'\n", "compartments.a.volume", "m3, l"),
        (
            "[cabin.compartments.a]\nvolume = 0\n",
            "compartments.a.volume",
            "greater than or equal to 0.000001",
        ),
        ("[cabin.compartments.a]\nvolume = 1\no2 = 0.8\nco2 = 0.3\n", "compartments.a", "more than 1"),
        ("[cabin.compartments.a]\nvolume = 1\ncolour = 'red'\n", "compartments.a.colour", "not permitted"),
        (ROOM + "[cabin.leaks.x]\nsize = '7 furlong'\n", "leaks.x.size", "kg/d, lb/d"),
        (ROOM + "[cabin.leaks.x]\nsize = '0 mm'\n", "leaks.x", "above zero"),
        (
            ROOM + "[cabin.leaks.x]\nsize = '1 mm'\ncompartment = 'c'\n",
            "",
            "no compartment 'c'; there is a, b",
        ),
        (ROOM + "[cabin.hatches.h]\na = 'a'\nb = 'a'\n", "", "both sides"),
        (ROOM + "[cabin.hatches.h]\na = 'a'\nb = 'z'\n", "", "no compartment 'z'"),
        (ROOM + "[[cabin.actions]]\nat = 1\nopen = 'h'\n", "", "no hatch or valve 'h'; there is none"),
        (ROOM + "[[cabin.actions]]\nat = 1\npatch = 'h'\n", "", "no leak 'h'"),
        (ROOM + "[[cabin.actions]]\nat = 1\n", "actions.0", "exactly one"),
        (ROOM + "[cabin.flows.f]\nkind = 'repress'\n", "flows.f", "either mass or rise"),
        (ROOM + "[cabin.flows.f]\nkind = 'oxygen_generation'\nrate = '5 kg'\n", "flows.f", "a mass rate"),
        (
            ROOM + "[cabin.thermal.t]\nkind = 'ramp'\nsize = 1\ncompartments = ['q']\n",
            "",
            "compartment or loop 'q'",
        ),
        (ROOM + "[cabin.vehicles.a]\nport = 'b'\nvolume = 1\n", "", "called 'a'"),
        (ROOM + "[cabin.vehicles.v]\nport = 'b'\nvolume = 1\nopened = '1 min'\n", "vehicles.v", "equalise"),
        (
            ROOM + "[cabin.leaks.x]\nsize = '1 mm'\nprofile = [{at = 9, to = '1 kg/d'}]\n",
            "leaks.x",
            "same kind",
        ),
        *(
            (
                f"{ROOM}[cabin.leaks.x]\nsize = '1 mm'\nprofile = [{{at = 1, to = {start}}}, "
                "{at = 9, to = 3e9, over = 5, shape = 'fatigue'}]\n",
                "leaks.x",
                "above zero",
            )
            for start in ("0", "1e-300")
        ),
        (
            ROOM
            + "[cabin.leaks.x]\nsize = '1 mm'\nprofile = [{at = 9, to = 0, over = 5, shape = 'fatigue'}]\n",
            "leaks.x",
            "above zero",
        ),
        (
            ROOM + "[cabin.leaks.x]\nsize = '1 mm'\nat = 5\nprofile = [{at = 2, to = 0}]\n",
            "leaks.x",
            "in order",
        ),
        (
            ROOM
            + "[cabin.loops.l]\npressure = 1\ngas = 1\nreserve = 1\n[cabin.loops.l.leak]\nsize = '1 Pa/h'\n",
            "loops.l.leak",
            "diameter or a mass rate",
        ),
    ],
)
def test_a_bad_table_is_refused_at_its_key_with_what_is_allowed(text, where, message):
    with pytest.raises(ValidationError) as caught:
        read(text)
    errors = [(".".join(str(x) for x in e["loc"]), e["msg"]) for e in caught.value.errors()]
    assert any(loc.startswith(where) and message in msg for loc, msg in errors), errors


def test_every_key_is_documented_in_the_schema():
    schema = CabinModel.model_json_schema()
    tables = [schema, *schema["$defs"].values()]
    missing = [
        f"{table['title']}.{key}"
        for table in tables
        for key, field in table.get("properties", {}).items()
        if key != "kind" and not field.get("description")
    ]
    assert not missing


def test_profile_sizes_become_factors():
    leak = read(ROOM + "[cabin.leaks.x]\nsize = '2 mm'\nprofile = [{at = 9, to = '4 mm'}]\n").leaks["x"]
    assert leak.curve().value(10) == pytest.approx(4)
    leak = read(
        ROOM + "[cabin.leaks.x]\nsize = 'T1mm 60 s'\nprofile = [{at = 9, to = '2 mmHg/min'}]\n"
    ).leaks["x"]
    assert leak.curve().value(10) == pytest.approx(2)
