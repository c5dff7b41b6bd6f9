"""Words from outside are shown as text, whatever is in them."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.text import quoted, shown

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
