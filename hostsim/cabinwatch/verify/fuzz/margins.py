"""What the oracles hold the monitor to, with the margins, in one place: nothing here is known elsewhere.

The leak detector's own guarantees are statistical; a campaign may only fail on what holds in every run. So leaks that
must be found are quick ones, far above the parameters ``fast`` and ``step``, and worlds in which no alarm may be called
are those in which nothing happens to the air.
"""

CALL_FALL_Pa = 3000.0
"""A quick leak must be called before it has cost this much: three times the parameter ``step`` (1000 Pa)."""
CALL_STEPS = 3
"""... also where the ground has set another ``step``."""
CALL_STAIRS = 3
"""... and so many steps of the gauge: the one it stood on, the one that is due, and one of its noise."""
CALL_POLLS = 12
"""... and these polls more, since a loss of samples delays it."""
BURST_WITHIN = 2
"""Air that falls as far within so many polls is a burst: no noise, hatch or thermometer explains it ..."""
BURST_POLLS = 4
"""... and is called within so many more: three samples, and the one that is on its way."""
LEVEL_POLLS = 8
"""Air below the reserve for so long must be an Emergency: three readings, and polls that are repeated."""
QUICK_Pa_s = (2.0, 300.0)
"""Rates of quick leaks, even in the logarithm; ``fast`` is 0.1 Pa/s. Slower ones are the report card's business,
since days of them at a poll a second are not worth a campaign's time."""
QUIET_SIGMA_Pa = 5.0
"""Worst white noise under which a still cabin may call no alarm."""
SIGMAS = 7.0
"""A reading may be off by so many standard deviations of its noise: once in 1e11 readings."""
TRES_OPTIMISM = 1.25
"""A quick leak's reported T-reserve may exceed the true one by this factor: its rate comes from few samples."""
TRES_SLACK_S = 30.0
RATE_SIGMAS = 4.0
"""... or by what so many of the rate's reported deviations explain: in the wander a rate is less certain."""
BLINDING = ("silent", "broken", "stuck")
"""Faults of a transducer that leave the monitor without new readings ..."""
CLOCK_FACTORS = (0.5, 2.0)
"""... as does a clock that runs, against the node's own, at a factor outside of these."""
TOLD_AT_ONCE = ("silent", "broken")
"""Those that need no ``stuck_samples`` polls of watching to be told."""
CHATTER_S = 600
"""In any ten minutes one alarm moves by itself at most ..."""
CHATTER_MOVES = 6
"""... so often: it rises through four classes, returns and comes again. Off-delays, resets and commands allow more."""
COLD_K = 110.0
"""Below 100 K a reading is implausible (SEN-02); a burst cools the gas as far, and a thermometer has its noise."""
LOOKS = 64
"""Times at which a run is searched for a danger that is hidden."""
INHIBIT_POLLS = 5
"""A fall beyond what an inhibit permits ends it within so many polls: three samples, and polls that are repeated."""
CONVERGE_HK = 2
"""After healing the state must be right within this many housekeeping periods ..."""
CONVERGE_POLLS = 4
"""... and so many polls."""
CONVERGE_S = 20.0
"""... and this: the ground sends the parameters again after a boot event, one by one, each up to TRIES times."""
