# torchvision's networks with random numbers in every tensor, as ONNX files
# and as gradients of PyTorch in float64 and float32.
# SPDX-License-Identifier: Apache-2.0
import copy
import logging
import warnings

import torch
import torchvision.models as zoo
from torch.overrides import TorchFunctionMode

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

# name: how torchvision calls it, side of the picture
NETWORKS = {
    "resnet18": ("resnet18", 112),
    "mobilenetv2": ("mobilenet_v2", 96),
    "mobilenetv3_small": ("mobilenet_v3_small", 112),
    "efficientnet_b0": ("efficientnet_b0", 96),
    "densenet121": ("densenet121", 96),
    "squeezenet": ("squeezenet1_1", 112),
    "regnetx_400mf": ("regnet_x_400mf", 112),
    "shufflenetv2": ("shufflenet_v2_x1_0", 112),
}
BATCH = 3
CLASSES = 40

# Where the derivative jumps. Smooth activations are not in here.
KINKS = {"relu": (0,), "relu_": (0,), "relu6": (0, 6), "hardtanh": (0, 6),
         "hardswish": (-3, 3), "hardsigmoid": (-3, 3)}
APART = 1e-5  # of the rms: the two largest numbers that MaxPool sees


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
        self.generator, self.bias, self.apart = generator, None, True

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
            self.look(args[0])
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

    def look(self, x):
        """Two numbers of a window that are nearly equal: another picture."""
        padded = torch.nn.functional.pad(x, (1, 1, 1, 1), value=-1e9)
        windows = padded.unfold(2, 3, 2).unfold(3, 3, 2).flatten(4)
        two = windows.topk(2).values
        gap = (two[..., 0] - two[..., 1])[two[..., 0] > 0]
        self.apart &= bool(gap.min() > APART * x.square().mean().sqrt())


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


def _gradients(net, x, dy):
    x = x.clone().requires_grad_(True)
    net.zero_grad()
    net(x).backward(dy)
    found = {n: p.grad.double().numpy() for n, p in net.named_parameters()}
    return {"x": x.grad.double().numpy(), **found}


class Case:
    """A network, its file, picture and seed of the gradient, and PyTorch's
    gradients by name of the initializer, in float64 and in float32."""

    def __init__(self, name, path):
        self.name, self.float_error = name, {}
        theirs, side = NETWORKS[name]
        generator = torch.Generator().manual_seed(len(name))
        net = getattr(zoo, theirs)(weights=None, num_classes=CLASSES).eval()
        with torch.no_grad():
            _randomise(net, generator)
            net = net.double()
            self.picture(net, side, generator)
        self.parameters = [n for n, _ in net.named_parameters()]
        dy = torch.randn(BATCH, CLASSES, generator=generator)
        self.dy = dy.numpy()
        x = torch.from_numpy(self.x)
        self.exact = _gradients(net, x.double(), dy.double())
        net = copy.deepcopy(net).float()
        self.float = _gradients(net, x, dy)
        _write(net, x, path)

    def picture(self, net, side, generator):
        start = copy.deepcopy(net.state_dict())
        for _ in range(50):
            x = torch.randn(BATCH, 3, side, side, generator=generator)
            net.load_state_dict(start)
            with Settle(generator) as settle:
                net(x.double())
            if settle.apart:
                self.x = x.numpy()
                return
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
