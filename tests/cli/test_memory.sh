#!/usr/bin/env bash
# graft train --unfreeze says beforehand how much memory it takes, keeps to it
# within a tenth, gives the same bytes under a limit, and refuses what does not
# fit.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
cd "$T" || exit 1
field() { sed -n "s/^ *\"$1\": \([0-9]*\),*$/\1/p" m.report.json; }

# The process beside what was announced: the same within a tenth, up or down,
# and $more bytes for what libraries and threads have touched of their own.
more=3000000
announced() # claim, model, photos, options
{
    local planned peak
    graft train "$2" "$3" --l2 10 --epochs 2 --lr 0.003 -f -o m.onnx "${@:4}"
    planned=$(field planned_bytes) peak=$(field peak_bytes)
    local off=$((planned > peak ? planned - peak : peak - planned))
    if [ "$code" = 0 ] && [ "${planned:-0}" -gt 0 ] &&
        [ $off -le $((peak / 10 + more)) ]; then
        ok "$1 ($planned bytes, and it came to $peak)"
    else
        not_ok "$1" "planned $planned, peak $peak"
        details
    fi
}
if grep -q __asan_init "$GRAFT"; then
    skip 'announced memory' 'a sanitizer takes its own'
else
    announced 'memory of a last stage' "$MINI" "$PICTURES" \
        --unfreeze last-stage
    announced 'memory of all' "$MINI" "$PICTURES" --unfreeze all
    announced 'memory of fresh views' "$MINI" "$PICTURES" \
        --unfreeze last-stage --views fresh --augment strong --mixup 0.2
    # Enough photos of a small network to fill its batches.
    photos=$SHARED/data/cat_tiger
    for m in resnet20_cifar10 mobilenetv2_bn_backbone; do
        file=$SHARED/models/$m.onnx
        for words in last-stage all; do
            if [ -f "$file" ] && [ -d "$photos" ]; then
                announced "memory of $m, $words" "$file" "$photos" \
                    --unfreeze $words --epochs 1
            else
                skip "memory of $m, $words" 'it is not there'
            fi
        done
        photos=$PICTURES
    done
    # A few photos, of which not all fill a batch, and many; the probe stays or
    # does not.
    more=0
    few_pictures 10
    file=$SHARED/models/resnet20_cifar10.onnx
    for photos in few "$PICTURES"; do
        for words in last-stage 'auto --time 15s'; do
            if [ -f "$file" ]; then
                # shellcheck disable=SC2086
                announced "memory of $words, photos in ${photos##*/}" \
                    "$file" "$photos" --preprocess cifar --no-cache \
                    --unfreeze $words
                true_that 'it was tried, or trained' grep -q '^tuned ' out
            else
                skip "memory of $words" 'it is not there'
            fi
        done
    done
fi

# What started it counts for nothing.
if command -v python3 >/dev/null; then
    gives 'any parent' 0 'accuracy' train "$MINI" "$PICTURES" -f -o m.onnx
    small=$(field peak_bytes)
    python3 -c '
import subprocess, sys
room = bytearray(b"x" * (200 << 20))
subprocess.run(sys.argv[1:], check=True, capture_output=True)' \
        "$GRAFT" train "$MINI" "$PICTURES" -f -o m.onnx
    true_that 'its memory is its own' [ "$(field peak_bytes)" -lt \
        $((small * 2)) ]
fi

tuning=(--unfreeze last-stage --l2 10 --epochs 3 --batch-size 7 --views fresh
    --augment standard --mixup 0.2)
gives 'with no limit' 0 'tuned' train "$MINI" "$PICTURES" "${tuning[@]}" -o a.onnx
true_that 'what it takes is said first' \
    grep -Eq 'trains [0-9]+ parameters .* in about [0-9]+ MB' err
gives 'with one' 0 'tuned' train "$MINI" "$PICTURES" "${tuning[@]}" -o b.onnx --mem 2G
true_that 'the same bytes' cmp a.onnx b.onnx
# Whether the plan says so, or its programs do not even fit before that.
for limit in 21M 22M 23M 24M; do
    gives "what does not fit into $limit" 1 'needs .*limit is' \
        train "$MINI" "$PICTURES" --unfreeze last-stage --mem $limit -o c.onnx
    true_that 'is refused before anything is written' \
        bash -c '[ ! -e c.onnx ] && [ ! -e c.run ]'
done
finish
