"""How a board that has dropped out of the firmware shows on the wire: MicroPython's banner, or a traceback."""

MARKS = (b"Traceback (most recent call last)", b"MicroPython v")
"""Either means that no frame speaks any more; both are too long to stand in one by chance."""


def prompt_text(heard: bytes) -> str:
    """What MicroPython said in ``heard``, from the traceback on where there is one."""
    text = heard.decode("ascii", "replace").replace("\r", "").strip("\0\n >")
    return text[max(text.find("Traceback"), 0) :]
