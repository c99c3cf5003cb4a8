# The programs of tests/proof on one network, and how far what they find lies
# from PyTorch.
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess

import numpy as np

import network

LIMIT = {"exact": 2.0, "winograd": 20.0}
FLOOR = 1e-7


class Refused(Exception):
    """Graft does not differentiate the network; its own message."""


class Graft:
    """The programs in `build` on the file of a case; more words for their
    command lines may follow."""

    def __init__(self, build, folder, case, *words):
        self.build, self.case, self.words = build, case, words
        self.stem = os.path.join(folder, case.name + ".")
        self.given = set()
        self.give(x=case.x, dy=case.dy)

    def give(self, **arrays):
        """Files that run() hands over by these names."""
        for name, a in arrays.items():
            a.astype(np.float32).tofile(self.stem + name)
        self.given |= set(arrays)

    def run(self, program, given, names, way, threads=2):
        """Lines of its output as words, and the numbers that it wrote."""
        with open(self.stem + "names", "w") as f:
            f.writelines(n + "\n" for n in names)
        paths = [self.stem + g if g in self.given else g for g in given]
        done = subprocess.run(
            [os.path.join(self.build, program), *paths, self.stem + "out",
             self.stem + "onnx", self.stem + "names", str(threads),
             str(self.case.batch), *self.words] +
            (["exact"] if way == "exact" else []),
            capture_output=True, text=True)
        if done.returncode:
            raise Refused(done.stderr.strip() or f"status {done.returncode}")
        return [line.split() for line in done.stdout.splitlines()], \
            np.fromfile(self.stem + "out", "u1")

    def gradients(self, names, way, threads=2):
        """Rows by name, one a batch: of gradients, and of the running
        statistics that follow; and what the plan costs."""
        lines, data = self.run("gradients", ["x", "dy"], names, way, threads)
        size = {n: self.case.exact[n].shape[1] for n in names}
        for _, mean, var, channels, count in lines[1:]:
            assert int(count) == self.case.count[mean]
            size |= {mean: int(channels), var: int(channels)}
        rows = reals(data, len(self.case.x) // self.case.batch *
                     sum(size.values())).reshape(-1, sum(size.values()))
        found = np.split(rows, np.cumsum(list(size.values()))[:-1], 1)
        cost = dict(zip(lines[0][::2], map(int, lines[0][1::2])))
        return dict(zip(size, found)), cost


def reals(data, n):
    """Bytes as n numbers of the type that Graft computes in."""
    return data.view("f4" if data.size == 4 * n else "f8")


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
    """A line of the table; whether it is good; what was found."""
    worst, found = {}, {}
    for way in LIMIT:
        found, cost = ours.gradients(names, way)
        worst[way] = judge(ours.case, found)
    bad = [w for w in LIMIT if not worst[w][0] <= LIMIT[w]]
    name = worst[bad[0] if bad else "exact"][1]
    print(f"{ours.case.name:18} {stage:26} {len(found):4} "
          f"{worst['exact'][0]:8.2f} {worst['winograd'][0]:8.2f} "
          f"{cost['steps']:5} {(cost['block'] + cost['scratch']) >> 10:7}"
          f"  {name}" + (f"  NOT OK: {bad}" if bad else ""), flush=True)
    return not bad, found, cost


def same_bits(ours, names):
    found = [ours.gradients(names, "winograd", t)[0] for t in (1, 2, 3)]
    same = all(np.array_equal(f[n], found[0][n]) for f in found for n in f)
    if not same:
        print(f"NOT OK: {ours.case.name}: 1, 2 and 3 threads differ")
    return same
