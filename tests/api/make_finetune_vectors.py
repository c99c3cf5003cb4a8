"""Writes finetune_vectors.h: the losses of 50 steps of PyTorch on a small
network, for each optimizer.

    python tests/api/make_finetune_vectors.py > tests/api/finetune_vectors.h

Weights and pictures are sines, so that a test makes the same ones.
SPDX-License-Identifier: Apache-2.0
"""
import math

import torch

IMAGES, IN, HIDDEN, CLASSES, STEPS = 24, 6, 8, 3, 50


def wave(count, phase, scale):
    return torch.tensor([scale * math.sin(1.7 * i + phase)
                         for i in range(count)], dtype=torch.float32)


def network():
    net = torch.nn.Sequential(torch.nn.Linear(IN, HIDDEN), torch.nn.ReLU(),
                              torch.nn.Linear(HIDDEN, CLASSES))
    with torch.no_grad():
        for k, p in enumerate(net.parameters()):
            p.copy_(wave(p.numel(), k, 0.5).reshape(p.shape))
    return net


def losses(make, smoothing=0.0, clip=0.0):
    net = network()
    optimizer = make(net.parameters())
    x = wave(IMAGES * IN, 0.5, 1.0).reshape(IMAGES, IN)
    label = torch.arange(IMAGES) % CLASSES
    out = []
    for step in range(STEPS):
        rows = torch.arange(12) + 12 * (step % 2)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            net(x[rows]), label[rows], label_smoothing=smoothing)
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
        out.append(loss.item())
    return out


def main():
    runs = {
        "sgd": losses(lambda p: torch.optim.SGD(
            p, lr=0.1, momentum=0.9, weight_decay=1e-3)),
        "nesterov": losses(lambda p: torch.optim.SGD(
            p, lr=0.1, momentum=0.9, nesterov=True), smoothing=0.1),
        "adam": losses(lambda p: torch.optim.Adam(
            p, lr=0.02, weight_decay=1e-2)),
        "adamw": losses(lambda p: torch.optim.AdamW(
            p, lr=0.02, weight_decay=0.1), clip=0.3),
    }
    print("/* Losses of PyTorch, by make_finetune_vectors.py.")
    print(" * SPDX-License-Identifier: Apache-2.0 */")
    for name, values in runs.items():
        print(f"static const double torch_{name}[] = {{")
        for i in range(0, len(values), 5):
            print("    " + " ".join(f"{v:.8g}," for v in values[i:i + 5]))
        print("};")


main()
