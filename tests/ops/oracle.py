"""Prints the numbers that tests of gradients at kinks hold, as PyTorch gives
them: python tests/ops/oracle.py. PyTorch 2.15 differs from 1.13, whose
conventions we keep, at the bounds of clamp (0 there, 1 here) and for hardswish
at -3 and 3 (0 and 1 there, -0.5 and 1.5 here).
SPDX-License-Identifier: Apache-2.0"""
import torch
import torch.nn.functional as F


def show(name, fn, *xs):
    xs = [torch.tensor(x, dtype=torch.double, requires_grad=True) for x in xs]
    y = fn(*xs)
    dy = torch.arange(1, y.numel() + 1, dtype=torch.double).reshape(y.shape)
    y.backward(dy)
    print(name, "y", y.detach().flatten().tolist())
    for i, x in enumerate(xs):
        print("  d%d" % i, x.grad.flatten().tolist())


show("maxpool 3x3/2, pad 1, ceil: ties",
     lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
     [[[[0, 1, 1, 0, 2], [1, 0, 1, 2, 2], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0]]]])
for include in (False, True):
    show("avgpool 3x2/2, pad 1, ceil, count_include_pad %d" % include,
         lambda x: F.avg_pool2d(x, (3, 2), 2, 1, True, include),
         [[[[0.0] * 4] * 4]])
show("maximum: ties", torch.maximum, [1.0, 2, 3], [1.0, 3, 2])
show("minimum: ties", torch.minimum, [1.0, 2, 3], [1.0, 3, 2])
show("amax of three", lambda x: x.amax(0), [[1.0, 5, 2], [1, 5, 3], [1, 4, 3]])
show("where", lambda a, b: torch.where(torch.tensor([True, False]), a, b),
     [1.0, 2], [3.0, 4])
show("pow", lambda a, b: a ** b, [0.0, 0, 2, 0.5], [0.0, 2, 3, -1])
show("floor", torch.floor, [0.5, 1.0])
show("relu", F.relu, [-1.0, 0, 1])
show("relu6", F.relu6, [-1.0, 0, 3, 6, 7])
show("clamp(-1, 1)", lambda x: x.clamp(-1, 1), [-2.0, -1, 0, 1, 2])
show("hardswish", F.hardswish, [-3.5, -3.0, 0, 3, 3.5])
show("hardsigmoid", F.hardsigmoid, [-3.5, -3.0, 0, 3, 3.5])
show("leaky_relu(0.25)", lambda x: F.leaky_relu(x, 0.25), [-1.0, 0, 1])
show("abs", torch.abs, [-1.0, 0, 1])
