# Photos to features as one does it in Python: two processes decode with
# Pillow (draft mode: JPEGs at a reduced size) and cut out 224x224, ONNX
# Runtime takes batches of 32 meanwhile. Prints one JSON object; "seconds"
# leaves out the start of Python and its imports.
#   pillow_ort.py MODEL.onnx FOLDER THREADS
# SPDX-License-Identifier: Apache-2.0
import glob
import json
import multiprocessing
import sys
import time

import numpy as np
from PIL import Image

from peers import Task, ort

SHORT, SIDE, BATCH, WORKERS = 256, 224, 32, 2
MEAN = np.float32([123.675, 116.28, 103.53])
STD = np.float32([58.395, 57.12, 57.375])


def pixels(path):
    photo = Image.open(path)
    photo.draft("RGB", (SHORT, SHORT))
    photo = photo.convert("RGB")
    width, height = photo.size
    scale = SHORT / min(width, height)
    photo = photo.resize((round(width * scale), round(height * scale)),
                         Image.Resampling.BILINEAR)
    x, y = (photo.width - SIDE) // 2, (photo.height - SIDE) // 2
    return np.asarray(photo.crop((x, y, x + SIDE, y + SIDE)))


def normalised(batch):
    x = (np.stack(batch).astype(np.float32) - MEAN) / STD
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def main(model, folder, threads):
    paths = sorted(glob.glob(folder + "/*.jpg"))
    start = time.perf_counter()
    best, batch = [], []
    with multiprocessing.Pool(WORKERS) as pool:
        run = ort(Task(None, model, None, int(threads), None), None)
        for photo in pool.imap(pixels, paths, chunksize=4):
            batch.append(photo)
            if len(batch) == BATCH or len(best) + len(batch) == len(paths):
                best += run(normalised(batch)).argmax(1).tolist()
                batch = []
    print(json.dumps({"seconds": time.perf_counter() - start,
                      "best": best}))


if __name__ == "__main__":
    main(*sys.argv[1:])
