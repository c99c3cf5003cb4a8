# Time of a forward pass, everybody in turn in one process, so that all meet
# the same moments of a shared machine. Prints one JSON object.
#   forward.py '{"network": ..., "file": ..., "library": ..., "batch": 32,
#                "repeats": 5, "who": {"graft": {"peer": "graft",
#                "threads": 2, "isa": null}, ...}}'
# A turn is a pause (others' threads stop spinning), a run that does not count
# (pages, caches and threads wake up), and a third of a second of runs; its
# figure is their median. Who begins changes from round to round. One thread
# is timed by the processor's clock of this process, which other work on the
# machine disturbs less; more than one by the clock on the wall.
# SPDX-License-Identifier: Apache-2.0
import json
import sys
import time

import numpy as np

from peers import PEERS, Task, picture

PAUSE, TURN, MOST_RUNS = 0.1, 0.33, 50
TOLERANCE = 1e-4  # of the largest output


def prepare(spec, x):
    """Who can run, their first answers, and why the others cannot."""
    runners, answers, why_not = {}, {}, {}
    for name, who in spec["who"].items():
        task = Task(spec["network"], spec["file"], spec["library"],
                    who["threads"], who.get("isa"))
        try:
            run = PEERS[who["peer"]](task, x)
            answers[name] = run(x)
            runners[name] = run
        except Exception as e:  # a peer that fails is left out, with words
            if who["peer"] == "graft":
                raise
            why_not[name] = f"{type(e).__name__}: {e}".split("\n")[0][:200]
    return runners, answers, why_not


def compare(answers):
    """Largest difference from the reference, of its largest value."""
    want = answers.get("ort", next(iter(answers.values())))
    largest = np.abs(want).max()
    if not 0 < largest < np.inf:
        raise SystemExit("the network gives nothing to compare")
    return {name: float(np.abs(got.reshape(want.shape) - want).max()
                        / largest) for name, got in answers.items()}


def turn(run, clock=time.perf_counter):
    """Median of the runs that TURN seconds hold, after one to warm up."""
    time.sleep(PAUSE)
    run()
    times, spent = [], 0.0
    while spent < TURN and len(times) < MOST_RUNS:
        start = clock()
        run()
        times.append(clock() - start)
        spent += times[-1]
    return float(np.median(times))


def main(spec):
    x = picture(spec["batch"])
    runners, answers, why_not = prepare(spec, x)
    errors = compare(answers)
    names = list(runners)
    seconds = {name: [] for name in names}
    alone = all(who["threads"] == 1 for who in spec["who"].values())
    clock = time.process_time if alone else time.perf_counter
    for k in range(spec["repeats"]):
        for i in range(len(names)):
            name = names[(i + k) % len(names)]
            seconds[name].append(turn(lambda: runners[name](x), clock))
    print(json.dumps({"values": seconds, "errors": errors,
                      "why_not": why_not, "agree":
                      all(e <= TOLERANCE for e in errors.values())}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
