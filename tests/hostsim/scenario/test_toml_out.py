"""What is written as TOML is text, and is read back as it was."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.scenario.toml_out import toml_text

words = st.text(st.characters(codec="utf-8"), max_size=20) | st.text(
    '\x7f\x9b\x1b\n"\\\\\u2028\U0001f6f0', max_size=8
)


@given(words, st.dictionaries(words, words, max_size=3))
def test_any_words_are_text_and_read_back(title, table):
    tree = {
        "title": title,
        "cabin": {"compartments": {key: {"story": value} for key, value in table.items()}},
    }
    text = toml_text(tree)
    assert text.replace("\n", "").isprintable()
    found = tomllib.loads(text)
    assert found["title"] == title
    assert found.get("cabin", {}).get("compartments", {}) == tree["cabin"]["compartments"]
