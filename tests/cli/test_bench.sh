#!/usr/bin/env bash
# graft bench from outside.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
B="bench $MINI --repeat 3 --threads 1"
cd "$T" || exit 1

# shellcheck disable=SC2086
{
gives 'a model is timed' 0 '^speed +[0-9.]+ photos/s, [0-9.]+ ms each$' $B
true_that 'with its spread' grep -Eq \
    '^time  .*median of 3; half of them [0-9.]+ to [0-9.]+, all ' out
true_that 'and its memory' grep -q '^memory  .*activations' out
true_that 'and its threads' grep -q '^threads      1, ' out
true_that 'and nothing is said besides' test ! -s err
gives 'the default batch' 0 '^batch        16 photos$' $B
gives 'another one' 0 '^batch        1 photo$' $B --batch-size 1
gives 'the steps of the plan' 0 'Conv' $B --plan
gives 'a forced instruction set' 0 ', generic$' $B --isa generic
gives 'exact convolutions' 0 'by (direct|1x1|stem)' $B --plan --exact
true_that 'which have no other way' sh -c '! grep -q winograd out'
fails_in_one_line 'a size that the file contradicts' 1 'size|states|gives' \
    $B --size 7x9
fails_in_one_line 'a memory limit' 1 'memory limit' $B --memory-limit 4M
gives 'JSON' 0 '^  "seconds_median": ' $B --json
}
for key in images_per_second seconds_median seconds_min arena_bytes; do
    true_that "key $key" grep -Eq "^  \"$key\": [0-9.e+-]+,\$" out
done
fails_in_one_line 'no such model' 1 'none.onnx' bench none.onnx
fails_in_one_line 'no repeats at all' 2 'repeat' bench a --repeat 0
fails_in_one_line 'the batch has the range of the library' 2 '1 to 4096' \
    bench a --batch-size 65536
fails_in_one_line 'the option of the other commands' 2 '--batch-size' \
    bench a --batch 4

# Interrupted in the middle: soon, with the signal's exit code.
# (Background jobs, and what they start, begin with SIGINT ignored.)
env --default-signal=INT "$GRAFT" bench "$MINI" --repeat 100000 \
    --batch-size 64 >out 2>err &
pid=$!
sleep 1
kill -INT $pid
start=$SECONDS
wait $pid
code=$?
true_that 'an interrupted run ends with 130' test $code = 130
true_that 'soon' test $((SECONDS - start)) -lt 10
true_that 'and prints no figures' test ! -s out
finish
