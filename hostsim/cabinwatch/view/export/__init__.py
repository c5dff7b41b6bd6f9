"""Files that other tools read: packets of a capture as CSV, JSON Lines and pcapng."""
