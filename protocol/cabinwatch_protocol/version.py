"""The version of all of it, and the number of the protocol: said here, and nowhere else by hand."""

TEXT = "0.2.0"
PROTOCOL = 2
"""Grows where one of the number before would misunderstand. 1: up to 0.1.0; 2: SEQ-04 compares content."""
