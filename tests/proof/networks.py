# make proof: gradients of whole networks beside float64 autograd of PyTorch.
#   networks.py BUILD WORK [NETWORK...]
# Each network gets random weights, is exported with its normalisations kept,
# and differentiated by both from the same numbers, with every stage as freeze
# point: what lies before it is frozen, everything from it on is trained. Some
# are differentiated and trained with normalisations by the batch as well
# (batchnorm.py). The error of a gradient is rms(ours - float64) /
# rms(float64), over some batches. It may be LIMIT times that of PyTorch's own
# float32, which counts as FLOOR where it is less (a vector of few numbers can
# be nearly exact by luck). Results must be the same bits for any number of
# threads, and what is frozen must cost nothing: a later freeze point takes no
# more steps or memory.
# SPDX-License-Identifier: Apache-2.0
import os
import sys
import traceback

import batchnorm
import graft
import network

INPUT = "x"


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


def prove(build, folder, name):
    case = network.Case(name, os.path.join(folder, name + ".onnx"))
    ours = graft.Graft(build, folder, case)
    points = [(INPUT, [INPUT] + list(case.parameters))]
    points += [(stage, case.parameters[first:])
               for stage, first in network.stages(case.parameters)]
    good, costs = True, []
    for stage, names in points:
        fine, _, cost = graft.one_point(ours, stage, names)
        good &= fine
        costs.append(cost)
    good &= graft.same_bits(ours, points[0][1]) and falling(case, costs)
    if name in batchnorm.NETWORKS:
        good &= batchnorm.prove(build, folder, name)
    return good


def main(build, folder, *names):
    for name in names:
        if name not in network.NETWORKS:
            sys.exit(f"'{name}' is none of {', '.join(network.NETWORKS)}")
    os.makedirs(folder, exist_ok=True)
    limit = graft.LIMIT
    print(f"PyTorch's float32 error counts as {graft.FLOOR:g} where it is "
          f"less; limits: exact {limit['exact']:g}, winograd "
          f"{limit['winograd']:g}\n{'network':18} {'trained from':26} "
          f"{'n':>4} {'exact':>8} {'winograd':>8} {'steps':>5} {'KiB':>7}"
          "  worst tensor", flush=True)
    failed = []
    for name in names or network.NETWORKS:
        try:
            if not prove(build, folder, name):
                failed.append(name)
        except graft.Refused as why:
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
