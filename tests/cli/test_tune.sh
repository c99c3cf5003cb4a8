#!/usr/bin/env bash
# graft train --unfreeze and inspect --unfreeze, from outside: what is said and
# written, stopping and going on, killing.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
cd "$T" || exit 1
# Few pictures, few epochs; the head is held back so that tuning helps.
few_pictures 10
small=(--unfreeze last-stage --l2 10 --epochs 3 --batch-size 8)

gives 'inspect says what is trained' 0 '^trained +[0-9]+ of [0-9]+' \
    inspect "$MINI" --unfreeze last-stage
for word in 'first: ' 'last: ' '^stages ' '^frozen part ' 'photos/s\), measured' \
    '^memory '; do
    true_that "and '$word'" grep -Eq "$word" out
done
first=$(sed -n 's/.*first: *//p' out)
gives 'in JSON too' 0 '"step_seconds": ' \
    inspect "$MINI" --unfreeze bias,norm --json
gives 'inspect knows --bn' 0 '^normalised +[1-9][0-9]* times.*stats-frozen' \
    inspect "$MINI" --unfreeze "name:$first" --bn stats-frozen
grep '^trained' out >reached
gives 'which trains more than the words' 0 '^trained' \
    inspect "$MINI" --unfreeze "name:$first"
true_that 'and says so' bash -c '! grep -q normalised out &&
    ! cmp -s reached <(grep ^trained out)'
gives 'inspect says all of it' 0 '"bn": "train"' inspect "$MINI" --json \
    --unfreeze last-stage --bn train --optimizer adamw --batch-size 7
true_that 'the optimizer and the photos too' bash -c '
    grep -q "\"optimizer\": \"adamw\"" out && grep -q "\"batch\": 7" out'
fails_in_one_line 'a way that inspect does not know' 2 'stats-frozen' \
    inspect "$MINI" --unfreeze all --bn melted
fails_in_one_line 'one number of photos' 2 'exclude each other' \
    inspect "$MINI" --unfreeze all --batch 4 --batch-size 4
fails_in_one_line 'a size that does not fit' 1 'wants an input' \
    inspect "$MINI" --unfreeze all --size 11x11
for o in bn=train optimizer=adamw ema=0.9 batch-size=8 freeze=bias size=64x64 \
    cut=x; do
    fails_in_one_line "inspect --$o alone" 2 "--${o%=*} needs --unfreeze" \
        inspect "$MINI" "--$o"
done

gives 'channels are scaled' 0 'a factor for each output channel|stages' \
    inspect "$MINI" --unfreeze scale-shift
gives 'and trained' 0 '^tuned +scale-shift: ' \
    train "$MINI" few "${small[@]}" --unfreeze scale-shift -o s.onnx
gives 'that file verifies' 0 'verified' verify s.onnx few

gives 'the backbone is trained' 0 '^tuned +last-stage: ' \
    train "$MINI" few "${small[@]}" -o a.onnx
cp err told
true_that 'both figures are said' \
    grep -Eq 'held out: plain head [0-9.e-]+, tuned [0-9.e-]+' out
true_that 'each epoch is told' grep -Eq 'try: epoch 3 of 3, loss ' told
for f in log.jsonl metrics.csv; do
    true_that "$f is written" test -s a.run/$f
done
true_that 'the card says it' grep -q '"chosen": "tuned"' a.json
true_that 'no path in the logs' bash -c "! grep -qF '$T' a.run/log.jsonl"
if command -v python3 >/dev/null; then
    true_that 'the logs are what they say' python3 -c '
import csv, json
lines = [json.loads(l) for l in open("a.run/log.jsonl")]
assert sum("step" in l for l in lines) >= 6, lines
assert any("held_out_log_loss" in l for l in lines)
rows = list(csv.DictReader(open("a.run/metrics.csv")))
assert rows[0]["part"] == "try" and float(rows[0]["loss"]) > 0
t = json.load(open("a.report.json"))["tune"]
assert t["chosen"] == "tuned" and t["difference"] > t["standard_error"]'
fi
gives 'the file verifies' 0 'verified' verify a.onnx few
gives 'the head alone says nothing of it' 0 'accuracy' \
    train "$MINI" few --l2 10 -o head.onnx
true_that 'nor its report' bash -c '! grep -q tuned out head.report.json'

fails_in_one_line 'an unknown word' 1 'no word for parameters' \
    train "$MINI" few --unfreeze everything -o x.onnx
fails_in_one_line 'words that select nothing' 1 'selects no' \
    train "$MINI" few --unfreeze all --freeze all -o x.onnx
fails_in_one_line 'no epochs' 2 'epochs' \
    train "$MINI" few --unfreeze all --epochs 0 -o x.onnx
fails_in_one_line 'a time that is none' 2 '10m' \
    train "$MINI" few --unfreeze all --time soon -o x.onnx
fails_in_one_line 'freezing nothing' 2 'unfreeze' \
    train "$MINI" few --freeze bias -o x.onnx
fails_in_one_line 'going on nowhere' 2 '-o FILE' \
    train "$MINI" few --unfreeze all --resume
true_that 'none of them wrote anything' test ! -e x.onnx -a ! -e x.run

# Stopped by a signal after some steps, it goes on to the same bytes.
gives 'a run to compare with' 0 'tuned' \
    train "$MINI" few "${small[@]}" --epochs 40 --patience -1 -o long.onnx
stop() # signal, output, more options: after $lines of its log
{
    ended_by "$1" "$lines" "$2" "$MINI" few "${small[@]}" --epochs 40 \
        --patience -1 "${@:3}"
}
lines=20
stop TERM t.onnx
true_that 'a signal ends it with its number' test $code = 143
true_that 'and a hint' grep -q -- '--resume' err
true_that 'a checkpoint is there' bash -c 'ls t.run/*/step-*.ckpt'
fails_in_one_line 'the same command again has to say how' 1 '--resume' \
    train "$MINI" few "${small[@]}" --epochs 40 --patience -1 -o t.onnx
gives 'other options do not go on' 1 'weight_decay' \
    train "$MINI" few "${small[@]}" --epochs 40 --patience -1 -o t.onnx \
    --resume --weight-decay 0.5
gives 'it goes on' 0 'tuned' train "$MINI" few "${small[@]}" --epochs 40 \
    --patience -1 -o t.onnx --resume --threads 1
true_that 'to the same bytes' cmp long.onnx t.onnx
true_that 'what is done needs no checkpoints' \
    test "$(ls t.run | tr '\n' ' ')" = 'log.jsonl metrics.csv '
for lines in 30 60 120; do stop KILL k.onnx --resume; done 2>/dev/null
true_that 'a killed one leaves checkpoints' bash -c 'ls k.run/*/step-*.ckpt'
gives 'after kills too' 0 'tuned' train "$MINI" few "${small[@]}" \
    --epochs 40 --patience -1 -o k.onnx --resume
true_that 'the same bytes' cmp long.onnx k.onnx
finish
