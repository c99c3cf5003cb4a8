# make bench-auto: `graft train --unfreeze auto` beside the probe, on photos and
# drawings, several seeds each. A run that was made is kept in runs.jsonl and
# not made again; a table is printed at the end, and by `auto.py table` alone.
#   AUTO_TIME=60s     --time of a run
#   AUTO_SEEDS=5      seeds 0 .. 4
#   AUTO_THREADS=2    --threads
#   AUTO_ONLY=resnet20  only cases whose "data network" holds that
# Uses ../shared (GRAFT_SHARED) and the program `draw`, and nothing of Python
# beside its own library.
# SPDX-License-Identifier: Apache-2.0
import json
import math
import os
import random
import shutil
import subprocess
import sys

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
SHARED = os.path.abspath(os.environ.get("GRAFT_SHARED", "../shared"))
OUT = os.path.join(BUILD, "bench", "auto")
RUNS = os.path.join(OUT, "runs.jsonl")
SEEDS = int(os.environ.get("AUTO_SEEDS") or 5)
TIME = os.environ.get("AUTO_TIME") or "60s"
THREADS = os.environ.get("AUTO_THREADS") or "2"
ONLY = os.environ.get("AUTO_ONLY") or ""
# 97.5 % points of Student's t for 1 .. 9 degrees of freedom.
T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
# What is fed to a network is what its description says; the CIFAR network's
# photos are scaled as those it was trained on.
NETWORKS = {
    "resnet20": ["resnet20_cifar10.onnx", "--preprocess", "cifar"],
    "squeezenet": ["squeezenet1.1_imagenet.onnx"],
    "mobilenetv2": ["mobilenetv2_bn_backbone.onnx"],
}
# These val photos of cat_tiger are near-copies of training photos.
COPIES = {f"{n}.jpg" for n in (101, 106, 124, 17, 27, 40, 91, 96)}
POOL, VAL = 300, 150  # drawings of a class to take from, and to judge by
SIZES = (10, 30, 100)
DATA = ["cat_tiger", "hymenoptera"] + [f"drawn {n}" for n in SIZES]


# ---- data ------------------------------------------------------------------

def link(source, into):
    os.makedirs(into, exist_ok=True)
    to = os.path.join(into, os.path.basename(source))
    if not os.path.exists(to):
        shutil.copy2(source, to)


def photos(folder):
    return [os.path.join(folder, f) for f in sorted(os.listdir(folder))]


def clean_cats():
    folder = os.path.join(OUT, "cat_tiger")
    source = os.path.join(SHARED, "data", "cat_tiger")
    for part in ("train", "val"):
        for name in ("cat", "tiger"):
            for file in photos(os.path.join(source, part, name)):
                left_out = (part, name) == ("val", "tiger") and \
                    os.path.basename(file) in COPIES
                if not left_out:
                    link(file, os.path.join(folder, part, name))
    return folder


def drawn(size, seed):
    """`size` of the drawings of each class, others for each seed; val is the
    same for all."""
    pool = os.path.join(OUT, "pool")
    if not os.path.isdir(pool):
        subprocess.run([os.path.join(BUILD, "draw"), "--set", "target",
                        "--per-class", str(POOL), "--val", str(VAL), "--seed",
                        "11", pool + ".new"], check=True, capture_output=True)
        os.rename(pool + ".new", pool)
    folder = os.path.join(OUT, f"drawn-{size}-{seed}")
    for name in ("cat", "tiger"):
        some = random.Random(f"{name} {size} {seed}").sample(
            photos(os.path.join(pool, "train", name)), size)
        for file in some:
            link(file, os.path.join(folder, "train", name))
        for file in photos(os.path.join(pool, "val", name)):
            link(file, os.path.join(folder, "val", name))
    return folder


def data_of(data, seed):
    if data == "cat_tiger":
        return clean_cats()
    if data == "hymenoptera":
        return os.path.join(SHARED, "data", "hymenoptera_data")
    return drawn(int(data.split()[1]), seed)


# ---- runs ------------------------------------------------------------------

def train(folder, network, seed, *more):
    file, *options = NETWORKS[network]
    done = subprocess.run(
        [os.path.join(BUILD, "graft"), "train",
         os.path.join(SHARED, "models", file), folder, *options, "--seed",
         str(seed), "--cache", os.path.join(OUT, "cache"), "--threads",
         THREADS, "--json", "--quiet", *more], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{folder} {network}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def short(report):
    val = report["val"]
    return {"correct": val["correct"], "total": val["total"],
            "log_loss": val["log_loss"], "seconds": report["seconds"],
            "tune": report.get("tune")}


def known():
    if not os.path.exists(RUNS):
        return {}
    with open(RUNS) as lines:
        runs = [json.loads(line) for line in lines if line.endswith("\n")]
    return {(r["data"], r["network"], r["seed"]): r for r in runs}


def cases():
    """Seeds outside, so that a table that is cut off has all cases."""
    for seed in range(SEEDS):
        for data in DATA:
            for network in NETWORKS:
                if ONLY in f"{data} {network}":
                    yield data, network, seed


def make_runs():
    os.makedirs(OUT, exist_ok=True)
    for data, network, seed in cases():
        if (data, network, seed) in known():
            continue
        folder = data_of(data, seed)
        probe = short(train(folder, network, seed))
        auto = short(train(folder, network, seed, "--unfreeze", "auto",
                           "--time", TIME))
        with open(RUNS, "a") as out:
            out.write(json.dumps({
                "data": data, "network": network, "seed": seed, "time": TIME,
                "probe": probe, "auto": auto}) + "\n")
        print(f"{data}, {network}, seed {seed}: probe {probe['correct']}, "
              f"auto {auto['correct']} of {auto['total']}, "
              f"{auto['tune']['chosen']} ({auto['tune']['unfreeze']}: "
              f"{auto['tune']['reason']}), {auto['seconds']:.0f} s",
              flush=True)


# ---- the table ---------------------------------------------------------------

def interval(values):
    """Mean, and half of its 95 % interval."""
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, math.nan
    spread = math.sqrt(sum((x - mean) ** 2 for x in values) / (n - 1) / n)
    return mean, T[min(n - 1, len(T)) - 1] * spread


def points(run):
    return 100 * run["correct"] / run["total"]


def row(data, network, runs):
    acc, half = interval([points(r["auto"]) - points(r["probe"])
                          for r in runs])
    loss, loss_half = interval([r["auto"]["log_loss"] - r["probe"]["log_loss"]
                                for r in runs])
    mean = {who: [interval([f(r[who]) for r in runs])[0]
                  for f in (points, lambda x: x["log_loss"])]
            for who in ("probe", "auto")}
    tuned = sum(r["auto"]["tune"]["chosen"] == "tuned" for r in runs)
    cut = sum(any("time" in (x["skipped"] or "")
                  for x in r["auto"]["tune"]["tried"]) for r in runs)
    bar = 2 if (data, network) == ("cat_tiger", "resnet20") else -0.5
    met = "-" if math.isnan(half) else "yes" if acc - half >= bar else "no"
    return (f"| {data} | {network} | {len(runs)} | {tuned} | {cut} | "
            f"{mean['probe'][0]:.2f} | {mean['auto'][0]:.2f} | {acc:+.2f} "
            f"({acc - half:+.2f} to {acc + half:+.2f}) | "
            f"{mean['probe'][1]:.4f} | {mean['auto'][1]:.4f} | {loss:+.4f} "
            f"({loss - loss_half:+.4f} to {loss + loss_half:+.4f}) | {bar} | "
            f"{met} |")


def table():
    runs = known()
    print("| data | network | seeds | tuned | cut by time | probe % | auto % | auto - "
          "probe, points (95 %) | probe log-loss | auto log-loss | auto - "
          "probe (95 %) | bar | met |")
    print("|---" * 13 + "|")
    for data in DATA:
        for network in NETWORKS:
            mine = [r for k, r in sorted(runs.items())
                    if k[:2] == (data, network)]
            if mine:
                print(row(data, network, mine))


if __name__ == "__main__":
    if sys.argv[1:] != ["table"]:
        make_runs()
    table()
