"""What the engine behind the page weighs over a simulated month: ``python tests/hostsim/web/month.py``.

Plays 31 days with a report every 10 s as fast as it goes, in the thread that `cabinwatch serve` uses, and prints for
each day how many rows are kept, how many blocks Python holds, and what the process weighs.
"""

import re
import sys
import time
from pathlib import Path

from cabinwatch.models.scenario import Scenario
from cabinwatch.web.engine import Engine
from cabinwatch.web.sources import Played

DAYS = 31
DAY_S = 86_400
LOOK_S = 0.2
MONTH = Scenario.model_validate(
    {
        "title": "A month",
        "duration": DAYS * DAY_S,
        "parameters": {"poll_period": 10_000, "hk_period": 10_000},
        "cabin": {"compartments": {"cabin": {"volume": "50 m3"}}, "wander": {}},
    }
)


def main() -> None:
    """Play, and print."""
    engine = Engine(Played(MONTH), speed=20_000)
    engine.start()
    for day in range(1, DAYS + 1):
        while engine.state.now_s < day * DAY_S and not engine.state.error:
            time.sleep(LOOK_S)
        weighs = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
        assert weighs
        blocks = sys.getallocatedblocks()
        print(
            f"day {day}: {len(engine.columns):,} rows, {blocks:,} blocks, {int(weighs[1]) / 1024:.1f} MiB",
            flush=True,
        )
    engine.stop()


if __name__ == "__main__":
    main()
