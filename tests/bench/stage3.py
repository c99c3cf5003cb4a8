# Writes ResNet-50 up to stage 3 (torchvision's, random weights) as an ONNX
# file with a free batch: the network that `make bench` times.
#   stage3.py OUT.onnx
# SPDX-License-Identifier: Apache-2.0
import sys

import torch
import torchvision

torch.manual_seed(1)
whole = torchvision.models.resnet50(weights=None).eval()
net = torch.nn.Sequential(*list(whole.children())[:7])
batch = torch.export.Dim("batch")
torch.onnx.export(net, (torch.zeros(2, 3, 224, 224),), sys.argv[1],
                  external_data=False, dynamic_shapes=({0: batch},))
