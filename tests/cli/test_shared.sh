#!/usr/bin/env bash
# Real models and real photos, where ../shared has them: the figures that the
# README states.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! shared models/mobilenetv2_imagenet_gemm.onnx || ! shared data/cat_tiger ||
    [ -n "${SANITIZED:-}" ]; then
    skip 'real models and photos' 'no ../shared, or under a sanitizer'
    finish
fi
M=$SHARED/models
D=$SHARED/data

at_least() # claim, least, total
{
    local got
    got=$(sed -n 's/^accuracy *\([0-9]*\) of \([0-9]*\) .*/\1 \2/p' "$T/out")
    true_that "$1: ${got% *} of ${got#* }, $2 or more of $3" \
        test "${got#* }" = "$3" -a "${got% *}" -ge "$2"
}
learns() # claim, least, total, train arguments...
{
    local claim=$1 least=$2 total=$3
    shift 3
    graft train "$@"
    if [ "$code" != 0 ]; then
        not_ok "$claim"
        details
    else
        at_least "$claim" "$least" "$total"
    fi
}
learns 'cat_tiger, MobileNetV2' 58 59 "$M/mobilenetv2_imagenet_gemm.onnx" \
    "$D/cat_tiger" --preprocess tf -o "$T/mnv2.onnx"
gives 'verify' 0 'verified' verify "$T/mnv2.onnx" "$D/cat_tiger"
learns 'cat_tiger, SqueezeNet' 56 59 "$M/squeezenet1.1_imagenet.onnx" \
    "$D/cat_tiger" -o "$T/squeeze.onnx"
gives 'verify' 0 'verified' verify "$T/squeeze.onnx" "$D/cat_tiger"
learns 'cat_tiger, SqueezeNet as PyTorch writes it' 56 59 \
    "$M/external/squeezenet_torch215.onnx" "$D/cat_tiger" -o "$T/torch.onnx"
gives 'verify' 0 'verified' verify "$T/torch.onnx" "$D/cat_tiger"
learns 'cat_tiger, ResNet-50v2 stage 3' 56 59 \
    "$M/resnet50v2_stage3_backbone.onnx" "$D/cat_tiger" -o "$T/r50.onnx"
learns 'hymenoptera, MobileNetV2' 143 153 \
    "$M/mobilenetv2_imagenet_gemm.onnx" "$D/hymenoptera_data" --preprocess tf \
    -o "$T/hym.onnx"
true_that 'the placeholder GIF is named' grep -q 'imageNotFound.gif' "$T/out"
start=$(date +%s%N)
graft train "$M/mobilenetv2_imagenet_gemm.onnx" "$D/hymenoptera_data" \
    --preprocess tf
took=$((($(date +%s%N) - start) / 1000000))
true_that "hymenoptera, warm: $took ms, under 1500 even on a busy machine" \
    test "$code" = 0 -a $took -lt 1500
true_that 'no photo was opened' grep -q 'no photo was opened' "$T/out"
finish
