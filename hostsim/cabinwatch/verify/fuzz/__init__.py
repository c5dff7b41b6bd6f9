"""Fuzzing: one seed draws whole worlds full of faults, and oracles that share no code with the firmware judge them."""
