#!/usr/bin/env bash
# graft train --unfreeze auto, from outside: what it says it tried, stopping and
# going on, threads, its time, and when it tries nothing.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
cd "$T" || exit 1
few_pictures 12
# The head is held back, so that tuning helps.
auto=(--unfreeze auto --l2 10 --epochs 6 --batch-size 8)

gives 'auto chooses' 0 'chosen: .* at rate ' \
    train "$MINI" few "${auto[@]}" --threads 1 -o a.onnx
cp err told
true_that 'it shows what it tried' \
    grep -Eq '^ +last-stage +[0-9.e-]+ +6 +[0-9]+ ' out
true_that 'down to all layers' grep -Eq '^ +all +[0-9.e-]+ +6 ' out
true_that 'and what decided' grep -Eq ' \+- .*, decides$' out
true_that 'each run is told' grep -Eq 'try-3: all at rate .*, probe ' told
true_that 'in the log' grep -q '"part": "try-2"' a.run/log.jsonl
true_that 'and the metrics' grep -q '^try-1,6,6,' a.run/metrics.csv
true_that 'no checkpoints stay' \
    test "$(ls a.run | tr '\n' ' ')" = 'log.jsonl metrics.csv '
if command -v python3 >/dev/null; then
    true_that 'the report has it' python3 -c '
import json
t = json.load(open("a.report.json"))["tune"]
assert t["auto"] and t["chosen"] == "tuned" and t["reason"] is None
last = t["tried"][-1]
assert [x["photos"] for x in t["tried"]].count("decide") == 1
assert last["photos"] == "decide" and last["unfreeze"] == t["unfreeze"]
assert last["difference"] > last["standard_error"] > 0
assert last["held_out"] + t["tried"][0]["held_out"] == 24
assert all(x["epochs"] == 6 and not x["skipped"] for x in t["tried"])'
fi
gives 'the file verifies' 0 'verified' verify a.onnx few
gives 'with three threads' 0 'chosen' \
    train "$MINI" few "${auto[@]}" --threads 3 -o b.onnx
true_that 'the same bytes' cmp a.onnx b.onnx

# Stopped by a signal after some lines of the log, it goes on to those bytes.
go_on=()
for lines in 5 40 80; do
    ended_by TERM $lines t.onnx "$MINI" few "${auto[@]}" "${go_on[@]}"
    true_that "a signal after $lines lines ends it" test $code = 143
    go_on=(--resume)
done
true_that 'a checkpoint is there' bash -c 'ls t.run/*/step-*.ckpt'
gives 'words do not go on' 1 "'unfreeze auto'" \
    train "$MINI" few "${auto[@]}" --unfreeze all -o t.onnx --resume
gives 'it goes on' 0 'chosen' \
    train "$MINI" few "${auto[@]}" -o t.onnx --resume --threads 1
true_that 'to the same bytes' cmp a.onnx t.onnx

start=$(date +%s)
gives 'its time is kept to' 0 'tried' \
    train "$MINI" few "${auto[@]}" --epochs 100000 --time 2s -o c.onnx
true_that 'within reason' test $(($(date +%s) - start)) -le 30
gives 'no time keeps the head' 0 'plain head is kept' \
    train "$MINI" few "${auto[@]}" --time 0.001s -o d.onnx
true_that 'and says why' grep -q 'does not fit into the time' out

fails_in_one_line 'auto and words' 1 'stands alone' \
    train "$MINI" few --unfreeze auto,bias -o x.onnx
fails_in_one_line 'inspect does not try' 1 'graft train --unfreeze auto' \
    inspect "$MINI" --unfreeze auto

# Black and white: the head makes no mistake.
if command -v python3 >/dev/null; then
    python3 - <<'PY'
import os
import struct
for part, n in (("train", 10), ("val", 3)):
    for name, base in (("black", 0), ("white", 200)):
        os.makedirs(f"plain/{part}/{name}")
        for i in range(n):
            with open(f"plain/{part}/{name}/{i}.bmp", "wb") as out:
                out.write(b"BM" + struct.pack(
                    "<IIIIiiHHIIiiII", 54 + 12288, 0, 54, 40, 64, 64, 1, 24,
                    0, 12288, 0, 0, 0, 0) + bytes(
                        base + (i + k) * (i + 3) % 50 for k in range(12288)))
PY
    gives 'a head without mistakes is left alone' 0 'no mistake' \
        train "$MINI" plain --unfreeze auto -o e.onnx
    gives 'unless it is asked for' 0 'epochs tried' \
        train "$MINI" plain --unfreeze last-stage --epochs 2 -o f.onnx
fi
finish
