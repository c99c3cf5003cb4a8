#!/usr/bin/env bash
# graft export --batch-size, --float16: what is said, what is written, what is
# refused.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
photo=$(find "$PICTURES/val" -name '*.jpg' | sort | head -n 1)
cd "$T" || exit 1

for n in 0 -1 4097 1x dynamical '' 99999999999999999999; do
    fails_in_one_line "--batch-size '$n' is refused" 2 'batch-size' \
        export a -o b --batch-size "$n"
done
fails_in_one_line '--batch is not --batch-size' 2 "own batch is --batch-size" \
    export a -o b --batch 4
fails_in_one_line 'photos for nothing' 2 'neither is given' \
    export a -o b --photos c
fails_in_one_line 'pixels without photos' 2 'only with --photos' \
    export a -o b --float16 --preprocess tf

# From a symbol to a number and back.
gives 'a batch of its own' 0 '^batch     4, was dynamic; ' \
    export "$MINI" -o four.onnx --batch-size 4
gives 'is what the file says' 0 '^input .*\[4,3,64,64\]$' inspect four.onnx
gives 'a second time is nothing new' 0 '^batch     4, as it was$' \
    export four.onnx -o four2.onnx --batch-size 4
true_that 'to the byte' cmp four.onnx four2.onnx
gives 'export keeps the form' 0 'written' export four.onnx -o four3.onnx
true_that 'of the file' cmp four.onnx four3.onnx
gives 'and back' 0 '^batch     dynamic, was 4; ' \
    export four.onnx -o any.onnx --batch-size dynamic
gives 'is fixed no more' 0 '^input .*\[[^0-9]+,3,64,64\]$' \
    inspect any.onnx

# A fixed batch is no hindrance, and stays.
gives 'training with a fixed batch' 0 'accuracy' \
    train four.onnx "$PICTURES" -o fixed.onnx
gives 'keeps it in the classifier' 0 '^input .*\[4,3,64,64\]$' inspect fixed.onnx
gives 'training with any batch' 0 'accuracy' \
    train any.onnx "$PICTURES" -o free.onnx
"$GRAFT" predict fixed.onnx "$PICTURES/val" >fixed.txt
"$GRAFT" predict free.onnx "$PICTURES/val" >free.txt
true_that 'gives the same answers' cmp fixed.txt free.txt
gives 'a classifier is freed with its card' 0 'written' \
    export fixed.onnx -o freed.onnx --batch-size dynamic
gives 'and is still what it claims' 0 'verified' verify freed.onnx "$PICTURES"
gives 'no answer moves' 0 'answers up to 0 apart, on average 0 ' \
    export fixed.onnx -o freed2.onnx --batch-size dynamic \
    --photos "$PICTURES/val"
true_that 'and measuring changes no byte' cmp freed.onnx freed2.onnx

# Smaller weights.
gives 'float16 unmeasured' 0 '^measured  no: ' \
    export free.onnx -o half.onnx --float16
true_that 'says what it did' \
    grep -Eq '^float16   [0-9]+ tensors, .* instead of ' out
true_that 'is near half the size' test "$(stat -c %s half.onnx)" -lt \
    $(($(stat -c %s free.onnx) * 6 / 10))
gives 'float16 measured' 0 '^measured  on 24 photos: answers up to 0\.0' \
    export free.onnx -o half2.onnx --float16 --photos "$PICTURES/val"
true_that 'names what is another class now' \
    grep -Eq '^          (none|[0-9]+) of them with another best class' out
true_that 'measuring changes no byte' cmp half.onnx half2.onnx
gives 'one photo will do' 0 '^measured  on 1 photo: ' \
    export free.onnx -o half3.onnx --float16 --photos "$photo"
gives 'it is still a classifier' 0 'verified' verify half.onnx "$PICTURES"
gives 'nothing is left to do' 0 '^float16   no tensor changed' \
    export half.onnx -o again.onnx --float16
true_that 'and nothing is done' cmp half.onnx again.onnx
fails_in_one_line 'photos that are not there' 1 'nowhere' \
    export free.onnx -o none.onnx --float16 --photos nowhere
mkdir empty
fails_in_one_line 'a folder without photos' 1 'empty' \
    export free.onnx -o none.onnx --float16 --photos empty
true_that 'then nothing is written' test ! -e none.onnx

# What is refused is refused by name, and nothing is written.
LC_ALL=C sed 's/Conv/Cnov/g' "$MINI" >unknown.onnx
fails_in_one_line 'a node that may need its batch' 1 \
    'batch cannot be set: .*operator Cnov' \
    export unknown.onnx -o none.onnx --batch-size 2
gives 'its weights may be halved all the same' 0 'written' \
    export unknown.onnx -o unknown16.onnx --float16
fails_in_one_line 'but not measured' 1 'cannot be computed|Cnov' \
    export unknown.onnx -o none.onnx --float16 --photos "$photo"
true_that 'nothing is written' test ! -e none.onnx

cd "$TOP" || exit 1
E=$SHARED/models/external
if shared models/external/yolox_nano_coco_416.onnx; then
    fails_in_one_line 'YOLOX: the node is named' 1 \
        "batch is fixed at 1: node 'Resize_201'" \
        export "$E/yolox_nano_coco_416.onnx" -o "$T/y.onnx" \
        --batch-size dynamic
    gives "SqueezeNet as PyTorch writes it" 0 \
        '^batch     dynamic, was 1; 1 constant ' \
        export "$E/squeezenet_torch215.onnx" -o "$T/s.onnx" \
        --batch-size dynamic
else
    skip 'real models of a fixed batch' 'no ../shared'
fi
finish
