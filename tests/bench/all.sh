#!/usr/bin/env bash
# make bench: a forward pass in Graft, ONNX Runtime and PyTorch eager, in turn
# in one process. The bar: at most 1.5 times PyTorch eager's time.
# SPDX-License-Identifier: Apache-2.0
set -u
PY=${VENV:-build/venv}/bin/python
build=${BUILD:-build}
net=$build/bench/resnet50_stage3.onnx
mkdir -p "$build/bench"
[ -s "$net" ] || "$PY" tests/bench/stage3.py "$net" >"$build/bench/export.log" 2>&1 ||
    { cat "$build/bench/export.log"; exit 1; }
lib=$(cd "$build" && pwd)/libgraft.so
echo "ResNet-50 to stage 3 as torchvision builds it, batch 16, 2 threads"
"$PY" tests/bench/forward.py "$lib" "$net" 16 2
for name in resnet50v2_stage3_backbone mobilenetv2_imagenet_gemm; do
    file=${GRAFT_SHARED:-../shared}/models/$name.onnx
    [ -e "$file" ] || continue
    echo
    echo "$name, batch 16, 2 threads"
    "$PY" tests/bench/forward.py "$lib" "$file" 16 2
done
