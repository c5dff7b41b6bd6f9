"""A node's storage in two small files, for boards with a file system. What is in them: device/node.py."""

import os

ROOM = 256  # octets; longer than any record


class Files:
    """``stem`` begins the names of both files; ``attach`` before the node boots."""

    def __init__(self, stem):
        self.names = (stem + ".0", stem + ".1")

    def attach(self, node):
        """Give the node what there is, and take what it stores from now on."""
        node.store = self.store
        for name in self.names:
            try:
                with open(name, "rb") as f:
                    record = f.read(ROOM)
            except OSError:
                continue
            node.recall(record, len(record))

    def store(self, buf, n):
        """Whether the record is written; a full disk or heap must not stop the node."""
        try:
            with open(self.names[buf[1] & 1], "wb") as f:
                done = f.write(bytes(buf[:n])) == n
            if hasattr(os, "sync"):
                os.sync()
            return done
        except (OSError, MemoryError):
            return False
