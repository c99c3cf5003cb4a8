# What is to be reached: a ratio in one run. Data only; a bar that is missed
# is shown, it fails nothing.
# SPDX-License-Identifier: Apache-2.0
from collections import namedtuple

# `job model batch threads` name a figure; the ratio is what `top` has there
# over what `bottom` has (seconds or bytes; bottom None: top alone). `most`:
# the bar is the most allowed, otherwise the least.
Bar = namedtuple("Bar", "text job model batch threads top bottom bar most",
                 defaults=(False,))


def _forward(text, model, peer, bar, batch=32):
    job = "models" if batch == 32 else "batch1"
    return Bar(text, job, model, batch, 2, peer, "graft", bar)


def _threads(text, model, bar):
    return Bar(text + ", 1 to 2 threads", "threads", model, 32, 0,
               "1 thread", "2 threads", bar)


def _isa(text, model):
    return Bar(text + ", AVX2 / AVX-512", "isa", model, 32, 2,
               "avx512", "avx2", 0.75)


def _memory(text, model):
    return Bar(text + " memory / ONNX Runtime's", "memory", model, 32, 2,
               "graft", "ort", 1.0, True)


def _step(text, model, bar):
    return Bar(text + ", training step / best PyTorch", "step", model, 32, 2,
               "torch", "graft", bar)


def _step_memory(text, model, bar):
    return Bar(text + ", memory of a step / PyTorch's", "step_memory", model,
               32, 2, "graft", "channels_last", bar, True)


# Where the last stage of a network begins in our file of it, and how its
# parameters' names do.
LAST_STAGE = {"resnet18": {"trained": "layer4.", "crossing": "relu_12"}}

BARS = [
    _forward("ResNet-18 / ONNX Runtime", "resnet18", "ort", 2.5),
    _forward("ResNet-18 / best PyTorch", "resnet18", "torch", 2.5),
    _forward("ResNet-50 / ONNX Runtime", "resnet50", "ort", 1.45),
    _forward("MobileNetV2 / ONNX Runtime", "mobilenetv2", "ort", 1.35),
    _forward("VGG-11 / ONNX Runtime", "vgg11", "ort", 2.2),
    _forward("SqueezeNet 1.1 / ONNX Runtime", "squeezenet", "ort", 1.3),
    _forward("EfficientNet-B0 / ONNX Runtime", "efficientnet_b0", "ort", 1.3),
    _forward("ShuffleNetV2 1.0 / ONNX Runtime", "shufflenetv2", "ort", 1.3),
    _forward("DenseNet-121 / ONNX Runtime", "densenet121", "ort", 1.2),
    _forward("MobileNetV3-small / ONNX Runtime", "mobilenetv3_small", "ort",
             1.2),
    _forward("RegNetX-400MF / ONNX Runtime", "regnetx_400mf", "ort", 1.2),
    _forward("ResNet-18, batch 1 / ONNX Runtime", "resnet18", "ort", 2.0, 1),
    _forward("ResNet-50, batch 1 / ONNX Runtime", "resnet50", "ort", 1.3, 1),
    _forward("MobileNetV2, batch 1 / ONNX Runtime", "mobilenetv2", "ort",
             1.2, 1),
    _threads("ResNet-18", "resnet18", 1.85),
    _threads("ResNet-50", "resnet50", 1.85),
    _threads("MobileNetV2", "mobilenetv2", 1.5),
    _isa("ResNet-18", "resnet18"),
    _isa("ResNet-50", "resnet50"),
    _isa("MobileNetV2", "mobilenetv2"),
    _memory("ResNet-18", "resnet18"),
    _memory("ResNet-50", "resnet50"),
    _memory("MobileNetV2", "mobilenetv2"),
    _step("ResNet-18", "resnet18", 2.3),
    _step("ResNet-50", "resnet50", 1.8),
    _step("MobileNetV2", "mobilenetv2", 2.5),
    Bar("ResNet-18, last stage from the cache / best PyTorch", "last_stage",
        "resnet18", 32, 2, "torch", "graft", 5.0),
    _step_memory("ResNet-18", "resnet18", 0.7),
    _step_memory("MobileNetV2", "mobilenetv2", 0.3),
    Bar("1,000 photos of 1 Mpx / Pillow + ONNX Runtime", "photos", "1 Mpx",
        32, 2, "pillow", "graft", 1.8),
    Bar("200 photos of 12 Mpx / Pillow + ONNX Runtime", "photos", "12 Mpx",
        32, 2, "pillow", "graft", 1.3),
    Bar("graft train, hymenoptera / PyTorch + scikit-learn", "train",
        "hymenoptera", 32, 2, "sklearn", "graft", 2.0),
    Bar("graft train --unfreeze last-stage, hymenoptera / PyTorch", "tune",
        "hymenoptera", 32, 2, "usual", "graft", 2.0),
    Bar("same bits for 1, 2, 3, 7 threads", "same", "threads", 5, 0, "all",
        None, 1),
    Bar("a photo alone as in a batch", "same", "alone", 5, 0, "all", None,
        1),
]


def ratio(bar, figures):
    """What a run gives for a bar; None: it was not measured."""
    for f in figures:
        if (f.job, f.model, f.batch, f.threads) != bar[1:5]:
            continue
        top = f.middle(bar.top)
        bottom = f.middle(bar.bottom) if bar.bottom else 1.0
        return top / bottom if top is not None and bottom else None
    return None


def met(bar, value):
    return value <= bar.bar if bar.most else value >= bar.bar
