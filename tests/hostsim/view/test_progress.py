"""Progress: a person sees it move, a log gets a line every ten seconds."""

import io

import pytest

from cabinwatch.view.progress import ELSEWHERE_S, TERMINAL_S, Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("out", "pace_s"), [(Terminal, TERMINAL_S), (io.StringIO, ELSEWHERE_S)])
@pytest.mark.parametrize("quiet", [False, True])
def test_it_is_told_at_a_pace(out, pace_s, quiet):
    now = 0.0
    stream = out()
    with Progress(quiet, stream, lambda: now) as progress:
        for i in range(1000):
            now = i * pace_s / 10
            progress.show(lambda i=i: f"step {i}")
    told = stream.getvalue().count("step ")
    assert told == 0 if quiet else 80 <= told <= 100
    assert quiet or stream.getvalue().count("\n") == (0 if out is Terminal else told)
    assert progress.wall_s == now


@pytest.mark.parametrize("out", [Terminal, io.StringIO])
def test_a_note_stays_and_does_not_wait(out):
    stream = out()
    progress = Progress(False, stream, lambda: 0.0)
    progress.note("run 3 failed")
    assert stream.getvalue().rstrip(" \n") == "run 3 failed"
    assert stream.getvalue().endswith("\n")
    Progress(True, quiet := out()).note("run 3 failed")
    assert not quiet.getvalue()
