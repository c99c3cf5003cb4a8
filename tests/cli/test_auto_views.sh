#!/usr/bin/env bash
# graft train --unfreeze auto on fresh views that are mixed in pairs, from
# outside: each try draws them by photo and epoch alone, so ending it, in which
# try whatever, and going on with other threads changes no byte.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
cd "$T" || exit 1
few_pictures 8
# The head is held back, so that tuning helps.
auto=(--unfreeze auto --l2 10 --epochs 3 --patience -1 --batch-size 7
    --views fresh --augment standard --mixup 0.2)

gives 'auto chooses on fresh views' 0 'chosen: .* at rate ' \
    train "$MINI" few "${auto[@]}" --threads 2 -o whole.onnx
true_that 'they are said' grep -q 'each on fresh views (standard)' out
true_that 'pairs too' grep -q 'mixed in pairs (0.2)' out
true_that 'it was trained after the tries' \
    grep -q '"part": "final"' whole.run/log.jsonl
gives 'the file verifies' 0 'verified' verify whole.onnx few
# Both are there: without either, other bytes.
for less in '--views 0 --mixup 0.2' '--views fresh'; do
    # shellcheck disable=SC2086
    gives "only $less" 0 '' train "$MINI" few "${auto[@]:0:8}" $less \
        -o less.onnx -f
    true_that 'gives other bytes' bash -c '! cmp -s whole.onnx less.onnx'
done

total=$(wc -l <whole.run/log.jsonl)
go_on=()
for part in 'TERM 1 1' 'KILL 4 3' 'TERM 8 2' 'KILL 9 1'; do
    read -r signal tenths threads <<<"$part"
    ended_by "$signal" $((total * tenths / 10)) k.onnx "$MINI" few \
        "${auto[@]}" --threads "$threads" "${go_on[@]}"
    [ "$signal" = TERM ] && want=143 || want=137
    true_that "$signal ends it after $tenths tenths" test $code = $want
    go_on=(--resume)
done
for other in 'views 2' 'mixup 0.5' 'augment flip'; do
    # shellcheck disable=SC2086
    gives "--$other does not go on" 1 "now it is '$other'" \
        train "$MINI" few "${auto[@]}" -o k.onnx --resume --$other
done
gives 'it goes on' 0 'chosen' train "$MINI" few "${auto[@]}" -o k.onnx \
    --resume --threads 3
true_that 'to the same bytes' cmp whole.onnx k.onnx
true_that 'and the same report' bash -c \
    'without="seconds|photos_decoded|_bytes"
     diff <(grep -Ev $without whole.report.json | sed s/whole/k/) \
          <(grep -Ev $without k.report.json)'
finish
