#!/usr/bin/env bash
# Things that are no model, or half of one.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
photo=$(find "$PICTURES" -name '*.jpg' | sort | head -n 1)
cd "$T" || exit 1

fails_in_one_line 'no such model' 1 'none.onnx' inspect none.onnx
mkdir folder
fails_in_one_line 'a folder as model' 1 'folder' inspect folder
fails_in_one_line 'MODEL and PHOTOS swapped' 1 '(folder|director)' \
    train "$PICTURES" "$MINI" -o t.onnx
fails_in_one_line 'a JPEG as model' 1 '(JPEG|photo|picture)' inspect "$photo"
: >empty.onnx
fails_in_one_line 'an empty file' 1 'empty' inspect empty.onnx
printf 'hello, this is no model\n' >text.onnx
fails_in_one_line 'a text file' 1 'text.onnx' inspect text.onnx
printf 'PK\003\004\024\000\000\000archive/data.pkl' >net.pt
fails_in_one_line 'PyTorch weights' 1 'PyTorch' inspect net.pt
printf '\034\000\000\000TFL3\000\000\000\000' >net.tflite
fails_in_one_line 'a TensorFlow Lite model' 1 'T(ensor)?F(low|L)' \
    inspect net.tflite
mkfifo fifo.onnx
fails_in_one_line 'a FIFO as model (no waiting)' 1 'fifo.onnx' \
    inspect fifo.onnx
ln -s loop.onnx loop.onnx
fails_in_one_line 'a symbolic link to itself' 1 'loop.onnx' inspect loop.onnx

# Every beginning of a model is refused without a crash; a beginning that is
# a valid message by chance must at least lack its graph.
step=4096
[ -n "${SANITIZED:-}" ] && step=32768
size=$(stat -Lc %s "$MINI")
wrong=
for ((n = step; n < size; n += step)); do
    head -c "$n" "$MINI" >part.onnx
    graft inspect part.onnx
    if [ "$code" != 1 ] || [ "$(wc -l <err)" != 1 ]; then wrong="$wrong $n:$code"; fi
done
true_that "truncated at every $step bytes" test -z "$wrong"

# An operator nobody knows, of the same length, patched in.
op=$(grep -acm1 Conv "$MINI")
if [ "$op" = 1 ]; then
    LC_ALL=C sed 's/Conv/Cnov/g' "$MINI" >unknown.onnx
    gives 'inspect shows an unknown operator' 0 'Cnov.* no: ' \
        inspect unknown.onnx
    fails_in_one_line 'training refuses it by name' 1 'Cnov' \
        train unknown.onnx "$PICTURES" -o t.onnx
    gives 'export keeps it' 0 'written' export unknown.onnx -o copy.onnx
    true_that 'byte for byte' cmp unknown.onnx copy.onnx
else
    skip 'unknown operators' 'no Conv in the model'
fi

gives 'weights move beside the model' 0 'written' \
    export "$MINI" -o ext.onnx --external-data
true_that 'both files are there' test -s ext.onnx -a -s ext.onnx.data
gives 'and are read from there' 0 'Conv' inspect ext.onnx
gives 'and move back' 0 'written' export ext.onnx -o back.onnx --embed
mkdir sub
gives 'an untouched copy' 0 'written' export ext.onnx -o sub/ext.onnx
true_that 'has the same model' cmp ext.onnx sub/ext.onnx
true_that 'and the same data' cmp ext.onnx.data sub/ext.onnx.data

# A pair over a pair: the old data stays for those who hold the old model.
cut=$("$GRAFT" inspect "$MINI" --json |
    sed -n 's/^  "default_cut": "\(.*\)",*$/\1/p')
gives 'a pair over a pair' 0 '^written ext.onnx.[0-9a-f]{16}.data$' \
    export "$MINI" -o ext.onnx --external-data --force --outputs "$cut"
true_that 'leaves the old data alone' cmp ext.onnx.data sub/ext.onnx.data
gives 'the new pair is read' 0 'Conv' inspect ext.onnx
rm ext.onnx ext.onnx.????????????????.data
cp sub/ext.onnx ext.onnx

# Promise: nothing outside the model's folder is read, nothing outside the
# output's is written. What is opened beneath the test's folder is listed.
traced=
if command -v strace >/dev/null && [ -z "${SANITIZED:-}" ]; then
    mkdir here there
    cp sub/ext.onnx sub/ext.onnx.data here
    strace -f -e trace=%file -o trace "$GRAFT" export here/ext.onnx \
        -o there/a.onnx --strip --external-data >out 2>err
    [ $? = 0 ] && [ -s trace ] && traced=yes
fi
if [ -n "$traced" ]; then
    grep -v ENOENT trace | grep -E 'O_(WRONLY|RDWR|CREAT)|rename|unlink|mkdir' |
        sed -n 's/^[^"]*"\([^"]*\)".*/\1/p' >written
    true_that 'writes only beside the output (strace)' bash -c \
        'test -s written && ! grep -qvE "^(there/.*|/dev/.*)$" written'
    sed -n 's/^[^"]*"\([^"]*\)".*/\1/p' trace | grep -vE \
        '^(/(etc|lib|lib64|usr|proc|sys|dev)(/|$)|'"$GRAFT"'$)' >touched
    true_that 'touches nothing else' bash -c \
        '! grep -qvE "^((here|there)(/.*)?|(ext|a)\.onnx.*)?$" touched'
else
    skip 'what export opens (strace)' 'no strace, or it may not trace here'
fi
mv ext.onnx.data kept
fails_in_one_line 'missing external data' 1 'ext.onnx.data' inspect ext.onnx
head -c 100 kept >ext.onnx.data
fails_in_one_line 'short external data' 1 'ext.onnx.data' inspect ext.onnx
rm ext.onnx.data && ln -s kept ext.onnx.data
fails_in_one_line 'external data behind a link' 1 'ext.onnx.data' \
    inspect ext.onnx
cp kept sub/t.onnx.data
cp kept nnx.data
for name in ../nnx.data "$(printf '/tmp/aa.data')" sub/../t.data; do
    short=${name:0:13}
    while [ ${#short} -lt 13 ]; do short=$short/; done
    [ ${#short} = 13 ] || continue
    LC_ALL=C sed "s|ext\.onnx\.data|$short|g" ext.onnx >sub/out.onnx
    fails_in_one_line "external data outside the folder: $short" 1 '.' \
        inspect sub/out.onnx
done

cd "$TOP" || exit 1
if shared models/external/yolox_nano_coco_416.onnx; then
    yolox=$SHARED/models/external/yolox_nano_coco_416.onnx
    gives 'YOLOX: what does not run is shown' 0 'Resize.* no: ' inspect "$yolox"
    fails_in_one_line 'YOLOX: training to the end names the operator' 1 \
        'Resize' run "$yolox" "$SHARED/models/golden/yolox_nano_coco_416.in.npy" \
        -o "$T/y.npy"
else
    skip 'YOLOX' 'no ../shared'
fi
if shared models/external/resnet18_graph_only.onnx; then
    fails_in_one_line 'a real model whose data file is missing' 1 'data' \
        inspect "$SHARED/models/external/resnet18_graph_only.onnx"
else
    skip 'a real model whose data file is missing' 'no ../shared'
fi
finish
