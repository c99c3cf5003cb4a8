# A new head as one trains it in Python: PyTorch takes the features of every
# photo once (two processes decode with Pillow), scikit-learn fits the head
# with its L2 chosen by cross-validation. Prints one JSON object; "seconds"
# leaves out the start of Python and its imports.
#   sklearn_head.py BACKBONE.onnx FOLDER THREADS     (train/CLASS, val/CLASS)
# SPDX-License-Identifier: Apache-2.0
import glob
import json
import multiprocessing
import os
import sys
import time
import warnings

import numpy as np
import torch
from sklearn.linear_model import LogisticRegressionCV
from threadpoolctl import threadpool_limits

from eager import Eager
from pillow_ort import BATCH, WORKERS, pixels

FEATURES = "features"  # the value before the classifier
JPEG = b"\xff\xd8"


def listed(folder):
    """Paths of JPEGs by their first bytes, and their classes."""
    classes = sorted(os.listdir(folder))
    found = [(path, k) for k, name in enumerate(classes)
             for path in sorted(glob.glob(f"{folder}/{name}/*"))
             if open(path, "rb").read(2) == JPEG]
    return [path for path, _ in found], np.array([k for _, k in found])


def backbone(model, threads):
    """Frozen and laid out for the processor, as PyTorch recommends."""
    net = Eager(model, threads, FEATURES)
    example = torch.zeros(BATCH, 3, 224, 224).to(
        memory_format=torch.channels_last)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.freeze(torch.jit.trace(net.module(), example))


def normalised(batch):  # -1 to 1, as TensorFlow's models want it
    x = np.stack(batch).astype(np.float32) / 127.5 - 1
    return torch.from_numpy(x).permute(0, 3, 1, 2)  # channels last


def features(net, paths, pool):
    rows, batch = [], []
    with torch.inference_mode():
        for n, photo in enumerate(pool.imap(pixels, paths, chunksize=4), 1):
            batch.append(photo)
            if len(batch) == BATCH or n == len(paths):
                rows.append(net(normalised(batch)).flatten(1).numpy())
                batch = []
    return np.concatenate(rows)


def main(model, folder, threads):
    start = time.perf_counter()
    with multiprocessing.Pool(WORKERS) as pool:
        net = backbone(model, int(threads))
        train, truth = listed(folder + "/train")
        val, want = listed(folder + "/val")
        x, y = features(net, train, pool), features(net, val, pool)
    middle = time.perf_counter()
    head = LogisticRegressionCV(Cs=10, cv=5, scoring="neg_log_loss",
                                max_iter=1000)
    with threadpool_limits(1):  # so small a problem loses by sharing
        head.fit(x, truth)
        right = int((head.predict(y) == want).sum())
    end = time.perf_counter()
    print(json.dumps({"seconds": end - start, "head": end - middle,
                      "right": right, "total": len(want)}))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
