"""How a board that has dropped out of the firmware shows on the wire: MicroPython's banner, or a traceback."""

import re

MARKS = (b"Traceback (most recent call last)", b"MicroPython v")
"""Either means that no frame speaks any more; both are too long to stand in one by chance."""
PROMPT = b">>> "
_WHOLE = re.compile(rb"Traceback [^\n]*\n(?: [^\n]*\n)*[^ \n][^\n]*\n")


CONSOLE = (
    "{port} is a board's console (MicroPython's prompt), not its link: what is sent there restarts the firmware. "
    "The link is the UART on the board's pins; give the port of the serial adapter that is wired to it "
    "(cabinwatch ports lists them)"
)


def is_console(heard: bytes) -> bool:
    """Whether a line on which no frame has come is a console."""
    return any(mark in heard for mark in MARKS) or heard.endswith(b"\r\n" + PROMPT)


def heard_out(heard: bytes) -> bool:
    """Whether a board has said what it had to say: its exception's own line, or the prompt where there was none.

    A micro:bit first scrolls the exception over its lamps, most of a minute, before it shows its prompt.
    """
    return bool(_WHOLE.search(heard)) if b"Traceback" in heard else heard.endswith(PROMPT)


def prompt_text(heard: bytes) -> str:
    """What MicroPython said in ``heard``, from the traceback on where there is one."""
    text = heard.decode("ascii", "replace").replace("\r", "").strip("\0\n >")
    return text[max(text.find("Traceback"), 0) :]
