# make proof: gradients of whole networks beside float64 autograd of PyTorch.
#   networks.py GRADIENTS WORK [NETWORK...]
# Each network gets random weights, is exported with its normalisations kept,
# and differentiated by both from the same numbers, with every stage as freeze
# point: what lies before it is frozen, everything from it on is trained. The
# error of a gradient is rms(ours - float64) / rms(float64), over some batches.
# It may be LIMIT times that of PyTorch's own float32, which counts as FLOOR
# where it is less (a vector of few numbers can be nearly exact by luck).
# Results must be the same bits for any number of threads, and what is frozen
# must cost nothing: a later freeze point takes no more steps or memory.
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
import traceback

import numpy as np

import network

LIMIT = {"exact": 2.0, "winograd": 20.0}
FLOOR = 1e-7
INPUT = "x"


class Refused(Exception):
    """Graft does not differentiate the network; its own message."""


class Ours:
    """One network through the program that uses Graft's kernels."""

    def __init__(self, program, folder, case):
        self.program, self.folder, self.case = program, folder, case
        case.x.tofile(self.path("x"))
        case.dy.tofile(self.path("dy"))

    def path(self, what):
        return os.path.join(self.folder, f"{self.case.name}.{what}")

    def run(self, names, way, threads=2):
        """Gradients by name, as bytes, and what the plan costs."""
        with open(self.path("names"), "w") as f:
            f.writelines(n + "\n" for n in names)
        done = subprocess.run(
            [self.program, self.path("onnx"), self.path("x"), self.path("dy"),
             self.path("names"), self.path("out"), str(threads),
             str(self.case.batch)] +
            (["exact"] if way == "exact" else []),
            capture_output=True, text=True)
        if done.returncode:
            raise Refused(done.stderr.strip() or f"status {done.returncode}")
        words = done.stdout.split()
        cost = dict(zip(words[::2], map(int, words[1::2])))
        size = [self.case.exact[n].shape[1] for n in names]
        data = np.fromfile(self.path("out"), "u1").reshape(len(self.case.dy) //
                                                           self.case.batch, -1)
        rows = data.view("f4" if data.shape[1] == 4 * sum(size) else "f8")
        return dict(zip(names, np.split(rows, np.cumsum(size)[:-1], 1))), cost


def judge(case, found):
    """The largest error in terms of PyTorch's, and whose it is."""
    worst = (0.0, "")
    for name, ours in found.items():
        theirs = max(case.float_error[name], FLOOR)
        ratio = network.error(ours, case.exact[name]) / theirs
        if not ratio <= worst[0]:  # nan is worst of all
            worst = (ratio, name)
    return worst


def one_point(ours, stage, names):
    """A line of the table; whether it is good; cost of the plan."""
    worst = {}
    for way in LIMIT:
        found, cost = ours.run(names, way)
        worst[way] = judge(ours.case, found)
    bad = [w for w in LIMIT if not worst[w][0] <= LIMIT[w]]
    name = worst[bad[0] if bad else "exact"][1]
    print(f"{ours.case.name:18} {stage:26} {len(names):4} "
          f"{worst['exact'][0]:8.2f} {worst['winograd'][0]:8.2f} "
          f"{cost['steps']:5} {(cost['block'] + cost['scratch']) >> 10:7}"
          f"  {name}" + (f"  NOT OK: {bad}" if bad else ""), flush=True)
    return not bad, cost


def same_bits(ours, names):
    found = [ours.run(names, "winograd", t)[0] for t in (1, 2, 3)]
    same = all(np.array_equal(f[n], found[0][n]) for f in found for n in names)
    if not same:
        print(f"NOT OK: {ours.case.name}: 1, 2 and 3 threads differ")
    return same


def falling(case, costs):
    """What is frozen costs nothing: no later freeze point costs more."""
    good = True
    for what in ("steps", "block"):
        row = [c[what] for c in costs]
        rises = [i for i in range(1, len(row)) if row[i] > row[i - 1]]
        if rises or row[-1] >= row[0]:
            print(f"NOT OK: {case.name}: {what} by freeze point {row}")
            good = False
    return good


def prove(program, folder, name):
    case = network.Case(name, os.path.join(folder, name + ".onnx"))
    ours = Ours(program, folder, case)
    points = [(INPUT, [INPUT] + list(case.parameters))]
    points += [(stage, case.parameters[first:])
               for stage, first in case.stages()]
    good, costs = True, []
    for stage, names in points:
        fine, cost = one_point(ours, stage, names)
        good &= fine
        costs.append(cost)
    return good & same_bits(ours, points[0][1]) & falling(case, costs)


def main(program, folder, *names):
    os.makedirs(folder, exist_ok=True)
    print(f"PyTorch's float32 error counts as {FLOOR:g} where it is less; "
          f"limits: exact {LIMIT['exact']:g}, winograd "
          f"{LIMIT['winograd']:g}\n{'network':18} {'trained from':26} "
          f"{'n':>4} {'exact':>8} {'winograd':>8} {'steps':>5} {'KiB':>7}"
          "  worst tensor", flush=True)
    failed = []
    for name in names or network.NETWORKS:
        try:
            if not prove(program, folder, name):
                failed.append(name)
        except Refused as why:
            print(f"FAILED {name}: {why}", flush=True)
            failed.append(name)
        except Exception:
            traceback.print_exc()
            failed.append(name)
    total = len(names or network.NETWORKS)
    print(f"\n{total - len(failed)} of {total} networks equal PyTorch" +
          (f"; FAILED: {' '.join(failed)}" if failed else ""))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main(*sys.argv[1:])
