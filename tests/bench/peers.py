# Who is timed: Graft, ONNX Runtime, PyTorch in several ways. Each is made
# from a Task, gives features for a batch, and stands on its own threads.
# SPDX-License-Identifier: Apache-2.0
from collections import namedtuple

import numpy as np

Task = namedtuple("Task", "network file library threads isa")


def graft(task, x):
    from libgraft import Session
    session = Session(task.library, task.file, x, task.threads, isa=task.isa)
    return lambda x: session.run(x)[0]


def ort(task, x):
    """All optimisations, which is also the default."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = \
        onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = task.threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        task.file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})[0]


def _torch(make, channels_last):
    """PyTorch's own module, as `make` prepares it for an example."""
    def peer(task, x):
        import torch
        import models
        torch.set_num_threads(task.threads)
        form = torch.channels_last if channels_last \
            else torch.contiguous_format

        def feed(x):
            return torch.from_numpy(x).to(memory_format=form)

        with torch.inference_mode():
            net = make(models.build(task.network).to(memory_format=form),
                       feed(x))

        def run(x):
            with torch.inference_mode():
                return net(feed(x)).numpy()
        return run
    return peer


def _as_it_is(net, example):
    return net


def _frozen(net, example):
    import torch
    net = torch.jit.freeze(torch.jit.trace(net, example))
    return torch.jit.optimize_for_inference(net)


def _compiled(net, example):
    import torch
    import torch._inductor.config as inductor
    inductor.freezing = True  # constants folded, weights packed
    return torch.compile(net)


PEERS = {
    "graft": graft,
    "ort": ort,
    "eager": _torch(_as_it_is, False),
    "channels_last": _torch(_as_it_is, True),
    "jit": _torch(_frozen, True),
    "compile": _torch(_compiled, True),
}
TITLES = {
    "graft": "Graft", "ort": "ONNX Runtime", "eager": "PyTorch eager",
    "channels_last": "PyTorch channels_last", "jit": "PyTorch frozen jit",
    "compile": "torch.compile", "torch": "best PyTorch",
    "avx2": "Graft, AVX2", "avx512": "Graft, AVX-512",
    "1 thread": "Graft, 1 thread", "2 threads": "Graft, 2 threads",
    "pillow": "Pillow + ONNX Runtime", "sklearn": "PyTorch + scikit-learn",
    "usual": "PyTorch", "cached": "PyTorch, frozen part once",
    "all": "Graft",
}
TORCH = ("eager", "channels_last", "jit", "compile")


def picture(batch, seed=1):
    """Soft noise of the size of normalised pixels, without PyTorch."""
    rng = np.random.default_rng(seed)
    coarse = rng.standard_normal((batch, 3, 14, 14), np.float32)
    fine = rng.standard_normal((batch, 3, 224, 224), np.float32)
    return coarse.repeat(16, 2).repeat(16, 3) + np.float32(0.25) * fine
