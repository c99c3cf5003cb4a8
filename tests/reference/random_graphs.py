# Graphs of random shapes and operators, in Graft and in ONNX Runtime: every
# way of convolution, what passes make of graphs, channels that fill blocks
# and that do not, any instruction set, batch and number of threads.
#   random_graphs.py LIBGRAFT.SO FOLDER [COUNT [FIRST_SEED]]
# A graph that differs stays in FOLDER. Prints one ok or not ok line.
# SPDX-License-Identifier: Apache-2.0
import os
import random
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "bench"))
from libgraft import Session  # noqa: E402

TOLERANCE = 2e-4  # of the largest number of an output
SIDES = [5, 7, 9, 14, 15, 28, 31, 56]
OUTPUTS = [3, 8, 16, 24, 32, 33, 48, 64, 72, 128]
ACTIVATIONS = ["Relu", "Clip", "Sigmoid", "HardSwish", "HardSigmoid", "Swish",
               "LeakyRelu", "Tanh"]


class Graph:
    """Values are (name, channels, height, width)."""

    def __init__(self, seed):
        self.pick = random.Random(seed)
        self.rng = np.random.default_rng(seed)
        self.nodes, self.params, self.count = [], [], 0
        side = self.pick.choice(SIDES)
        other = side if self.pick.random() < 0.6 else self.pick.choice(SIDES)
        first = self.pick.choice([1, 2, 3, 3, 3, 4, 8, 16, 20])
        self.values = [("x", first, side, other)]

    def name(self):
        self.count += 1
        return f"v{self.count}"

    def param(self, array):
        name = self.name()
        self.params.append(numpy_helper.from_array(array, name))
        return name

    def weights(self, *shape, scale=None):
        fan = np.prod(shape[1:]) if len(shape) > 1 else 1
        scale = scale or 1.4 / np.sqrt(fan)
        numbers = self.rng.standard_normal(shape) * scale
        return self.param(numbers.astype(np.float32))

    def ints(self, *numbers):
        return self.param(np.array(numbers, np.int64))

    def node(self, op, inputs, outputs=1, **attributes):
        names = [self.name() for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    # ---- operators; None: does not fit -----------------------------------

    def conv(self, v):
        x, c, height, width = v
        kernel = self.pick.choice([1, 1, 3, 3, 3, 5, 7])
        kernel = [kernel, kernel if self.pick.random() < 0.85
                  else self.pick.choice([1, 3, 5])]
        stride = self.pick.choice([1, 1, 1, 2])
        apart = self.pick.choice([1, 1, 1, 1, 2])
        group, out = self.groups(c)
        reach = [(k - 1) * apart for k in kernel]
        pad = [r // 2 for r in reach]
        if self.pick.random() < 0.3:
            pad[0] = self.pick.randrange(0, reach[0] // 2 + 1)
        pads = [*pad, pad[0] + (self.pick.random() < 0.1), pad[1]]
        size = [(s + pads[i] + pads[i + 2] - reach[i] - 1) // stride + 1
                for i, s in enumerate((height, width))]
        if min(size) < 1:
            return None
        inputs = [x, self.weights(out, c // group, *kernel)]
        if self.pick.random() < 0.6:
            inputs.append(self.weights(out, scale=0.3))
        return (self.node("Conv", inputs, pads=pads, group=group,
                          strides=[stride] * 2, dilations=[apart] * 2),
                out, *size)

    def groups(self, c):
        kind = self.pick.random()
        if kind < 0.2:
            return c, c
        if kind < 0.3 and c % 16 == 0 and c > 16:
            return c // 16, c
        if kind < 0.36:
            group = self.pick.choice([g for g in range(1, c + 1)
                                      if c % g == 0])
            return group, group * self.pick.choice([1, 2, 3])
        return 1, self.pick.choice(OUTPUTS)

    def activation(self, v):
        op, x = self.pick.choice(ACTIVATIONS), v[0]
        if op == "Clip":
            bounds = [self.pick.choice([0, -1, 0.2]), self.pick.choice([6, 1])]
            y = self.node(op, [x] + [self.param(np.float32(b))
                                     for b in bounds])
        elif op == "Swish":
            pair = [x, self.node("Sigmoid", [x])]
            self.pick.shuffle(pair)
            y = self.node("Mul", pair)
        else:
            y = self.node(op, [x])
        return (y, *v[1:])

    def norm(self, v):
        c = v[1]
        params = [self.weights(c, scale=0.5) for _ in range(3)]
        params.append(self.param((self.rng.random(c) + 0.5)
                                 .astype(np.float32)))
        return (self.node("BatchNormalization", [v[0], *params]), *v[1:])

    def pool(self, v):
        kernel, stride = self.pick.choice([2, 3]), self.pick.choice([1, 2, 2])
        pad = self.pick.choice([0, kernel // 2]) if kernel == 3 else 0
        size = [(s + 2 * pad - kernel) // stride + 1 for s in v[2:]]
        if min(size) < 1:
            return None
        how = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2,
               "pads": [pad] * 4}
        if self.pick.random() < 0.5:
            y = self.node("MaxPool", [v[0]], **how)
        else:
            y = self.node("AveragePool", [v[0]], **how,
                          count_include_pad=self.pick.choice([0, 1]))
        return (y, v[1], *size)

    def arithmetic(self, v):
        other = self.pick.choice([u for u in self.values if u[1:] == v[1:]])
        op = self.pick.choice(["Add", "Add", "Sub", "Mul"])
        return (self.node(op, [v[0], other[0]]), *v[1:])

    def squeeze_excite(self, v):
        x, c = v[:2]
        few = max(1, c // 4)
        s = self.node("GlobalAveragePool", [x])
        s = self.node("Relu", [self.node("Conv", [s, self.weights(few, c, 1,
                                                                  1)])])
        s = self.node("Conv", [s, self.weights(c, few, 1, 1)])
        pair = [x, self.node("Sigmoid", [s])]
        self.pick.shuffle(pair)
        return (self.node("Mul", pair), *v[1:])

    def concat(self, v):
        alike = [u for u in self.values if u[2:] == v[2:]]
        parts = [v] + self.pick.choices(alike, k=self.pick.randrange(1, 4))
        channels = sum(u[1] for u in parts)
        if channels > 300:
            return None
        return (self.node("Concat", [u[0] for u in parts], axis=1), channels,
                *v[2:])

    def split(self, v):
        c, parts = v[1], self.pick.choice([2, 3])
        unit = 16 if self.pick.random() < 0.5 and c > 16 * parts else 1
        ends = range(unit, c, unit)
        if len(ends) < parts - 1:
            return None
        ends = [0, *sorted(self.pick.sample(ends, parts - 1)), c]
        sizes = [b - a for a, b in zip(ends, ends[1:])]
        names = self.node("Split", [v[0], self.ints(*sizes)], parts, axis=1)
        made = [(y, n, *v[2:]) for y, n in zip(names, sizes)]
        self.values += made[:-1]
        return made[-1]

    def shuffle(self, v):
        x, c, height, width = v
        groups = [g for g in range(2, c + 1) if c % g == 0][:6]
        if not groups:
            return None
        g = self.pick.choice(groups)
        y = self.node("Reshape", [x, self.ints(0, g, c // g, height, width)])
        y = self.node("Transpose", [y], perm=[0, 2, 1, 3, 4])
        return (self.node("Reshape", [y, self.ints(0, c, height, width)]),
                *v[1:])

    def slice(self, v):
        if v[1] < 2:
            return None
        start = self.pick.randrange(0, v[1] - 1)
        end = self.pick.randrange(start + 1, v[1] + 1)
        return (self.node("Slice", [v[0], self.ints(start), self.ints(end),
                                    self.ints(1)]), end - start, *v[2:])

    # ---- the whole ------------------------------------------------------

    def grow(self):
        ways = ([self.conv] * 7 + [self.activation] * 4 + [self.norm] * 2 +
                [self.arithmetic] * 3 + [self.concat] * 2 +
                [self.pool, self.squeeze_excite, self.split, self.shuffle,
                 self.slice])
        for _ in range(self.pick.randrange(3, 16)):
            v = self.pick.choice(ways)(self.pick.choice(self.values[-4:]))
            if v:
                self.values.append(v)
        if len(self.values) == 1:
            self.values.append(self.norm(self.values[0]))
        outputs = {self.values[-1]}
        if self.pick.random() < 0.3:
            outputs.add(self.pick.choice(self.values[1:]))
        return self.model(sorted(outputs))

    def model(self, outputs):
        def info(v):
            return helper.make_tensor_value_info(v[0], TensorProto.FLOAT,
                                                 ["n", *v[1:]])
        graph = helper.make_graph(self.nodes, "random",
                                  [info(self.values[0])],
                                  [info(v) for v in outputs], self.params)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def difference(library, file, seed):
    graph = Graph(seed)
    onnx.save(graph.grow(), file)
    batch = graph.pick.choice([1, 2, 3, 5])
    x = graph.rng.standard_normal((batch, *graph.values[0][1:]))
    x = x.astype(np.float32)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    theirs = ort.InferenceSession(file, options).run(None, {"x": x})
    isa = graph.pick.choice([None, None, "avx2", "generic"])
    try:
        session = Session(library, file, x, graph.pick.choice([1, 2, 3]),
                          isa=isa)
    except RuntimeError:
        if not isa:
            raise
        session = Session(library, file, x, 1)  # not an instruction set here
    worst = 0.0
    for a, b in zip(theirs, session.run(x)):
        largest = max(float(np.abs(a).max()), 1e-20)
        apart = float(np.abs(a - b).max()) / largest
        worst = apart if not apart <= worst else worst  # NaN too
    return worst


def main(library, folder, count=300, first=0):
    os.makedirs(folder, exist_ok=True)
    worst, bad = 0.0, []
    for seed in range(int(first), int(first) + int(count)):
        file = os.path.join(folder, f"{seed}.onnx")
        apart = difference(library, file, seed)
        worst = max(worst, apart)
        if apart <= TOLERANCE:
            os.remove(file)
        else:
            bad.append(f"{file} ({apart:.1e})")
    print(f"{'not ok' if bad else 'ok'} - {count} random graphs agree with "
          f"ONNX Runtime, worst {worst:.1e} of the largest number"
          + "".join(f"\n    {b}" for b in bad))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
