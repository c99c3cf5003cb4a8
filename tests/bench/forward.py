# Time of a forward pass: Graft, ONNX Runtime and PyTorch eager in turn, in
# one process, so that all meet the same moments of a shared machine. Prints
# medians, the spread, and the ratio of the medians.
#   forward.py LIBGRAFT.SO MODEL.onnx [BATCH [THREADS [REPEATS]]]
# SPDX-License-Identifier: Apache-2.0
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort

from eager import Eager
from libgraft import Session


def ort_session(path, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options,
                                   providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})


def input_shape(path, batch):
    graph = onnx.load(path, load_external_data=False).graph
    weights = {t.name for t in graph.initializer}
    feed = [i for i in graph.input if i.name not in weights][0]
    dims = [d.dim_value for d in feed.type.tensor_type.shape.dim]
    return [batch] + dims[1:]


def main(library, path, batch=16, threads=2, repeats=7):
    rng = np.random.default_rng(1)
    x = rng.standard_normal(input_shape(path, batch), np.float32)
    runners = {"graft": Session(library, path, x, threads).run,
               "onnxruntime": ort_session(path, threads)}
    try:
        runners["torch eager"] = Eager(path, threads).run
    except KeyError as missing:
        print(f"torch eager: left out, no {missing} in eager.py")
    first = {name: run(x)[0] for name, run in runners.items()}
    want = first["onnxruntime"]
    for name, got in first.items():
        error = np.abs(got - want).max() / np.abs(want).max()
        print(f"{name:12} differs from onnxruntime by {error:.1e} of the "
              "largest output")
        if not error < 1e-3:
            raise SystemExit(f"{name} computes something else")
    times = {name: [] for name in runners}
    for _ in range(repeats):
        for name, run in runners.items():
            start = time.perf_counter()
            run(x)
            times[name].append(time.perf_counter() - start)
    mine = np.median(times["graft"])
    for name, t in times.items():
        print(f"{name:12} {np.median(t):8.4f} s median ({min(t):.4f} to "
              f"{max(t):.4f}), {batch / np.median(t):7.1f} images/s, "
              f"graft takes {mine / np.median(t):.2f} x its time")


if __name__ == "__main__":
    main(*sys.argv[1:3], *[int(a) for a in sys.argv[3:]])
