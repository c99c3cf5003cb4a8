#!/usr/bin/env bash
# The whole path with our own backbone and drawn pictures: train, what is
# written, eval, predict, verify, export, run.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
cd "$T" || exit 1
gives 'inspect' 0 'cut \(--cut VALUE\)' inspect "$MINI"
gives 'inspect as JSON' 0 '"default_cut": ' inspect "$MINI" --json
gives 'inspect with its plan' 0 'activations ' inspect --plan "$MINI"
gives 'train' 0 'accuracy +[0-9]+ of 24 \(' train "$MINI" "$PICTURES" \
    -o tigers.onnx
cp out report.txt
for word in 'recall' 'precision' 'time ' 'memory ' 'graft predict tigers.onnx'; do
    true_that "the report says '$word'" grep -q "$word" report.txt
done
for f in tigers.onnx tigers.json tigers.labels.txt tigers.report.json; do
    true_that "$f is written" test -s $f
done
true_that 'the labels are the folders' \
    test "$(tr '\n' ' ' <tigers.labels.txt)" = 'cat tiger '
true_that 'no path in what is written' bash -c \
    "! grep -aqF -e '$T' -e '$TOP' tigers.onnx tigers.json tigers.report.json"
true_that 'no user and no host' bash -c \
    "! grep -qw -e '$(uname -n)' -e '$(id -un)' tigers.json"
if command -v python3 >/dev/null; then
    true_that 'the report has its keys' python3 -c '
import json
r = json.load(open("tigers.report.json"))
assert r["schema"] and r["val"]["total"] == 24, r["val"]
assert 0 <= r["val"]["correct"] <= 24
assert "seconds" in r and r["peak_bytes"] > 0
assert all("file" in m for m in r["val"]["mistakes"])'
fi
gives 'training gets it right' 0 'accuracy +(2[1-4]) of 24' \
    eval tigers.onnx "$PICTURES"
gives 'verify' 0 'verified' verify tigers.onnx "$PICTURES"
gives 'predict' 0 ': (cat|tiger) [0-9.]+ %' predict tigers.onnx \
    "$PICTURES/val/tiger"
true_that 'one line a picture' test "$(wc -l <out)" = 12

cp -r "$PICTURES" other && rm -r other/val && cp -r "$PICTURES/val" other/val
mv other/val/cat other/val/x && mv other/val/tiger other/val/cat &&
    mv other/val/x other/val/tiger
gives 'verify says no when it is no' 3 '.' verify tigers.onnx other

fails_in_one_line 'an existing file stays' 1 'exists.*; -f replaces it' \
    train "$MINI" "$PICTURES" -o tigers.onnx
cp tigers.onnx before.onnx
gives 'unless -f says otherwise' 0 'accuracy' \
    train -f "$MINI" -o tigers.onnx "$PICTURES" --threads=1
true_that 'the same seed gives the same bytes, for any threads' \
    cmp before.onnx tigers.onnx
gives 'three threads' 0 'accuracy' train --threads 3 "$MINI" "$PICTURES" \
    -o three.onnx --no-cache
true_that 'the same bytes without the cache' cmp before.onnx three.onnx
cp "$MINI" own.onnx
fails_in_one_line 'never over MODEL' 1 '.' \
    train own.onnx "$PICTURES" -o own.onnx -f
true_that 'which is as it was' cmp own.onnx "$MINI"
ln -s own.onnx alias.onnx
graft train own.onnx "$PICTURES" -o alias.onnx -f
true_that 'nor through a link' cmp own.onnx "$MINI"

gives 'logits' 0 'accuracy' train "$MINI" "$PICTURES" -o logits.onnx \
    --emit logits --quiet
gives 'verify logits' 0 'verified' verify logits.onnx "$PICTURES"
gives 'two files' 0 'accuracy' train "$MINI" "$PICTURES" -o two.onnx \
    --external-data
true_that 'both are there' test -s two.onnx -a -s two.onnx.data
gives 'verify two files' 0 'verified' verify two.onnx "$PICTURES"
gives 'views' 0 'further views' train "$MINI" "$PICTURES" -o views.onnx \
    --views 2
gives 'a fixed L2' 0 'L2 0.01' train "$MINI" "$PICTURES" --l2 0.01
true_that 'without -o nothing is written' grep -q 'nothing was written' out
gives 'the report as JSON' 0 '"schema"' train "$MINI" "$PICTURES" --json
cut=$("$GRAFT" inspect "$MINI" --json | sed -n '/"cuts"/,$p' |
    sed -n 's/.*"value": "\(.*\)".*/\1/p' | sed -n '2p')
gives "an early cut, $cut" 0 'accuracy' train "$MINI" "$PICTURES" --cut "$cut"
fails_in_one_line 'a cut that is not there' '[12]' 'xyzzy' \
    train "$MINI" "$PICTURES" --cut xyzzy
for preset in imagenet tf raw255 cifar bgr255; do
    gives "preset $preset" 0 'accuracy' train "$MINI" "$PICTURES" \
        --preprocess $preset
done

gives 'one mean and deviation for all channels' 0 \
    'accuracy' train "$MINI" "$PICTURES" --mean 127.5 --std 127.5 -o one.onnx
gives 'is the same as three' 0 'accuracy' train "$MINI" "$PICTURES" \
    --mean 127.5,127.5,127.5 --std 127.5,127.5,127.5 -o three3.onnx
true_that 'to the byte' cmp one.onnx three3.onnx

gives 'export' 0 'written' export "$MINI" -o same.onnx
true_that 'is byte-identical' cmp "$MINI" same.onnx
gives 'export of our own file' 0 'written' export tigers.onnx -o same2.onnx
true_that 'is byte-identical too' cmp tigers.onnx same2.onnx
fails_in_one_line 'export replaces nothing' 1 'exists' \
    export "$MINI" -o same.onnx

# Raw arrays: one photo of zeros at the model's size, made by hand.
dims=$("$GRAFT" inspect "$MINI" | sed -n 's/^input .*\[\(.*\)\]$/\1/p')
dims=1,${dims#*,}
count=1
for d in ${dims//,/ }; do count=$((count * d)); done
npy in.npy '<f4' "$dims" $((count * 4))
gives 'run' 0 '' run "$MINI" in.npy -o out.npy
true_that 'an array comes out' grep -aq "'descr': '<f4'" out.npy
fails_in_one_line 'run replaces nothing' 1 'exists' \
    run "$MINI" in.npy -o out.npy
name=$("$GRAFT" inspect "$MINI" | awk '/^input/ {print $2}')
gives 'run with names' 0 '' run "$MINI" "$name=in.npy" -o "$cut=f.npy"
gives 'a second time gives the same' 0 '' run -f "$MINI" in.npy -o again.npy
true_that 'bytes' cmp out.npy again.npy
sum=$(cksum <in.npy)
fails_in_one_line 'two outputs into one file' 2 'two -o name one file' \
    run "$MINI" in.npy -o "$cut=p.npy" -o "$cut=./p.npy"
true_that 'which is not there' test ! -e p.npy
fails_in_one_line 'an output over its own input' 2 'replace an input' \
    run "$MINI" in.npy -o "$PWD/in.npy" -f
ln -s in.npy alias.npy
fails_in_one_line 'nor through a link' 2 'replace an input' \
    run "$MINI" alias.npy -o in.npy -f
true_that 'which is as it was' test "$(cksum <in.npy)" = "$sum"
fails_in_one_line 'an output over the model' 2 'replace the model' \
    run own.onnx in.npy -o own.onnx -f
fails_in_one_line 'the second output cannot be written' 1 'nowhere' \
    run "$MINI" in.npy -o "$cut=p.npy" -o "$cut=nowhere/q.npy"
true_that 'so the first does not appear' test ! -e p.npy
fails_in_one_line 'the second output exists' 1 'exists.*-f replaces it' \
    run "$MINI" in.npy -o "$cut=p.npy" -o "$cut=out.npy"
true_that 'so the first does not appear either' test ! -e p.npy
npy d.npy '<f8' "$dims" $((count * 8))
fails_in_one_line 'float64 is refused by name' 1 "<f8.*float32" \
    run "$MINI" d.npy -o x.npy
npy s.npy '<f4' "$dims" 8
fails_in_one_line 'a short array is refused' 1 's.npy' \
    run "$MINI" s.npy -o x.npy
npy shape.npy '<f4' "1,3,8,8" $((192 * 4))
gives 'a shape that does not fit, or does' '[01]' '' \
    run "$MINI" shape.npy -o x1.npy
fails_in_one_line 'no array' 1 'NumPy' run "$MINI" "$MINI" -o x.npy
fails_in_one_line 'a name that is not there' 1 'xyzzy' \
    run "$MINI" xyzzy=in.npy -o x.npy
true_that 'failures wrote nothing' test ! -e x.npy
gives 'a memory limit is kept' 1 'limit|at most' inspect "$MINI" --memory-limit 20k
finish
