"""The matrix of wrong nodes and the cases that catch them: ``PYTHONPATH=. python .../matrix.py [all]``.

Without ``all`` each wrong node meets the cases that have to catch it; with it, every case of its role (minutes).
"""

import sys

import mutants_alarms  # noqa: F401 - adds its own
import mutants_monitor  # noqa: F401 - adds its own
import mutants_survivors  # noqa: F401 - adds its own
from mutants import MUTANTS, Mutant

from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.verify.conform.case import CASES
from cabinwatch.verify.conform.emulated import EmulatedBench
from cabinwatch.verify.conform.runner import CaseVerdict, SuiteRun, run, select

UNKEYED = {c.id for c in CASES if not c.id.startswith("KEY-")}
"""The cases that these wrong nodes are for; those of section 19 have theirs in test_keyed_nodes.py."""


def catchers(m: Mutant, ids: tuple[str, ...]) -> dict[str, CaseVerdict]:
    """The verdict of each case on a wrong node."""
    wanted = [c for c in select(m.role) if c.id in ids]
    assert len(wanted) == len(ids), f"{m.name}: no such case among {ids}"
    verdicts = {}
    for c in wanted:
        bench = EmulatedBench(m.role, make=lambda: CpythonTarget(m.make_node))
        done = run(bench, [c], SuiteRun("mutant", m.role, 1, True))
        verdicts[c.id] = done.results[0].verdict
    return verdicts


def main() -> int:
    """Print the matrix; 1 where a wrong node slips through a case that has to catch it."""
    everything = sys.argv[1:] == ["all"]
    slipped, killed = 0, set()
    for m in MUTANTS:
        ids = tuple(c.id for c in select(m.role)) if everything else m.caught_by
        verdicts = catchers(m, ids)
        caught = [i for i, v in verdicts.items() if v is CaseVerdict.FAIL]
        killed.update(caught)
        missed = [i for i in m.caught_by if i not in caught]
        slipped += bool(missed)
        print(
            f"{'SLIPS ' if missed else 'caught'} {m.role:10} {m.name:52} {', '.join(caught or missed)}",
            flush=True,
        )
    idle = sorted(UNKEYED - killed)
    print(f"\n{len(MUTANTS)} wrong nodes, {len(MUTANTS) - slipped} caught")
    print(f"{len(UNKEYED)} cases; catch none of them: {', '.join(idle) or 'none'}")
    return 1 if slipped or idle else 0


if __name__ == "__main__":
    sys.exit(main())
