"""Words from outside are shown as text, whatever is in them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.text import apart, quoted, shown

words = st.text(st.characters(codec=None), max_size=40) | st.text(
    "ab \x1b[]\n\r\x9b\x7f\u202e\u2028\ud800\x00"
)
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories of what commands, joins or turns text and has no shape of its own."""


@given(words)
def test_what_is_shown_is_one_line_of_text(text):
    line = shown(text)
    assert not UNSEEN & {unicodedata.category(c) for c in line}
    assert len(line.splitlines()) <= 1
    line.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_plain_words_are_shown_as_they_are(text):
    assert shown(text) == text


@given(words)
def test_lines_from_outside_cannot_pass_for_ours(text):
    for line in quoted(text).splitlines():
        assert line.startswith("  | ")
        assert shown(line) == line


@pytest.mark.parametrize(
    ("seconds", "texts"),
    [
        ((64.0, 64.3), ("1 min 4.0 s", "1 min 4.3 s")),
        ((64.0, 70.0), ("1 min 4 s", "1 min 10 s")),
        ((86_400.0, 86_401.0), ("1 d", "1 d 1 s")),
        ((3600.0, 3600.0), ("1 h", "1 h")),
        ((100_000.0, 100_001.0), ("1 d 3 h 46 min 40 s", "1 d 3 h 46 min 41 s")),
        ((5.0, 5.0004), ("5.0000 s", "5.0004 s")),
    ],
)
def test_durations_that_differ_are_told_apart(seconds, texts):
    assert apart(*seconds) == texts


@given(st.lists(st.integers(0, 10**12).map(lambda us: us / 1e6), min_size=1, max_size=3))
def test_no_two_durations_that_differ_look_alike(seconds):
    assert len(set(apart(*seconds))) == len(set(seconds))
