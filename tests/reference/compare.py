# A file that Graft wrote against ONNX's checker and ONNX Runtime.
#   compare.py GRAFT CLASSIFIER.onnx PHOTOS-FOLDER
# prints "ok - claim" or "not ok - claim" lines; exit code 1 after a failure.
# SPDX-License-Identifier: Apache-2.0
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

import readme

failed = False


def claim(good, text):
    global failed
    failed |= not good
    print(("ok - " if good else "not ok - ") + text, flush=True)


def graft_says(graft, model, photos, classes):
    """File name -> probabilities in class order."""
    out = subprocess.run(
        [graft, "predict", model, "--json", "--top",
         str(classes), *photos], stdout=subprocess.PIPE, check=False).stdout
    said = {}
    for line in out.decode().splitlines():
        answer = json.loads(line)
        if "error" not in answer:
            p = np.empty(classes)
            for c in answer["classes"]:
                p[c["index"]] = c["probability"]
            said[answer["file"]] = p
    return said


def check_file(model):
    try:
        onnx.checker.check_model(model, full_check=True)
        claim(True, f"{model}: onnx.checker, full check")
    except onnx.checker.ValidationError as wrong:
        claim(False, f"{model}: onnx.checker: {wrong}")


def check_photos(graft, model, photos, labels):
    said = graft_says(graft, model, photos, len(labels))
    run = readme.runner(model)
    worst, differ, n = 0.0, [], 0
    for photo in photos:
        if photo not in said:
            continue
        theirs = np.asarray(run(photo)["probabilities"]).ravel()
        worst = max(worst, float(np.abs(theirs - said[photo]).max()))
        if theirs.argmax() != said[photo].argmax():
            differ.append(photo)
        n += 1
    claim(n > 0 and not differ,
          f"{model}: same top-1 as the README's lines on all of {n} photos "
          f"{differ[:3] if differ else ''}")
    claim(n > 0 and worst <= 1e-3,
          f"{model}: probabilities within 1e-3 (largest difference "
          f"{worst:.1e})")


def check_tensor(graft, model):
    session = onnxruntime.InferenceSession(model)
    feed = session.get_inputs()[0]
    batch = feed.shape[0] if isinstance(feed.shape[0], int) else 3
    rng = np.random.default_rng(5)
    x = rng.standard_normal([batch, *feed.shape[1:]]).astype(np.float32)
    theirs = session.run(None, {feed.name: x})[0]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "x.npy", x)
        subprocess.run([graft, "run", model, folder / "x.npy", "-o",
                        folder / "y.npy"], check=True)
        ours = np.load(folder / "y.npy")
    worst = float(np.abs(ours - theirs).max())
    claim(ours.shape == theirs.shape and worst <= 1e-5,
          f"{model}: fed the same tensor, within 1e-5 (largest difference "
          f"{worst:.1e})")


def main(graft, model, folder):
    photos = sorted(str(p) for p in pathlib.Path(folder).rglob("*")
                    if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    stem = model.removesuffix(".onnx")
    labels = pathlib.Path(stem + ".labels.txt").read_text().splitlines()
    check_file(model)
    check_photos(graft, model, photos, labels)
    check_tensor(graft, model)
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:4])
