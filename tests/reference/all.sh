#!/usr/bin/env bash
# make reference: our files in others' hands. Needs Python with the packages
# that the Makefile pins (VENV). Prints ok / not ok lines and a count.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
PY=${VENV:-build/venv}/bin/python
build=${BUILD:-build}
work=$build/reference
mkdir -p "$work"
pictures || { echo "not ok - pictures are drawn"; exit 1; }
say() { tee -a "$work/log"; }
: >"$work/log"

# compare NAME MODEL PHOTOS JUDGED arguments...
compare()
{
    local name=$1 model=$2 photos=$3 judged=$4
    shift 4
    if ! "$GRAFT" train "$model" "$photos" -o "$work/$name.onnx" -f -q \
        "$@" >"$work/$name.txt"; then
        echo "not ok - $name trains" | say
        return
    fi
    "$PY" tests/reference/compare.py "$GRAFT" "$work/$name.onnx" \
        "$judged" 2>&1 | say
}
features()
{
    "$PY" tests/reference/features.py "$build/reference/features" "$@" 2>&1 |
        say
}
# convert MODEL [PHOTOS]
convert()
{
    "$PY" tests/reference/convert.py "$GRAFT" "$1" "$work/converted" \
        "${@:2}" 2>&1 | say
}
# shellcheck disable=SC2086
${CC:-cc} ${CFLAGS:--O2} -std=c11 -D_GNU_SOURCE= -Iinclude -Isrc -pthread \
    -o "$work/features" tests/reference/features.c "$build/libgraft.a" \
    -lprotobuf-c -lopenblas -ljansson -llbfgs \
    $(pkg-config --libs --silence-errors libturbojpeg) -lm || exit 1

# shellcheck disable=SC2086
${CC:-cc} ${CFLAGS:--O2} -std=c11 -D_GNU_SOURCE= -Iinclude -Isrc -Itests \
    -I"$build/gen" -pthread -o "$work/roundtrip" tests/reference/roundtrip.c \
    tests/support/suite.c "$build/libgraft.a" -lprotobuf-c -lopenblas \
    -ljansson -llbfgs $(pkg-config --libs --silence-errors libturbojpeg) -lm \
    || exit 1
rm -rf "$work/suite"
mkdir -p "$work/suite" "$work/copies"
if "$PY" -W ignore tests/reference/suite.py "$work/suite" \
    2>"$work/suite.log"; then
    { "$work/roundtrip" "$work/copies" "the onnx package's suite" \
        "$work/suite" || [ $? = 1 ] || echo "not ok - round trip ends"; } | say
else
    echo "not ok - the onnx package makes its suite" | say
fi

compare mini "$MINI" "$PICTURES" "$PICTURES/val"
compare mini-two-files "$MINI" "$PICTURES" "$PICTURES/val" --external-data
"$PY" tests/reference/exports.py "$GRAFT" "$PICTURES" "$work/exports" \
    2>>"$work/exports.log" | grep -E '^(not )?ok' | say
"$PY" tests/reference/random_graphs.py "$build/libgraft.so" "$work/random" \
    2>&1 | say
finetune()
{
    "$PY" tests/reference/finetune.py "$build/libgraft.so" "$@" 2>&1 | say
}
finetune "$MINI"
convert "$MINI"
convert "$work/mini.onnx" "$PICTURES/val"
if shared models/mobilenetv2_imagenet_gemm.onnx; then
    M=$SHARED/models
    D=$SHARED/data
    finetune "$M/resnet20_cifar10.onnx"
    compare mobilenetv2 "$M/mobilenetv2_imagenet_gemm.onnx" "$D/cat_tiger" \
        "$D/cat_tiger/val" --preprocess tf
    compare squeezenet "$M/squeezenet1.1_imagenet.onnx" "$D/cat_tiger" \
        "$D/cat_tiger/val"
    compare squeezenet-torch "$M/external/squeezenet_torch215.onnx" \
        "$D/cat_tiger" "$D/cat_tiger/val"
    for model in squeezenet_torch215 resnet20_cifar10_pytorch16 \
        mnist_cnn_cntk; do
        convert "$M/external/$model.onnx"
    done
    convert "$work/mobilenetv2.onnx" "$D/cat_tiger/val"
    convert "$work/squeezenet-torch.onnx" "$D/cat_tiger/val"
    for model in mobilenetv2_imagenet_gemm:tf squeezenet1.1_imagenet:imagenet \
        resnet50v2_stage3_backbone:imagenet; do
        file=$M/${model%:*}.onnx
        cut=$("$GRAFT" inspect "$file" --json |
            sed -n 's/^  "default_cut": "\(.*\)",*$/\1/p')
        features "$file" "$cut" "${model#*:}" "$D/hymenoptera_data/val"
    done
else
    skip 'real models and photos' 'no ../shared' | say
fi
bad=$(grep -c '^not ok' "$work/log")
echo
echo "$(($(grep -c '^ok' "$work/log") - $(grep -c '# SKIP' "$work/log"))) passed, $bad failed, $(grep -c '# SKIP' "$work/log") skipped"
[ "$bad" = 0 ]
