# torchvision's networks with random numbers in every tensor, as ONNX files
# and as gradients of PyTorch in float64 and float32.
# SPDX-License-Identifier: Apache-2.0
import copy
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
            self.bias = args[4] if len(args) > 4 else kwargs["bias"]
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


def _gradients(net, xs, dys):
    """By name, a row for each batch."""
    found = []
    for x, dy in zip(xs.split(BATCH), dys.split(BATCH)):
        x = x.clone().requires_grad_(True)
        net.zero_grad()
        net(x).backward(dy)
        grad = {"x": x.grad, **{n: p.grad for n, p in net.named_parameters()}}
        found.append({n: g.double().flatten() for n, g in grad.items()})
    return {n: torch.stack([f[n] for f in found]).numpy() for n in found[0]}


class Case:
    """A network, its file, pictures and seeds of the gradient, and by name of
    the initializer PyTorch's gradients in float64 and its error in float32."""

    def __init__(self, name, path, seed=1):
        self.name, self.batch = name, BATCH
        generator = torch.Generator().manual_seed(seed)
        net = getattr(zoo, NETWORKS[name])(weights=None, num_classes=CLASSES)
        net.eval()
        with torch.no_grad():
            _randomise(net, generator)
            net = net.double()
            x = self.pictures(net, generator)
        dy = torch.randn(len(x), CLASSES, generator=generator)
        self.x, self.dy = x.numpy(), dy.numpy()
        self.parameters = [n for n, _ in net.named_parameters()]
        self.exact = _gradients(net, x.double(), dy.double())
        net = copy.deepcopy(net).float()
        self.float_error = {n: error(g, self.exact[n])
                            for n, g in _gradients(net, x, dy).items()}
        _write(net, x[:BATCH], path)

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

    def stages(self):
        """(stage, index of its first parameter), in order: blocks where the
        network has a list of blocks, else stages."""
        found = []
        for i, name in enumerate(self.parameters):
            parts = name.split(".")[:-1]
            stage = ".".join(parts[:2])
            if not found or found[-1][0] != stage:
                found.append((stage, i))
        return found


def _write(net, x, path):
    """The older exporter: the newer one writes no BatchNormalization but its
    parts, or folds it. `training` keeps the mode of the network, which is
    eval, and thereby the normalisations; names stay PyTorch's."""
    torch.onnx.export(
        net, (x,), path, dynamo=False, opset_version=17, input_names=["x"],
        output_names=["y"], training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False, dynamic_axes={"x": {0: "batch"}})
