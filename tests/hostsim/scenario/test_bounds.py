"""A scenario file that means harm, or a slip of the hand, costs seconds and 200 MB, and is refused by file and line."""

import os
import subprocess
import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.errors import UsageError
from cabinwatch.scenario.bounds import DEEPEST, MOST_VALUES, check_bounds
from cabinwatch.scenario.load import LARGEST, TOLD, parse
from cabinwatch.scenario.toml_out import _table, to_toml
from cabinwatch.strategies import scenarios
from cabinwatch.world.world import World

HEAD = 'title = "x"\nduration = "1min"\n'
CABIN = '[cabin.compartments.cabin]\nvolume = "10 m3"\n'
GOOD = HEAD + CABIN
MB = 1_000_000


def repeated(part: str, octets: int = MB) -> str:
    """``part`` over and over, with its number for ``%d``."""
    return "".join(part.replace("%d", str(i)) for i in range(octets // len(part)))


LARGE = {
    "unknown keys": HEAD + repeated("k%d = 1\n") + CABIN,
    "leaks with a wrong key": GOOD + repeated('[cabin.leaks.l%d]\nsize = "1 mm"\nzize = 1\n'),
    "leaks that lack all": GOOD + repeated("[cabin.leaks.%d]\nz=1\n"),
    "wrong values in a list": HEAD + "sources = [" + "1," * (MOST_VALUES - 3) + "]\n" + CABIN,
    "a long story": HEAD + 'story = """' + 'x "" \\n\n' * (MB // 9) + '"""\n' + CABIN,
    "a long line": HEAD + 'story = "' + "x." * (MB // 2) + '"\n' + CABIN,
    "telecommands": GOOD + repeated('[[telecommands]]\nat = 5\ndo = "ping"\n'),
    "dotted keys": GOOD + ".".join("a" * 20_000) + " = 1\n",
    "deep keys, as deep as they may be": GOOD + repeated(".".join("a" * (DEEPEST - 1)) + ".b%d = 1\n"),
    "brackets": HEAD + "x = " + "[" * 100_000 + "]" * 100_000 + "\n",
    "blanks": HEAD + "sources = [\n[" + " " * 20_000 + "\n]]\n",
    "digits": HEAD.replace('"1min"', "1" * MB),
    "digits in a quantity": HEAD.replace('"1min"', f'"{"9" * MB} x y"') + CABIN,
}
READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
from cabinwatch.errors import UsageError
from cabinwatch.scenario.load import load
try:
    load(sys.argv[1])
except UsageError as error:
    print(error)
if sys.platform == "linux":
    # The peak of this program alone: ru_maxrss begins with what the process that forked it had.
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(peak // 1024, file=sys.stderr)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 << 20), file=sys.stderr)
"""


@pytest.mark.parametrize("name", LARGE)
def test_a_file_of_a_megabyte_costs_seconds_and_200_megabytes(name, tmp_path):
    path = tmp_path / "large.toml"
    path.write_text(LARGE[name])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stderr) < 200, "MB"
    assert len(done.stdout.splitlines()) <= TOLD + 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LARGE["dotted keys"], "f.toml:5: no key has more than 32 parts"),
        (LARGE["brackets"], "f.toml: not TOML that can be read: nested too deeply"),
        (LARGE["digits"], "f.toml: not TOML: "),
        (LARGE["leaks with a wrong key"], "f.toml: and "),
        (GOOD + repeated("k%d=1\n", 2 * MB), "f.toml: more than 100,000 values"),
        (GOOD.replace('"1min"', "1" * 4200), "f.toml:2: duration: "),
        (GOOD.replace("1min", "9" * 4000 + " s"), "f.toml:2: duration: "),
        (GOOD.replace("1min", "1e300 s"), "f.toml:2: duration: "),
        (GOOD.replace("10 m3", "1e-300 m3"), "f.toml:4: cabin.compartments.cabin.volume: "),
        (GOOD + f"[parameters]\nthreshold = {'1' * 4200}\n", "f.toml:6: parameters.threshold: threshold = "),
        (GOOD + "[cabin.wander]\nq = 1e308\n", "f.toml:6: cabin.wander.q: no figure here is beyond 1e+15"),
        (GOOD + '[cabin.leaks.h]\nsize = "1e300 mm"\n', "f.toml:6: cabin.leaks.h.size: "),
    ],
)
def test_it_is_refused_by_file_and_line(text, says):
    with pytest.raises(UsageError) as error:
        parse(text, "f.toml")
    lines = str(error.value).splitlines()
    assert any(line.startswith(says) for line in lines), lines
    assert max(map(len, lines)) < 1200


def test_a_file_that_is_no_scenario_by_its_size_is_not_read(cabinwatch, tmp_path):
    path = tmp_path / "huge.toml"
    with path.open("wb") as file:
        file.truncate(100 << 30)  # a sparse file: reading it would never end
    code, _, err = cabinwatch("run", path)
    assert (code, err) == (2, f"cabinwatch: {path}: more than {LARGEST:,} octets are no scenario\n")


def test_strings_and_comments_hold_no_keys():
    long = ".".join("a" * 50)
    check_bounds(f'x = "{long}" # {long}\ny = """\n{long}\n"{long}"\n"""\nz = \'{long}\'\n', "here")
    check_bounds(f"x = '''\n{long}''' # {',' * (MOST_VALUES + 1)}\n", "here")
    with pytest.raises(UsageError, match="here:3: "):
        check_bounds(f'x = """\n"""\n"a" . {long} = 1\n', "here")


def read(text):
    """The scenario, or None where it is refused in lines that name the file."""
    refusal = "here"
    try:
        return parse(text, "here")
    except UsageError as error:
        refusal = str(error)
    assert all(line.startswith("here") for line in refusal.splitlines()), refusal
    return None


toml_noise = st.text(st.sampled_from("ab.=[]{}\"'#\\\n ,019e+-_\x00\x1b\u2028é"), max_size=200)


@given(toml_noise | st.text(max_size=100))
def test_any_text_is_read_or_refused(text):
    for whole in (text, GOOD + text):
        read(whole)


scalars = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [0, -1, 1e-300, 1e15, 10**30, "1 mm", "1h", "0 s", "1e-6 m3", "100 m", "22 C", "both", "all", ""]
    )
)
junk = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=5), scalars, max_size=3)


def places(tree, path=()):
    """The path of each value in a tree of tables and arrays, but for the tables of an array."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(tree, dict) or not isinstance(value, dict):
            yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


@given(scenarios(duration_s=(30, 120)), st.data())
def test_a_scenario_with_a_wrong_value_is_refused_or_plays(scenario, data):
    tree = tomllib.loads(to_toml(scenario))
    *way, last = data.draw(st.sampled_from(list(places(tree))))
    table = tree
    for key in way:
        table = table[key]
    table[last] = data.draw(junk)
    changed = read("\n".join(_table(tree, ())))
    if changed is None:
        return
    world = World(changed, 1)
    for t_ms in (0, 1000, 20_000):
        world.advance(t_ms)
        assert world.station.at(world.compartment, t_ms / 1000).pressure_Pa >= 0
