"""Fifty steps of training beside PyTorch: every weight of a model, the same
start and the same batches. Losses have to agree to 1e-3.

    python tests/reference/finetune.py libgraft.so MODEL [MODEL...]

The model is computed in PyTorch from the ONNX file, node by node (eager.py).
SPDX-License-Identifier: Apache-2.0
"""
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, "tests/bench")
from eager import Eager  # noqa: E402
from libgraft import Trainer  # noqa: E402

STEPS, BATCH = 50, 24


def batches(shape, classes):
    """Noise with a patch whose place tells the class."""
    r = np.random.default_rng(5)
    for _ in range(STEPS):
        x = r.normal(0, 0.5, [BATCH] + shape).astype(np.float32)
        label = r.integers(0, min(classes, 4), BATCH).astype(np.int32)
        half = shape[1] // 2
        for i, k in enumerate(label):
            x[i, :, k // 2 * half:k // 2 * half + half,
              k % 2 * half:k % 2 * half + half] += 1
        yield x, label


def compare(library, path, name, ours, theirs):
    net, t = Eager(path, 1), Trainer(library, path, **ours)
    trained = t.names()
    net.train(trained)
    optimizer = theirs(net.trained())
    with torch.no_grad():
        classes = net.forward(torch.zeros([1] + net.shape)).shape[1]
    worst, first, last = 0.0, None, None
    for x, label in batches(net.shape, classes):
        optimizer.zero_grad()
        loss = F.cross_entropy(net.forward(torch.from_numpy(x)),
                               torch.from_numpy(label).long())
        loss.backward()
        optimizer.step()
        got = t.step(x, label)
        first = loss.item() if first is None else first
        last = loss.item()
        worst = max(worst, abs(got - last))
    t.close()
    good = worst <= 1e-3 and last < first
    print(f"{'ok' if good else 'not ok'} - {path.split('/')[-1]}, {name}: "
          f"{len(trained)} tensors, loss {first:.4f} to {last:.4f}, at most "
          f"{worst:.2g} apart over {STEPS} steps")


def main():
    for path in sys.argv[2:]:
        try:
            compare(sys.argv[1], path, "SGD with momentum",
                    dict(learning_rate=2e-5, weight_decay=1e-4),
                    lambda p: torch.optim.SGD(p, 2e-5, 0.9,
                                              weight_decay=1e-4))
            compare(sys.argv[1], path, "AdamW",
                    dict(optimizer=b"adamw", learning_rate=1e-5,
                         weight_decay=0.05),
                    lambda p: torch.optim.AdamW(p, 1e-5, weight_decay=0.05))
        except RuntimeError as e:
            print(f"not ok - {path.split('/')[-1]}: {e}")


main()
