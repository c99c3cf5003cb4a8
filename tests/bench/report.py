# Figures as Markdown and JSON, with what they were measured on.
# SPDX-License-Identifier: Apache-2.0
import json
import os
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import version

import bars
import chart
from peers import TITLES

PACKAGES = ("onnxruntime", "torch", "torchvision", "pillow", "scikit-learn",
            "numpy")
HEADINGS = {
    "models": "Forward pass, batch 32, 2 threads",
    "one_thread": "Forward pass, batch 32, 1 thread, by processor time",
    "batch1": "Forward pass, batch 1, 2 threads",
    "threads": "Graft with 1 and 2 threads, batch 32",
    "isa": "Graft with AVX2 and AVX-512, batch 32, 2 threads",
    "memory": "Memory at batch 32 above the loaded model",
    "step": "A full training step, batch 32, 2 threads",
    "last_stage": "A step of the last stage, the rest frozen, batch 32, "
                  "2 threads",
    "step_memory": "Memory of such a step above the loaded model",
    "same": "Same bits", "photos": "Photos to features, cold, 2 threads",
    "train": "A new head, cold, 2 threads",
    "tune": "Fine-tuning of the last stage, cold, 2 threads",
}


def machine(program):
    """What the figures depend on; nothing that names the machine."""
    cpu = platform.machine()
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    said = subprocess.run([program, "--version"], capture_output=True,
                          text=True, check=True).stdout.split()[1]
    revision = subprocess.run(["git", "describe", "--always", "--dirty"],
                              capture_output=True, text=True).stdout.strip()
    return {"cpu": cpu, "processors": len(os.sched_getaffinity(0)),
            "graft": f"{said} {revision}".strip(),
            "load": round(os.getloadavg()[0], 1),
            **{name: version(name) for name in PACKAGES}}


def machine_words(m):
    return (f"{m['cpu']}, {m['processors']} processors, load {m['load']} when "
            f"it began; Graft {m['graft']}; "
            + ", ".join(f"{name} {m[name]}" for name in PACKAGES))


def quantity(f, name):
    value = f.middle(name)
    if value is None:
        return "-"
    if f.unit == "bytes":
        return f"{value / 1e6:.0f} MB"
    if f.unit == "yes":
        return "yes" if value else "NO"
    if f.job in ("photos", "train", "tune"):
        return f"{value:.2f} s ±{100 * f.spread(name):.0f} %"
    return f"{f.batch / value:.1f}/s ±{100 * f.spread(name):.0f} %"


def line(f):
    """One figure for the terminal."""
    text = ", ".join(f"{TITLES[name]} {quantity(f, name)}"
                     for name in f.values)
    why = "".join(f"\n    {name} left out: {text}"
                  for name, text in f.why_not.items())
    return f"{f.job:10} {f.model:18} {text}" + (f" ({f.note})" if f.note
                                                else "") + why


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def bars_table(figures):
    rows = []
    for bar in bars.BARS:
        value = bars.ratio(bar, figures)
        if value is not None:
            sign = "≤ " if bar.most else ""
            met = bars.met(bar, value)
            rows.append([bar.text, f"{value:.2f}", f"{sign}{bar.bar:g}",
                         "yes" if met else "**no**"])
    return _table(["job", "ratio", "bar", "met"], rows)


def _job_table(job, figures):
    names = list(dict.fromkeys(n for f in figures for n in f.values))
    checked = any(f.errors for f in figures)
    head = ["model", *(TITLES[n] for n in names)]
    if checked:
        head.append("largest difference")
    rows = []
    for f in figures:
        row = [f.model, *(quantity(f, n) for n in names)]
        if checked:
            row.append(f"{max(f.errors.values(), default=0):.1e}")
        rows.append(row)
    notes = dict.fromkeys(f"{f.model}: {f.note}" for f in figures if f.note)
    notes.update(dict.fromkeys(
        f"{f.model}: {TITLES[n]} left out ({why})"
        for f in figures for n, why in f.why_not.items()))
    return "\n\n".join([f"## {HEADINGS[job]}", _table(head, rows),
                        "\n".join(f"- {note}" for note in notes)]).strip()


def markdown(about, figures):
    jobs = dict.fromkeys(f.job for f in figures)
    return "\n\n".join([
        "# Graft beside its peers", machine_words(about),
        "Medians; ± is half of the distance between the quartiles. Forward "
        "passes are of networks up to the pooled features, without the "
        "classifier, in images a second; everybody takes turns in one "
        "process. A ratio above 1 means that Graft is faster (or holds "
        "more).", "## Bars", bars_table(figures),
        *(_job_table(job, [f for f in figures if f.job == job])
          for job in jobs)]) + "\n"


def write(folder, about, figures):
    result = {"machine": about, "figures": [asdict(f) for f in figures],
              "bars": [{**b._asdict(), "ratio": bars.ratio(b, figures)}
                       for b in bars.BARS]}
    for name, text in (("results.json", json.dumps(result, indent=1)),
                       ("results.md", markdown(about, figures)),
                       ("results.svg", chart.draw(about, figures))):
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
