"""Wrong monitors: reports, functions, polling, judging samples, alarms."""

from tests.conform.mutants import mutant
