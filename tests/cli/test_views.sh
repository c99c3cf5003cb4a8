#!/usr/bin/env bash
# graft train with augmented views and mixup, from outside: what is refused,
# what is said, and killing in the middle.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
cd "$T" || exit 1
few_pictures 10

# The head alone.
gives 'views of a recipe' 0 '60 with further views: strong' \
    train "$MINI" few --views 2 --augment strong -o head.onnx
true_that 'the card names it' grep -q '"augment": "strong"' head.json
gives 'the file verifies' 0 'verified' verify head.onnx few
gives 'views without one' 0 '60 with further views\)' \
    train "$MINI" few --views 2 -o own.onnx
true_that 'name none' bash -c '! grep -q augment own.json own.report.json'
fails_in_one_line 'a recipe that is none' 2 'none flip standard strong' \
    train "$MINI" few --views 2 --augment sepia
fails_in_one_line 'a recipe without views' 1 'there are none' \
    train "$MINI" few --augment strong
fails_in_one_line 'views that are all alike' 1 'alike' \
    train "$MINI" few --views 2 --augment none
fails_in_one_line 'a number of views that is none' 2 "neither 'fresh' nor" \
    train "$MINI" few --views many
fails_in_one_line 'a negative one' 2 "neither 'fresh' nor" \
    train "$MINI" few --views -1
fails_in_one_line 'fresh views of the head' 2 '--unfreeze' \
    train "$MINI" few --views fresh
fails_in_one_line 'mixup of the head' 2 '--unfreeze' \
    train "$MINI" few --mixup 0.2
fails_in_one_line 'too much mixup' 2 'mixup' \
    train "$MINI" few --unfreeze all --mixup 101

# Fine-tuning: killed and stopped, it goes on with the same views and pairs.
long=(--unfreeze last-stage --l2 10 --epochs 24 --patience -1 --batch-size 7
    --views fresh --augment standard --mixup 0.2)
gives 'fresh views, mixed in pairs' 0 'each on fresh views \(standard\)' \
    train "$MINI" few "${long[@]}" -o whole.onnx
true_that 'pairs are said' grep -q 'mixed in pairs (0.2)' out
true_that 'both are in the report' bash -c \
    'grep -q "\"views\": \"fresh\"" whole.report.json &&
     grep -q "\"mixup\": 0.2" whole.report.json'
gives 'the file verifies too' 0 'verified' verify whole.onnx few
run_until() # signal, lines of the log, options
{
    ended_by "$1" "$2" k.onnx "$MINI" few "${long[@]}" "${@:3}"
}
run_until TERM 12
true_that 'a signal ends it with its number' test $code = 143
for word in 'augment flip' 'mixup 0.5' 'views 2'; do
    # shellcheck disable=SC2086
    gives "--$word does not go on" 1 "now it is '$word'" \
        train "$MINI" few "${long[@]}" -o k.onnx --resume --$word
done
run_until KILL 30 --resume --threads 1
true_that 'killed' test $code = 137
gives 'it goes on' 0 'tuned' train "$MINI" few "${long[@]}" -o k.onnx \
    --resume --threads 3
true_that 'to the same bytes' cmp whole.onnx k.onnx
finish
