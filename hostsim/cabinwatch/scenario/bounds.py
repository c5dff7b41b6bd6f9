"""What a TOML text may ask of the libraries that read and check it: else 40 kB of it can take gigabytes and minutes."""

import re

from cabinwatch.errors import UsageError

DEEPEST = 32
"""Parts of a key; a scenario's deepest has six."""
MOST_VALUES = 100_000
"""Each costs a kilobyte where it is wrong."""
_WORDLESS = re.compile(
    r"""'''.*?'''|""" + r'''"""(?:[^"\\]+|\\.|"(?!""))*+"""|"(?:[^"\\\n]+|\\.)*+"|'[^'\n]*+'|#[^\n]*+''',
    re.DOTALL,
)
"""Strings and comments: what is in them is no key."""
_DEEP = re.compile(rf"[\w-](?:[ \t]*\.[ \t]*[\w-]+){{{DEEPEST}}}")


def check_bounds(text: str, origin: str) -> None:
    """Raise UsageError where a key has too many parts, or the file too many values."""
    keys = _WORDLESS.sub(lambda found: "_" + "\n" * found[0].count("\n"), text)
    if sum(keys.count(mark) for mark in "=,") > MOST_VALUES:
        raise UsageError(f"{origin}: more than {MOST_VALUES:,} values")
    if deep := _DEEP.search(keys):
        line = keys.count("\n", 0, deep.start()) + 1
        raise UsageError(f"{origin}:{line}: no key has more than {DEEPEST} parts")
