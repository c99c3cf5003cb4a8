#!/usr/bin/env bash
# graft train --bn and --from-scratch, from outside.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
cd "$T" || exit 1
few_pictures 12

# From scratch: what is told, the same bytes with other threads, and after a
# stop.
scratch=(--from-scratch --epochs 40 --batch-size 8 --seed 3)
gives 'everything is trained' 0 '40 epochs from scratch, all photos' \
    train "$MINI" few "${scratch[@]}" -o a.onnx
true_that 'the statistics too' \
    grep -q 'statistics of 14 normalisations followed' out
true_that 'no plain head is spoken of' bash -c '! grep -q "plain head" out'
for key in '"from_scratch": true' '"bn": "train"' '"normalisations": 14' \
    '"probe_log_loss": null'; do
    true_that "the report has $key" grep -q "$key" a.report.json
done
gives 'it verifies' 0 'verified' verify a.onnx few
gives 'once more' 0 'from scratch' train "$MINI" few "${scratch[@]}" \
    -o b.onnx --threads 1
true_that 'the same bytes' cmp a.onnx b.onnx
ended_by KILL 30 c.onnx "$MINI" few "${scratch[@]}"
true_that 'a killed one leaves checkpoints' bash -c 'ls c.run/final/step-*.ckpt'
gives 'another seed does not go on' 1 "'seed 3', now it is 'seed 4'" \
    train "$MINI" few "${scratch[@]}" --seed 4 -o c.onnx --resume
gives 'it goes on' 0 'from scratch' train "$MINI" few "${scratch[@]}" \
    -o c.onnx --resume --threads 1
true_that 'to the same bytes' cmp a.onnx c.onnx
gives 'time limits it' 0 '[0-9]+ epochs from scratch' \
    train "$MINI" few --from-scratch --epochs 100000 --time 2s -o d.onnx
true_that 'to fewer epochs' bash -c '! grep -q "100000 epochs" out'

gives 'views may be fresh, and mixed' 0 'photos mixed in pairs' \
    train "$MINI" few --from-scratch --epochs 2 --views fresh --mixup 0.2 \
    -o fresh.onnx
true_that 'both are told' grep -q 'fresh views' out

fails_in_one_line 'scratch and words' 1 'last-stage' \
    train "$MINI" few --from-scratch --unfreeze last-stage -o x.onnx
fails_in_one_line 'scratch and kept statistics' 1 'bn adapt' \
    train "$MINI" few --from-scratch --bn adapt -o x.onnx
fails_in_one_line 'going on nowhere' 2 '-o FILE' \
    train "$MINI" few --from-scratch --resume

# Normalisations.
small=(--unfreeze last-stage --l2 10 --epochs 3 --batch-size 8 --lr 0.01)
gives 'statistics follow' 0 'statistics of 5 normalisations followed' \
    train "$MINI" few "${small[@]}" --bn train -o e.onnx
gives 'adapted for the head alone' 0 'accuracy' \
    train "$MINI" few --bn adapt -o f.onnx
true_that 'as is told' grep -q '14 normalisations have the statistics of 24' err
true_that 'in another file' bash -c '! cmp -s e.onnx f.onnx'
fails_in_one_line 'no such way' 2 'stats-frozen' \
    train "$MINI" few --bn melted -o x.onnx
fails_in_one_line 'training statistics of nothing' 1 'unfreeze' \
    train "$MINI" few --bn train -o x.onnx
true_that 'none of them wrote anything' test ! -e x.onnx -a ! -e x.run
finish
