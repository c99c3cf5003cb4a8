#!/bin/sh
# Trains graft-mini.onnx with Graft alone: draws pictures, writes the network,
# trains it from scratch, and measures it beside the file that is there, which
# it replaces if it is at least as good on drawings held out and as a backbone
# for the drawn tigers. `make pretrain` runs it; the same machine gives the
# same bytes.
# SPDX-License-Identifier: Apache-2.0
set -eu
build=${BUILD:-build}
work=$build/pretrain
graft=$build/graft
mini=pretrained/graft-mini.onnx
new=$work/graft-mini.onnx
# Shown as typed, then run.
run()
{
    printf '\n$ %s\n' "$*"
    "$@"
}
# Pictures are drawn once; the folder appears when all are there.
draw()
{
    [ -d "$work/$1" ] && return
    rm -rf "$work/drawing"
    run "$build/draw" --set "$2" --seed "$3" --per-class "$4" --val "$5" \
        "$work/drawing"
    mv "$work/drawing" "$work/$1"
}
# How many of val a classifier gets right, and a head on a backbone: of 2400
# drawn cats and tigers, from twenty sets.
sets=$(seq 101 120)
right() { sed -n 's/^accuracy  *\([0-9,]*\) of .*/\1/p' | tr -d ,; }
drawings() { "$graft" eval "$1" "$work/pictures" -q 2>/dev/null | right; }
tigers()
{
    sum=0
    for seed in $sets; do
        n=$("$graft" train "$1" "$work/target$seed" -q --cache "$work/cache" \
            | right)
        sum=$((sum + n))
    done
    echo $sum
}
mkdir -p "$work"
draw pictures pretrain 7 600 50
for seed in $sets; do
    draw target$seed target $seed 100 60
done
run "$build/make_mini" "$work/network.onnx"
run "$graft" train "$work/network.onnx" "$work/pictures" --from-scratch \
    --seed 7 --views 3 --epochs 5 --lr 0.1 --label-smoothing 0.05 \
    --emit logits -f -o "$new" --cache "$work/cache" \
    >"$work/report.txt" || exit 1
grep -E '^(accuracy|log loss|time|memory)' "$work/report.txt"
# Weights as they are drawn, statistics as the pictures have them.
run "$graft" train "$work/network.onnx" "$work/target101" --from-scratch \
    --seed 7 --epochs 1 --lr 1e-12 -f -o "$work/random.onnx" -q \
    --cache "$work/cache" >/dev/null
old_drawings=$(drawings "$mini") old_tigers=$(tigers "$mini")
new_drawings=$(drawings "$new") new_tigers=$(tigers "$new")
cat <<END

                     drawings held out    drawn cats and tigers, a head on it
there was            ${old_drawings:--} of 2100         $old_tigers of 2400
trained now          $new_drawings of 2100         $new_tigers of 2400
random weights       -                    $(tigers "$work/random.onnx") of 2400

END
if cmp -s "$new" "$mini"; then
    echo "$mini is this file already, byte for byte."
elif [ "$new_drawings" -ge "${old_drawings:-0}" ] &&
     [ "$new_tigers" -ge "$old_tigers" ]; then
    cp "$new" "$mini"
    echo "$mini is replaced."
else
    echo "$mini stays: the new one, $new, is not as good."
fi
sha256sum "$mini" "$new"
