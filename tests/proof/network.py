# torchvision's networks with random numbers in every tensor, as ONNX files
# and as gradients of PyTorch in float64 and float32, normalisations by the
# file's statistics or by those of the batch.
# SPDX-License-Identifier: Apache-2.0
import copy
import functools
import logging
import warnings

import numpy as np
import torch
import torchvision.models as zoo
from torch.overrides import TorchFunctionMode

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

NETWORKS = {  # name: how torchvision calls it
    "resnet18": "resnet18",
    "mobilenetv2": "mobilenet_v2",
    "mobilenetv3_small": "mobilenet_v3_small",
    "efficientnet_b0": "efficientnet_b0",
    "densenet121": "densenet121",
    "squeezenet": "squeezenet1_1",
    "regnetx_400mf": "regnet_x_400mf",
    "shufflenetv2": "shufflenet_v2_x1_0",
}
SIDE = 112  # of a picture: maps of 28, 14, 7 as at 224
BATCH = 3
DRAWS = 4  # batches: an error is the rms over all of them
CLASSES = 40

# Where the derivative jumps. Smooth activations are not in here.
KINKS = {"relu": (0,), "relu_": (0,), "relu6": (0, 6), "hardtanh": (0, 6),
         "hardswish": (-3, 3), "hardsigmoid": (-3, 3)}
APART = 2e-6  # of the rms: the two largest numbers that MaxPool sees


def error(found, reference):
    scale = np.sqrt(np.mean(reference ** 2))
    return np.sqrt(np.mean((found - reference) ** 2)) / scale


class Tie(Exception):
    pass


def _as_float32(t, value):
    """In place; the float32 file and the float64 network are the same."""
    t.copy_(value.float())


class Settle(TorchFunctionMode):
    """One forward pass in float64 that gives each normalisation statistics
    near those of what reaches it, and shifts biases until no number lies on a
    kink. There the last bit of a sum decides between two derivatives, in
    PyTorch as in Graft, and says nothing about either."""

    def __init__(self, generator):
        super().__init__()
        self.generator, self.bias = generator, None

    def noise(self, like):
        return torch.randn(like.shape, generator=self.generator).to(like)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.__name__
        if name == "batch_norm":
            self.statistics(*args[:3])
            self.bias = kwargs["bias"]
            if kwargs["training"]:  # each batch by its own statistics
                return torch.cat([func(x, None, None, **kwargs)
                                  for x in args[0].split(BATCH)])
        elif name in ("conv2d", "linear"):
            bias = args[2] if len(args) > 2 else kwargs.get("bias")
            self.bias = bias if bias is not None else self.bias
        elif name in KINKS:
            self.step_aside(args[0], KINKS[name])
        elif name.startswith("max_pool2d"):
            self.look(*args, **kwargs)
        return func(*args, **kwargs)

    def statistics(self, x, mean, var):
        dims = [d for d in range(x.ndim) if d != 1]
        spread = x.var(dims, correction=0) + 1e-3
        _as_float32(mean, x.mean(dims) + 0.2 * self.noise(mean) *
                    spread.sqrt())
        _as_float32(var, spread * (0.3 * self.noise(var)).exp())

    def step_aside(self, x, kinks):
        """The shift of up to 0.2 rms for each channel that leaves the widest
        gap around every kink."""
        rows = x.transpose(0, 1).flatten(1).sort().values.contiguous()
        tries = torch.linspace(-0.2, 0.2, 2001).to(x) * x.square().mean(
            ).sqrt()
        gap = torch.full((rows.shape[0], tries.numel()), torch.inf).to(x)
        for kink in kinks:
            at = (kink - tries).expand_as(gap).contiguous()
            right = torch.searchsorted(rows, at)
            for i in (right - 1, right):
                near = rows.gather(1, i.clamp(0, rows.shape[1] - 1))
                gap = torch.minimum(gap, (near - at).abs())
        old = self.bias.clone()
        _as_float32(self.bias, old + tries[gap.argmax(1)])
        x += (self.bias - old).view(-1, *[1] * (x.ndim - 2))

    def look(self, x, kernel, stride, padding=0, **_):
        """Two numbers of a window that are nearly equal: another picture."""
        near = (padding, padding + kernel) * 2  # beyond: ceil_mode
        padded = torch.nn.functional.pad(x, near, value=-1e9)
        windows = padded.unfold(2, kernel, stride).unfold(3, kernel, stride)
        two = windows.flatten(4).topk(2).values
        gap = (two[..., 0] - two[..., 1])[two[..., 0] > 0]
        if gap.min() < APART * x.square().mean().sqrt():
            raise Tie


def _randomise(net, generator):
    for name, t in net.named_parameters():
        if t.ndim > 1:
            t.normal_(0, (2 / t[0].numel()) ** 0.5, generator=generator)
        elif name.endswith("bias"):
            t.normal_(0, 0.2, generator=generator)
        else:  # scale of a normalisation; a few turn the sign
            t.uniform_(0.5, 1.5, generator=generator)
            t *= 1 - 2 * (torch.rand(t.shape, generator=generator) < 0.1
                          ).float()


class Running:
    """Running statistics of a network's normalisations in training, by
    PyTorch's rule and by ONNX's, whose variances are divided by the count
    where PyTorch divides by one less."""

    def __init__(self, net):
        self.torch, self.onnx, self.count = {}, {}, {}
        for name, m in net.named_modules():
            if isinstance(m, torch.nn.BatchNorm2d) and m.training:
                self.note(name, m, m.running_var.clone())
                m.register_forward_hook(functools.partial(self.after, name))

    def note(self, name, m, onnx):
        for rule, var in ((self.torch, m.running_var), (self.onnx, onnx)):
            rule[name + ".running_mean"] = m.running_mean.double().clone()
            rule[name + ".running_var"] = var.double().clone()

    def after(self, name, m, args, _):
        n = args[0].numel() // args[0].shape[1]
        self.count[name + ".running_mean"] = n
        var, keep = name + ".running_var", 1 - m.momentum
        part = m.running_var.double() - keep * self.torch[var]
        self.note(name, m, keep * self.onnx[var] + part * (n - 1) / n)


def _gradients(net, xs, dys):
    """By name, a row for each batch: gradients, with running statistics by
    ONNX's rule; and those by PyTorch's. And what each is a mean of."""
    net = copy.deepcopy(net).to(xs.dtype)
    found, theirs, running = [], [], Running(net)
    for x, dy in zip(xs.split(BATCH), dys.split(BATCH)):
        x = x.clone().requires_grad_(True)
        net.zero_grad()
        net(x).backward(dy)
        grad = {"x": x.grad, **{n: p.grad for n, p in net.named_parameters()}}
        found.append({n: g.double().flatten() for n, g in grad.items()} |
                     running.onnx)
        theirs.append(dict(running.torch))
    return [{n: torch.stack([f[n] for f in rows]).numpy() for n in rows[0]}
            for rows in (found, theirs)] + [running.count]


def stages(parameters):
    """(stage, index of its first parameter), in order: blocks where the
    network has a list of blocks, else stages."""
    found = []
    for i, name in enumerate(parameters):
        parts = name.split(".")[:-1]
        stage = ".".join(parts[:2])
        if not found or found[-1][0] != stage:
            found.append((stage, i))
    return found


def _train_norms(net, first):
    """Normalisations in training that have or follow that parameter."""
    reached = False
    for path, m in net.named_modules():
        reached |= any(f"{path}.{n}" == first
                       for n, _ in m.named_parameters(recurse=False))
        m.training = reached and isinstance(m, torch.nn.BatchNorm2d)


class Case:
    """A network, its file, pictures and seeds of the gradient, and by name of
    the initializer PyTorch's gradients in float64 and its error in float32;
    running statistics in the same way."""

    def __init__(self, name, path, trained=0.0, seed=1):
        """`trained`: the part of its stages, from the last one, whose
        normalisations are in training."""
        self.name, self.batch = name, BATCH
        generator = torch.Generator().manual_seed(seed)
        net = getattr(zoo, NETWORKS[name])(weights=None, num_classes=CLASSES)
        net.eval()
        self.parameters = [n for n, _ in net.named_parameters()]
        if trained:
            every = stages(self.parameters)
            at = len(every) - round(trained * len(every))
            self.stage, first = every[at]
            self.trained = self.parameters[first:]
            _train_norms(net, self.trained[0])
        with torch.no_grad():
            _randomise(net, generator)
        net = net.double()
        with torch.no_grad():
            x = self.pictures(net, generator)
        dy = torch.randn(len(x), CLASSES, generator=generator)
        self.net, self.x, self.dy = net, x.numpy(), dy.numpy()
        _write(copy.deepcopy(net).float().eval(), x[:BATCH], path)
        self.exact, theirs, self.count = _gradients(net, x.double(),
                                                    dy.double())
        found, running, _ = _gradients(net, x, dy)
        # each by PyTorch's own rule: what its float32 costs, not the rule
        self.float_error = {n: error(running.get(n, g),
                                     theirs.get(n, self.exact[n]))
                            for n, g in found.items()}

    def pictures(self, net, generator):
        start = copy.deepcopy(net.state_dict())
        for _ in range(200):
            x = torch.randn(DRAWS * BATCH, 3, SIDE, SIDE,
                            generator=generator)
            net.load_state_dict(start)
            try:
                with Settle(generator):
                    net(x.double())
            except Tie:
                continue
            return x
        raise RuntimeError(f"{self.name}: no picture without ties")


def _write(net, x, path):
    """The older exporter: the newer one writes no BatchNormalization but its
    parts, or folds it. `training` keeps the mode of the network, which is
    eval, and thereby the normalisations; names stay PyTorch's."""
    torch.onnx.export(
        net, (x,), path, dynamo=False, opset_version=17, input_names=["x"],
        output_names=["y"], training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False, dynamic_axes={"x": {0: "batch"}})
