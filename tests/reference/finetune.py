"""Fifty steps of training beside PyTorch: every weight of a model, the same
start and the same batches. Losses have to agree to 1e-3.

    python tests/reference/finetune.py libgraft.so MODEL [MODEL...]

The model is computed in PyTorch from the ONNX file, node by node.
SPDX-License-Identifier: Apache-2.0
"""
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

sys.path.insert(0, "tests/bench")
from libgraft import Trainer  # noqa: E402

STEPS, BATCH = 50, 24


# ---- the network in PyTorch -------------------------------------------------

def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a)
            for a in node.attribute}


def conv(x, a):
    p = a.get("pads", [0, 0, 0, 0])
    x[0] = F.pad(x[0], (p[1], p[3], p[0], p[2]))
    return F.conv2d(x[0], x[1], x[2] if len(x) > 2 else None,
                    stride=a.get("strides", 1), groups=a.get("group", 1),
                    dilation=a.get("dilations", 1))


def gemm(x, a):
    w = x[1].T if a.get("transB", 0) else x[1]
    y = x[0] @ w
    return y + x[2] if len(x) > 2 else y


def reduce_mean(x, a):
    axes = a.get("axes") or x[1].tolist()
    return x[0].mean(dim=list(axes), keepdim=bool(a.get("keepdims", 1)))


def norm(x, a):
    return F.batch_norm(x[0], x[3].detach(), x[4].detach(), x[1], x[2],
                        False, 0, a.get("epsilon", 1e-5))


ROWS = {
    "Conv": conv, "Gemm": gemm, "ReduceMean": reduce_mean,
    "BatchNormalization": norm,
    "Relu": lambda x, a: F.relu(x[0]),
    "Add": lambda x, a: x[0] + x[1],
    "GlobalAveragePool": lambda x, a: x[0].mean(dim=(2, 3), keepdim=True),
    "AveragePool": lambda x, a: F.avg_pool2d(x[0], a["kernel_shape"],
                                             a.get("strides", 1)),
    "Identity": lambda x, a: x[0],
    "Flatten": lambda x, a: x[0].flatten(a.get("axis", 1)),
    "Reshape": lambda x, a: x[0].flatten(1),
    "Constant": lambda x, a: torch.from_numpy(
        numpy_helper.to_array(a["value"]).copy()),
}


class Network:
    def __init__(self, path):
        self.graph = onnx.load(path).graph
        self.weights = {
            t.name: torch.from_numpy(numpy_helper.to_array(t).copy())
            for t in self.graph.initializer}

    def __call__(self, x):
        fed = [i for i in self.graph.input if i.name not in self.weights]
        value = dict(self.weights, **{fed[0].name: x})
        for node in self.graph.node:
            if node.op_type == "Softmax":
                return value[node.input[0]]
            y = ROWS[node.op_type]([value[n] for n in node.input if n],
                                   attributes(node))
            value[node.output[0]] = y
        return value[self.graph.output[0].name]

    def shape(self):
        fed = [i for i in self.graph.input if i.name not in self.weights]
        return [d.dim_value
                for d in fed[0].type.tensor_type.shape.dim][1:]


# ---- both ------------------------------------------------------------------

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
    net, t = Network(path), Trainer(library, path, **ours)
    trained = t.names()
    for n in trained:
        net.weights[n].requires_grad_(True)
    optimizer = theirs([net.weights[n] for n in trained])
    with torch.no_grad():
        classes = net(torch.zeros([1] + net.shape())).shape[1]
    worst, first, last = 0.0, None, None
    for x, label in batches(net.shape(), classes):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(torch.from_numpy(x)),
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
    torch.set_num_threads(1)
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
