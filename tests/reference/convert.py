# Files that graft export converted, in others' hands: another batch, weights
# as float16.
#   convert.py GRAFT MODEL WORK-FOLDER
#   convert.py GRAFT CLASSIFIER WORK-FOLDER PHOTOS-FOLDER
# With photos the error that Graft measures on them is measured again, by the
# README's lines. Prints "ok - claim" or "not ok - claim" lines.
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

import readme

failed = False


def claim(good, text):
    global failed
    failed |= not good
    print(("ok - " if good else "not ok - ") + text, flush=True)


def export(graft, model, to, *options):
    done = subprocess.run([graft, "export", model, "-o", to, "-f", *options],
                          capture_output=True, text=True)
    if done.returncode:
        claim(False, f"{to}: {done.stderr.strip()}")
    return done.stdout


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options)


def checked(path):
    try:
        onnx.checker.check_model(path, full_check=True)
        claim(True, f"{path}: onnx.checker, full check")
    except Exception as wrong:
        claim(False, f"{path}: onnx.checker: {wrong}")


def images(feed, n):
    shape = [d if isinstance(d, int) else (3, 224, 224)[i]
             for i, d in enumerate(feed.shape[1:])]
    rng = np.random.default_rng(5)
    return rng.standard_normal([n, *shape]).astype(np.float32)


def same(name, theirs, want, what):
    scale = max(float(np.abs(want).max()), 1e-6)
    good = theirs.shape == want.shape
    worst = float(np.abs(theirs - want).max()) / scale if good else np.inf
    claim(good and worst <= 1e-4, f"{name}: {what}, within 1e-4 of the "
          f"largest (largest difference {worst:.1e})")


def each_alone(path, x):
    """Answers of the file as it was, whatever batch it wants."""
    s = session(path)
    feed = s.get_inputs()[0]
    fixed = feed.shape[0] if isinstance(feed.shape[0], int) else 1
    answers = []
    for image in x:
        batch = np.repeat(image[None], fixed, axis=0)
        answers.append(s.run(None, {feed.name: batch})[0][:1])
    return np.concatenate(answers)


def check_batches(graft, model, work, x, want):
    free = f"{work}-dynamic.onnx"
    export(graft, model, free, "--batch-size", "dynamic")
    checked(free)
    s = session(free)
    name = s.get_inputs()[0].name
    for n in (1, 2, 5):
        same(free, s.run(None, {name: x[:n]})[0], want[:n],
             f"ONNX Runtime at batch {n} as each image alone before")
    for n in (1, 3):
        back = f"{work}-{n}.onnx"
        export(graft, free, back, "--batch-size", str(n))
        checked(back)
        s = session(back)
        claim(s.get_inputs()[0].shape[0] == n, f"{back}: states batch {n}")
        same(back, s.run(None, {name: x[:n]})[0], want[:n],
             f"back at batch {n}")
    return free


def rounded_as_numpy_rounds(was, now):
    """How many tensors became float16, and whether all as NumPy has it."""
    before = {t.name: t for t in onnx.load(was).graph.initializer}
    n, good = 0, True
    for t in onnx.load(now).graph.initializer:
        if t.name in before:
            continue
        n += 1
        from_ = before.get(re.sub(r"_float16(_\d+)?$", "", t.name))
        good &= (t.data_type == onnx.TensorProto.FLOAT16
                 and from_ is not None
                 and np.array_equal(
                     numpy_helper.to_array(t),
                     numpy_helper.to_array(from_).astype(np.float16)))
    return n, good


def check_float16(graft, free, work, x, want):
    half = f"{work}-float16.onnx"
    export(graft, free, half, "--float16")
    checked(half)
    n, good = rounded_as_numpy_rounds(free, half)
    claim(n > 0 and good, f"{half}: {n} weights, rounded as NumPy rounds")
    s = session(half)
    theirs = s.run(None, {s.get_inputs()[0].name: x})[0]
    np.save(f"{work}.in.npy", x)
    subprocess.run([graft, "run", half, f"{work}.in.npy", "-o",
                    f"{work}.out.npy", "-f", "-q"], check=True)
    same(half, theirs, np.load(f"{work}.out.npy"),
         "ONNX Runtime and graft run agree")
    moved = float(np.abs(theirs - want).max() / np.abs(want).max())
    claim(moved < 0.02, f"{half}: {os.path.getsize(free)} bytes became "
          f"{os.path.getsize(half)}, answers moved by {moved:.1e} of the "
          "largest")


def check_measured(graft, model, work, folder):
    half = f"{work}-measured.onnx"
    said = export(graft, model, half, "--float16", "--photos", folder)
    found = re.search(r"on ([\d,]+) photos?: answers up to (\S+) apart", said)
    if not found:
        return claim(False, f"{half}: nothing was measured")
    says = float(found.group(2))
    photos = [str(p) for p in pathlib.Path(folder).rglob("*")
              if p.suffix.lower() in (".jpg", ".jpeg", ".png")]
    for end in (".json", ".labels.txt"):  # the README's lines read them
        shutil.copy(model.removesuffix(".onnx") + end,
                    half.removesuffix(".onnx") + end)
    run, again = readme.runner(model), readme.runner(half)
    theirs, n = 0.0, 0
    for photo in photos:
        try:
            a = np.asarray(run(photo)["probabilities"])
        except Exception:
            continue  # what Pillow cannot read Graft does not count either
        b = np.asarray(again(photo)["probabilities"])
        theirs = max(theirs, float(np.abs(a - b).max()))
        n += 1
    claim(n == int(found.group(1).replace(",", "")),
          f"{half}: {n} photos, as Graft counts")
    claim(abs(theirs - says) <= 0.1 * theirs + 1e-5,
          f"{half}: probabilities move by {says:.1e} as Graft measures, by "
          f"{theirs:.1e} as ONNX Runtime does")


def main(graft, model, work, photos=None):
    work = f"{work}/{pathlib.Path(model).stem}"
    os.makedirs(os.path.dirname(work), exist_ok=True)
    if photos:
        check_measured(graft, model, work, photos)
    else:
        x = images(session(model).get_inputs()[0], 5)
        want = each_alone(model, x)
        free = check_batches(graft, model, work, x, want)
        check_float16(graft, free, work, x, want)
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:5])
