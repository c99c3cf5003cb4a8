# PyTorch eager running an ONNX file of plain convolutional operators, so that
# both sides compute the very same network with the very same weights: for the
# benchmarks and for tests/reference/finetune.py.
# SPDX-License-Identifier: Apache-2.0
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper


def _padded(x, attr, value=0.0):
    """The input and symmetric pads; asymmetric ones are applied to it."""
    top, left, bottom, right = attr.get("pads", [0, 0, 0, 0])
    if (top, left) == (bottom, right):
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom), value=value), (0, 0)


def _conv(attr, x, w, b=None):
    x, pad = _padded(x, attr)
    return F.conv2d(x, w, b, attr.get("strides", 1), pad,
                    attr.get("dilations", 1), attr.get("group", 1))


def _max_pool(attr, x):
    x, pad = _padded(x, attr, float("-inf"))
    return F.max_pool2d(x, attr["kernel_shape"], attr.get("strides", 1), pad,
                        ceil_mode=bool(attr.get("ceil_mode", 0)))


def _batch_norm(attr, x, scale, bias, mean, var):
    return F.batch_norm(x, mean, var, scale, bias, False, 0.0,
                        attr.get("epsilon", 1e-5))


def _reduce_mean(attr, x, axes=None):
    axes = attr["axes"] if axes is None else axes.tolist()
    return x.mean(list(axes), keepdim=bool(attr.get("keepdims", 1)))


def _gemm(attr, a, b, bias=None):
    if attr.get("transB"):
        b = b.T
    return a @ b + (0 if bias is None else bias)


OPERATORS = {
    "Conv": _conv, "MaxPool": _max_pool, "BatchNormalization": _batch_norm,
    "Gemm": _gemm, "ReduceMean": _reduce_mean,
    "Relu": lambda attr, x: F.relu(x),
    "Clip": lambda attr, x, lo=None, hi=None: torch.clamp(
        x, attr.get("min", lo), attr.get("max", hi)),
    "Add": lambda attr, a, b: a + b,
    "Mul": lambda attr, a, b: a * b,
    "HardSwish": lambda attr, x: F.hardswish(x),
    "Concat": lambda attr, *xs: torch.cat(xs, attr["axis"]),
    "Dropout": lambda attr, x: x,
    "Identity": lambda attr, x: x,
    "Constant": lambda attr: attr["value"],
    "Softmax": lambda attr, x: x.softmax(attr.get("axis", -1)),
    "GlobalAveragePool": lambda attr, x: x.mean((2, 3), keepdim=True),
    "AveragePool": lambda attr, x: F.avg_pool2d(
        x, attr["kernel_shape"], attr.get("strides", 1)),
    "Flatten": lambda attr, x: x.flatten(attr.get("axis", 1)),
    "Reshape": lambda attr, x, shape: x.flatten(1),  # rows, for any batch
}


def _attributes(node):
    found = {a.name: onnx.helper.get_attribute_value(a)
             for a in node.attribute}
    return {name: torch.from_numpy(numpy_helper.to_array(value).copy())
            if isinstance(value, onnx.TensorProto) else value
            for name, value in found.items()}


def _scores(graph):
    """The first output, or what its Softmax reads."""
    made = {n.output[0]: n for n in graph.node}
    last = made[graph.output[0].name]
    return last.input[0] if last.op_type == "Softmax" else last.output[0]


class Eager:
    """Runs the nodes one by one; module() is the same for tracing. `output`:
    a value's name, None: the model's scores."""

    def __init__(self, path, threads, output=None):
        torch.set_num_threads(threads)
        graph = onnx.load(path).graph
        self.weights = {t.name: torch.from_numpy(
            numpy_helper.to_array(t).copy()) for t in graph.initializer}
        fed = next(i for i in graph.input if i.name not in self.weights)
        self.input = fed.name
        self.shape = [d.dim_value
                      for d in fed.type.tensor_type.shape.dim][1:]
        self.output = output or _scores(graph)
        self.nodes = [(OPERATORS[n.op_type], list(n.input),
                       n.output[0], _attributes(n)) for n in graph.node]

    def _run(self, values, nodes):
        for function, inputs, output, attr in nodes:
            values[output] = function(
                attr, *[values[i] if i else None for i in inputs])
            if output == self.output:
                break
        return values

    def forward(self, x):
        return self._run(self.weights | {self.input: x},
                         self.nodes)[self.output]

    # ---- fine-tuning: the network in two parts ----

    def train(self, names):
        """Gradients for those weights."""
        self.names, reached = names, set(names)
        for name in names:
            self.weights[name].requires_grad_(True)
        for _, inputs, output, _ in self.nodes:
            if reached.intersection(inputs):
                reached.add(output)
        self.late = [n for n in self.nodes if n[2] in reached]
        made = {n[2] for n in self.nodes} - reached
        self.crossing = {i for n in self.late for i in n[1] if i in made}

    def trained(self):
        return [self.weights[name] for name in self.names]

    def frozen(self, inputs):
        """The values that cross from what is frozen into the rest."""
        early = [n for n in self.nodes if n not in self.late]
        values = self._run(self.weights | inputs, early)
        return {name: values[name] for name in self.crossing}

    def after(self, inputs):
        """The output, of the input or of the values that cross."""
        nodes = self.nodes if self.input in inputs else self.late
        return self._run(self.weights | inputs, nodes)[self.output]

    def module(self):
        net = torch.nn.Module()
        net.forward = self.forward
        return net.eval()

    def run(self, x):
        with torch.inference_mode():
            return [self.forward(torch.from_numpy(x)).numpy()]
