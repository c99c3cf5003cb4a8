#!/usr/bin/env bash
# The feature cache from outside: warm runs, two at once, killed ones,
# Ctrl-C.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
cd "$T" || exit 1

gives 'an empty cache' 0 '^0 stores' cache list
gives 'a cold run' 0 'accuracy' train "$MINI" "$PICTURES" -o cold.onnx
true_that 'keeps features' test -n "$(find "$GRAFT_CACHE" -type f)"
gives 'which are listed' 0 ' 72 records' cache list
gives 'a warm run' 0 'no photo was opened' train "$MINI" "$PICTURES" \
    -o warm.onnx
true_that 'gives the same bytes' cmp cold.onnx warm.onnx
if command -v strace >/dev/null && [ -z "${SANITIZED:-}" ]; then
    strace -f -e trace=open,openat,openat2 -o trace "$GRAFT" train "$MINI" \
        "$PICTURES" >out 2>err
    code=$?
    if [ $code = 0 ] && [ -s trace ]; then
        true_that 'a warm run opens no photo (strace)' \
            bash -c '! grep -q "\.jpg" trace'
    else
        skip 'a warm run opens no photo (strace)' 'strace may not trace here'
    fi
else
    skip 'a warm run opens no photo (strace)' 'no strace'
fi
gives '--no-cache looks at them again' 0 'accuracy' train "$MINI" \
    "$PICTURES" --no-cache
true_that 'really' bash -c '! grep -q "no photo was opened" out'
gives '--cache says where' 0 'accuracy' train "$MINI" "$PICTURES" \
    --cache "$T/elsewhere"
true_that 'there it is' test -n "$(find "$T/elsewhere" -type f)"
gives 'another cut has its own store' 0 'accuracy' train "$MINI" "$PICTURES" \
    --preprocess tf
gives 'listed' 0 'stores, ' cache list
true_that 'both' test "$(grep ' 72 records' out | grep -vc 'which file')" = 2
: >"$GRAFT_CACHE/mine.txt"
gives 'clear' 0 'removed' cache clear
true_that 'leaves what is not ours' test -e "$GRAFT_CACHE/mine.txt"
gives 'and nothing else' 0 '^0 stores' cache list

# Two processes at once.
"$GRAFT" train "$MINI" "$PICTURES" -o a.onnx >a.txt 2>a.err &
first=$!
"$GRAFT" train "$MINI" "$PICTURES" -o b.onnx >b.txt 2>b.err
second=$?
wait $first
true_that 'two at once both succeed' test $? = 0 -a $second = 0
true_that 'with the same bytes' cmp a.onnx b.onnx
true_that 'as ever' cmp a.onnx cold.onnx

# Interrupted runs: more pictures, so that there is time.
many=$T/many
"$DRAW" --set target --per-class 400 --val 10 --size 300 "$many" >/dev/null
interrupt() # signal, wanted exit code
{
    rm -rf "$GRAFT_CACHE" stopped.*
    # bash starts background jobs with SIGINT ignored
    env --default-signal=INT "$GRAFT" train "$MINI" "$many" -o stopped.onnx \
        --threads 1 >out 2>err &
    local pid=$! waited=0
    while [ -z "$(find "$GRAFT_CACHE" -type f -size +3k 2>/dev/null)" ] &&
        [ $waited -lt 400 ] && kill -0 $pid 2>/dev/null; do
        sleep 0.02
        waited=$((waited + 1))
    done
    kill -"$1" $pid 2>/dev/null
    wait $pid
    code=$?
}
for pair in INT:130 TERM:143 KILL:137; do
    interrupt "${pair%:*}"
    if [ "$code" = 0 ]; then
        skip "${pair%:*} during extraction" 'the work was done before it came'
        continue
    fi
    true_that "${pair%:*} ends with ${pair#*:}" test "$code" = "${pair#*:}"
    true_that 'nothing is written' test ! -e stopped.onnx -a \
        ! -e stopped.report.json
    true_that 'no temporary file stays' \
        test -z "$(find . -maxdepth 1 -name '*stopped*')"
    [ "${pair%:*}" = KILL ] || true_that 'one line says so' \
        grep -Eqx 'graft: interrupted; features .* the same command goes on' err
    "$GRAFT" cache list >list 2>&1
    kept=$(sed -n 's/^ *\([0-9,]*\) records.*graft-mini.*/\1/p' list | tr -d ,)
    [ "${pair%:*}" = KILL ] || true_that "the cache keeps what it has (${kept:-0})" \
        test "${kept:-0}" -gt 0
    gives 'the next run continues' 0 'accuracy' train "$MINI" "$many" \
        -o "after-${pair%:*}.onnx"
done
if [ -s after-INT.onnx ] && [ -s after-TERM.onnx ]; then
    true_that 'to the same bytes' cmp after-INT.onnx after-TERM.onnx
fi

# Damage: features that are not what was kept are not used.
f=$(find "$GRAFT_CACHE" -type f -size +3k | sort | head -n 1)
if [ -n "$f" ] && [ -s after-TERM.onnx ]; then
    printf '\377\377\377\377' |
        dd of="$f" bs=1 seek=2000 conv=notrunc 2>/dev/null
    gives 'a damaged cache' 0 'accuracy' train "$MINI" "$many" -o dmg.onnx
    true_that 'changes nothing' cmp dmg.onnx after-TERM.onnx
fi
finish
