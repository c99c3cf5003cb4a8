# make proof with normalisations by the batch: gradients and the running
# statistics that follow, with all of a network trained and from its middle on
# (what lies before keeps the file's statistics); then some steps of training.
# Running statistics are held against ONNX's rule (network.Running).
# SPDX-License-Identifier: Apache-2.0
import copy
import os

import numpy as np
import torch
import torch.nn.functional as F

import graft
import network

NETWORKS = ("resnet18", "mobilenetv2")
RATE = 1e-5  # with more, any two float32 grow apart within few steps
# What PyTorch's float32 counts as where it is nearer to float64: losses are
# few numbers, and now and then one of the maps crosses a kink.
FLOOR = 1e-5


class Steps:
    """Training by PyTorch in one precision: losses before each step and, of
    the last batch, by running statistics; these after each step; and by how
    much each parameter has changed."""

    def __init__(self, case, labels, dtype):
        net = copy.deepcopy(case.net).to(dtype)
        params = dict(net.named_parameters())
        start = {n: p.detach().double().clone() for n, p in params.items()}
        running, rows, self.loss = network.Running(net), [], []
        optimizer = torch.optim.SGD(params.values(), RATE, 0.9,
                                    weight_decay=1e-4)
        xs = torch.from_numpy(case.x).to(dtype)
        for x, label in zip(xs.split(case.batch), labels.split(case.batch)):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), label)
            loss.backward()
            optimizer.step()
            self.loss.append(loss.item())
            rows.append(dict(running.onnx))
        self.running = {n: torch.stack([r[n] for r in rows]).numpy()
                        for n in rows[0]}
        self.change = {n: (p.detach().double() - start[n]).numpy().ravel()
                       for n, p in params.items()}
        net.load_state_dict(running.onnx, strict=False)
        with torch.no_grad():
            self.loss.append(F.cross_entropy(net.eval()(x), label).item())


class OurSteps:
    """The same by Graft."""

    def __init__(self, ours, exact, way, threads=2):
        case = ours.case
        lines, data = ours.run("training", ["x", "labels", str(RATE)],
                               case.parameters, way, threads)
        self.loss = [float(w[1]) for w in lines if w[0] == "loss"]
        names = [n for w in lines if w[0] == "norm" for n in w[1:3]]
        stats = [exact.running[n].shape[1] for n in names]
        sizes = [exact.change[n].size for n in case.parameters]
        n = (len(self.loss) - 1) * sum(stats)
        self.numbers = graft.reals(data, n + sum(sizes))
        rows = self.numbers[:n].reshape(-1, sum(stats))
        self.running = dict(zip(names, np.split(
            rows, np.cumsum(stats)[:-1], 1)))
        start = dict(case.net.named_parameters())
        self.change = {
            k: p - start[k].detach().numpy().ravel() for k, p in
            zip(case.parameters, np.split(self.numbers[n:],
                                          np.cumsum(sizes)[:-1]))}


def apart(found, exact):
    """Relative distances: of the loss that is farthest off, the statistic
    that is, and of all that the steps changed."""
    loss = np.abs(np.array(found.loss) / exact.loss - 1).max()
    stats = max(network.error(found.running[n], exact.running[n])
                for n in exact.running)
    flat = [np.concatenate([s.change[n] for n in exact.change])
            for s in (found, exact)]
    return np.array([loss, stats, network.error(*flat)])


def train(ours):
    """Some steps, beside PyTorch's in float64 and float32."""
    case = ours.case
    labels = torch.randint(network.CLASSES, (len(case.x),),
                           generator=torch.Generator().manual_seed(2))
    ours.give(labels=labels.numpy())
    exact = Steps(case, labels, torch.float64)
    theirs = apart(Steps(case, labels, torch.float32), exact)
    print(f"{case.name:18} {len(exact.loss) - 1} steps: losses, running "
          "statistics, changed parameters apart by")
    print(f"{'':18} PyTorch's float32 {theirs}")
    good = True
    for way, limit in graft.LIMIT.items():
        both = [OurSteps(ours, exact, way, threads) for threads in (1, 3)]
        found = apart(both[0], exact)
        fine = (found <= limit * np.maximum(theirs, FLOOR)).all() and \
            np.array_equal(both[0].numbers, both[1].numbers)
        print(f"{'':18} {way:17} {found}" + ("" if fine else "  NOT OK"),
              flush=True)
        good &= fine
    return good


def prove(build, folder, name):
    np.set_printoptions(formatter={"float": "{:9.2g}".format})
    path, good = os.path.join(folder, name + ".onnx"), True
    for part in (0.5, 1.0):
        case = network.Case(name, path, trained=part)
        ours = graft.Graft(build, folder, case, "batchnorm")
        names = (["x"] if part == 1 else []) + case.trained
        fine, _, _ = graft.one_point(ours, "batch, " + case.stage, names)
        good &= fine
    return good and graft.same_bits(ours, names) and train(ours)
