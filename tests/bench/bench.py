# make bench: runs the jobs named by $BENCH, each measurement in a process of
# its own, and writes results.json, results.md and results.svg after each.
#   BENCH="models photos ..."   jobs, or "all" (default: QUICK below)
#   BENCH_MODELS="resnet18 ..." networks of them (default: all that have bars)
#   BENCH_PEERS="ort jit ..."   who runs beside Graft
#   BENCH_REPEATS=5             turns of each
# SPDX-License-Identifier: Apache-2.0
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import bars
import models
import report
from figure import Figure
from peers import TORCH

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
OUT = os.path.join(BUILD, "bench")
LIBRARY = os.path.join(BUILD, "libgraft.so")
GRAFT = os.path.join(BUILD, "graft")
SHARED = os.environ.get("GRAFT_SHARED", "../shared")
REPEATS = int(os.environ.get("BENCH_REPEATS") or 5)
QUICK = "models batch1 threads isa memory step last_stage step_memory same"
QUICK_MODELS = ["resnet18", "resnet50", "mobilenetv2"]


def words(name, default):
    return (os.environ.get(name) or default).split()


PEERS = words("BENCH_PEERS", "ort channels_last jit")
# The library is all that a user of ours has: nothing of these reaches it.
CLEAN = {k: v for k, v in os.environ.items()
         if k not in ("GRAFT_ISA", "GRAFT_CACHE")}


def said(command):
    """The JSON object that a program prints in its last line."""
    done = subprocess.run(command, env=CLEAN, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:300]}\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.strip().split("\n")[-1])


def script(name, *args):
    return said([sys.executable, os.path.join(HERE, name), *map(str, args)])


def network(name):
    file = models.path(os.path.join(OUT, "models"), name)
    if not os.path.exists(file):
        subprocess.run([sys.executable, os.path.join(HERE, "models.py"),
                        os.path.dirname(file), name], check=True,
                       capture_output=True)
    return file


def chosen(job):
    """The networks that this job has bars for, as far as they are wanted."""
    have = dict.fromkeys(b.model for b in bars.BARS if b.job == job)
    quick = have if os.environ.get("BENCH") else QUICK_MODELS
    want = words("BENCH_MODELS", " ".join(quick))
    return [name for name in have if name in want]


# ---- jobs: each yields figures -----------------------------------------------

def interleaved(job, name, batch, threads, who):
    spec = {"network": name, "file": network(name), "library": LIBRARY,
            "batch": batch, "repeats": REPEATS, "who": who}
    got = script("forward.py", json.dumps(spec))
    return Figure(job, name, batch, threads, "s", got["values"],
                  got["agree"], got["errors"], got["why_not"])


def forward(job, names, batch, threads):
    who = {peer: {"peer": peer, "threads": threads}
           for peer in ["graft", *PEERS]}
    for name in names:
        yield interleaved(job, name, batch, threads, who)


def one_to_two_threads():
    who = {"1 thread": {"peer": "graft", "threads": 1},
           "2 threads": {"peer": "graft", "threads": 2}}
    for name in chosen("threads"):
        yield interleaved("threads", name, 32, 0, who)


def instruction_sets():
    who = {isa: {"peer": "graft", "threads": 2, "isa": isa}
           for isa in ("avx512", "avx2")}
    for name in chosen("isa"):
        yield interleaved("isa", name, 32, 2, who)


def memory():
    for name in chosen("memory"):
        values = {}
        for peer in ("graft", "ort"):
            loaded, peak = (script("memory.py", peer, network(name), LIBRARY,
                                   2, what, 32)["bytes"]
                            for what in ("loaded", "peak"))
            values[peer] = [max(peak - loaded, 1)]
        yield Figure("memory", name, 32, 2, "bytes", values)


def step_spec(name):
    return {"network": name, "file": network(name), "library": LIBRARY,
            "batch": 32, "repeats": REPEATS, "threads": 2,
            "who": ["graft", "eager", "channels_last", "compile"]}


def steps():
    for name in chosen("step"):
        got = script("step.py", json.dumps(step_spec(name)))
        yield Figure("step", name, 32, 2, "s", got["values"], got["agree"],
                     got["errors"], got["why_not"])


def last_stage():
    for name in chosen("last_stage"):
        spec = step_spec(name)
        spec |= bars.LAST_STAGE[name]
        got = script("step.py", json.dumps(spec))
        yield Figure("last_stage", name, 32, 2, "s", got["values"],
                     got["agree"], got["errors"], got["why_not"])


def step_memory():
    for name in chosen("step_memory"):
        values = {}
        for peer in ("graft", "channels_last"):
            loaded, peak = (script("step.py", peer,
                                   json.dumps(step_spec(name)), what)["bytes"]
                            for what in ("loaded", "peak"))
            values[peer] = [max(peak - loaded, 1)]
        yield Figure("step_memory", name, 32, 2, "bytes", values)


def same_bits():
    names = words("BENCH_MODELS", " ".join(QUICK_MODELS))
    got = [script("same.py", network(name), LIBRARY) for name in names]
    for claim in ("threads", "alone"):
        yield Figure("same", claim, 5, 0, "yes", {
            "all": [min(int(g[claim]) for g in got)]},
            note=", ".join(names))


def timed(command, **options):
    start = time.perf_counter()
    done = subprocess.run(command, env=CLEAN, capture_output=True, text=True,
                          **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    return time.perf_counter() - start, done.stdout


def agreement(said_by_graft, best):
    """Part of the photos on which both see the same feature as largest."""
    lines = said_by_graft.strip().split("\n")
    ours = [int(line.rsplit(": ", 1)[1].split(" ")[0]) for line in lines]
    return sum(a == b for a, b in zip(ours, best)) / len(best)


def photos():
    """Graft: the whole program. Python: from after its imports."""
    file = network("resnet18")
    for title, count, width, height in (("1 Mpx", 1000, 1152, 864),
                                        ("12 Mpx", 200, 4000, 3000)):
        folder = os.path.join(OUT, "photos", title.replace(" ", ""))
        subprocess.run([sys.executable, os.path.join(HERE, "photos.py"),
                        folder, *map(str, (count, width, height))],
                       check=True)
        values, same = {"graft": [], "pillow": []}, 0.0
        for _ in range(max(1, REPEATS // 2)):
            seconds, text = timed([GRAFT, "predict", file, folder, "--batch",
                                   "32", "--threads", "2", "-q"])
            values["graft"].append(seconds)
            theirs = script("pillow_ort.py", file, folder, 2)
            values["pillow"].append(theirs["seconds"])
            same = agreement(text, theirs["best"])
        yield Figure("photos", title, 32, 2, "s", values,
                     note=f"{count} photos, ResNet-18; same largest feature "
                     f"on {100 * same:.0f} %")


def of_photos(job):
    """A network and a folder of photos that we do not own; None: not here."""
    model = os.path.join(SHARED, "models/mobilenetv2_imagenet_gemm.onnx")
    data = os.path.join(SHARED, "data/hymenoptera_data")
    if os.path.exists(model) and os.path.exists(data):
        return model, data
    print(f"  {job}: left out, no photos in $GRAFT_SHARED")
    return None


def trained_cold(model, data, *options):
    """Seconds of a whole `graft train` without a cache, and how many are
    right."""
    folder = tempfile.mkdtemp()
    seconds, text = timed([
        GRAFT, "train", model, data, "--preprocess", "tf", "--threads", "2",
        "-q", "--cache", folder + "/cache", "-o", folder + "/bees.onnx",
        *options])
    shutil.rmtree(folder)
    right = next(line for line in text.split("\n")
                 if line.startswith("accuracy"))
    return seconds, right.split()[1]


def train():
    found = of_photos("train")
    if not found:
        return
    values, note = {"graft": [], "sklearn": []}, ""
    for _ in range(max(1, REPEATS // 2)):
        seconds, right = trained_cold(*found)
        values["graft"].append(seconds)
        theirs = script("sklearn_head.py", *found, 2)
        values["sklearn"].append(theirs["seconds"])
        note = (f"MobileNetV2; right: Graft {right}, theirs "
                f"{theirs['right']} of {theirs['total']}, their head "
                f"{theirs['head']:.1f} s")
    yield Figure("train", "hymenoptera", 32, 2, "s", values, note=note)


def tune():
    found = of_photos("tune")
    if not found:
        return
    values, note = {"graft": [], "usual": [], "cached": []}, ""
    _, text = timed([GRAFT, "inspect", found[0], "--unfreeze", "last-stage",
                     "--json"])
    names = json.loads(text)["names"][:-2]  # the last two are the new head's
    for _ in range(max(1, REPEATS // 2)):
        seconds, right = trained_cold(*found, "--unfreeze", "last-stage",
                                      "--epochs", "15")
        values["graft"].append(seconds)
        for way in ("usual", "cached"):
            theirs = script("torch_tune.py", *found, 2, way, *names)
            values[way].append(theirs["seconds"])
        note = (f"MobileNetV2, last stage, 15 epochs; right: Graft {right}, "
                f"theirs {theirs['right']} of {theirs['total']}")
    yield Figure("tune", "hymenoptera", 32, 2, "s", values, note=note)


JOBS = {
    "models": lambda: forward("models", chosen("models"), 32, 2),
    "one_thread": lambda: forward("one_thread", chosen("models"), 32, 1),
    "batch1": lambda: forward("batch1", chosen("batch1"), 1, 2),
    "threads": one_to_two_threads,
    "isa": instruction_sets,
    "memory": memory,
    "step": steps,
    "last_stage": last_stage,
    "step_memory": step_memory,
    "same": same_bits,
    "photos": photos,
    "train": train,
    "tune": tune,
}


def main():
    jobs = words("BENCH", QUICK)
    jobs = list(JOBS) if jobs == ["all"] else jobs
    for name in jobs:
        if name not in JOBS:
            raise SystemExit(f"no job '{name}'; there are {' '.join(JOBS)}")
    for name in [*PEERS, *words("BENCH_MODELS", "")]:
        if name not in ("ort", *TORCH, *models.NETWORKS):
            raise SystemExit(f"'{name}' is neither a peer nor a network")
    os.makedirs(OUT, exist_ok=True)
    machine, figures = report.machine(GRAFT), []
    if machine["load"] > 0.5:
        print(f"NOTE: others are using this machine (load {machine['load']});"
              "\nNOTE: ratios will be off, by more the more threads meet.")
    for job in jobs:
        for figure in JOBS[job]():
            figures.append(figure)
            print(report.line(figure), flush=True)
            report.write(OUT, machine, figures)
    print("\n" + report.bars_table(figures))
    print(f"\n{OUT}/results.md, results.json, results.svg")
    wrong = [f for f in figures if not f.agree]
    for f in wrong:
        print(f"{f.model}: the answers differ: {f.errors}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
