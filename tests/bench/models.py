# The networks that are timed: torchvision's, with random weights, up to the
# pooled features (the classifier is left out: a new head takes its place).
#   models.py FOLDER NAME...    writes FOLDER/NAME.onnx where it is missing
# SPDX-License-Identifier: Apache-2.0
import os
import sys

import torch
import torchvision.models as zoo
from torch import nn

from peers import picture


def _drop(attribute):
    def cut(net):
        setattr(net, attribute, nn.Identity())
        return net
    return cut


def _squeezenet(net):  # its classifier is a convolution, pooled afterwards
    return nn.Sequential(net.features, nn.AdaptiveAvgPool2d(1), nn.Flatten())


# name: how torchvision calls it, how the classifier is left out
NETWORKS = {
    "resnet18": ("resnet18", _drop("fc")),
    "resnet50": ("resnet50", _drop("fc")),
    "mobilenetv2": ("mobilenet_v2", _drop("classifier")),
    "vgg11": ("vgg11", _drop("classifier")),
    "squeezenet": ("squeezenet1_1", _squeezenet),
    "efficientnet_b0": ("efficientnet_b0", _drop("classifier")),
    "shufflenetv2": ("shufflenet_v2_x1_0", _drop("fc")),
    "densenet121": ("densenet121", _drop("classifier")),
    "mobilenetv3_small": ("mobilenet_v3_small", _drop("classifier")),
    "regnetx_400mf": ("regnet_x_400mf", _drop("fc")),
}


def _settle(net):
    """Gives every normalisation the statistics of what really reaches it, so
    that activations keep their size however deep the network is."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for m in norms:
        nn.init.uniform_(m.weight, 0.7, 1.3)
        nn.init.normal_(m.bias, 0.0, 0.2)
        m.reset_running_stats()
        m.momentum = None  # plain mean over the batches below
        m.train()  # alone: nothing may be dropped at random meanwhile
    with torch.no_grad():
        for seed in range(2 if norms else 0):
            net(torch.from_numpy(picture(8, seed)))
    return net.eval()


def build(name):
    """The same network, weights included, in every process."""
    theirs, without_classifier = NETWORKS[name]
    torch.manual_seed(1)
    net = without_classifier(getattr(zoo, theirs)(weights=None))
    for p in net.parameters():
        p.requires_grad_(False)
    return _settle(net.eval())


def path(folder, name):
    return os.path.join(folder, name + ".onnx")


def write(folder, name):
    file = path(folder, name)
    if os.path.exists(file):
        return file
    os.makedirs(folder, exist_ok=True)
    batch = torch.export.Dim("batch")
    torch.onnx.export(build(name), (torch.from_numpy(picture(2)),), file + ".new",
                      external_data=False, dynamic_shapes=({0: batch},),
                      verbose=False)
    os.replace(file + ".new", file)
    return file


if __name__ == "__main__":
    for each in sys.argv[2:]:
        write(sys.argv[1], each)
