#!/usr/bin/env bash
# Folders as people have them: broken photos, things that are no photos,
# layouts that cannot be trained on.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
cd "$T" || exit 1
copy() # folder: few pictures in CLASS folders
{
    mkdir -p "$1"
    local c
    for c in cat tiger; do
        mkdir -p "$1/$c"
        for f in $(find "$PICTURES/train/$c" -name '*.jpg' | sort | head -n 10); do
            cp "$f" "$1/$c/"
        done
    done
}
train() { fails_in_one_line "$1" 1 "$2" train "$MINI" "$3" -o t.onnx; }

train 'no such folder' 'nowhere' nowhere
mkdir empty
train 'an empty folder' 'empty' empty
mkdir -p flat && cp "$PICTURES"/train/cat/*.jpg flat/
train 'photos without class folders' '(class|folder)' flat
mkdir -p one && cp -r "$PICTURES/train/cat" one/
train 'one class' '(one class|two|1 class)' one
copy hollow && mkdir hollow/lion
train 'an empty class' 'lion' hollow
mkdir -p texts/a texts/b && echo hi >texts/a/a.txt && echo hi >texts/b/b.txt
train 'no images at all' '.' texts
train 'a file as PHOTOS' '.' "$MINI"
true_that 'none of them left anything' test ! -e t.onnx -a ! -e t.json

# One folder with everything that can be in one.
copy zoo
: >zoo/cat/zero.jpg
echo 'these are words' >zoo/cat/words.jpg
head -c 700 "$(find "$PICTURES/train/cat" -name '*.jpg' | head -n 1)" \
    >zoo/tiger/half.jpg
printf 'GIF89a\001\000\001\000' >zoo/tiger/anim.gif
printf 'RIFF\044\000\000\000WEBPVP8 ' >zoo/tiger/new.webp
mkfifo zoo/cat/pipe.jpg
ln -s . zoo/cat/loop
ln -s nothing zoo/cat/dangling.jpg
cp "$(find "$PICTURES/train/cat" -name '*.jpg' | head -n 1)" \
    zoo/cat/$'esc\e[31m.jpg'
gives 'a folder with everything trains' 0 'accuracy ' \
    train "$MINI" zoo -o zoo.onnx
cp out said_train
true_that 'the card says how photos were decoded' \
    grep -q '"decode": "fast"' zoo.json
gives 'every pixel on request' 0 'accuracy ' \
    train "$MINI" zoo --decode exact -o whole.onnx
true_that 'the card says that too' grep -q '"decode": "exact"' whole.json
for f in zero.jpg words.jpg half.jpg anim.gif new.webp pipe.jpg; do
    true_that "$f is named as skipped" grep -q "$f: ." said_train
done
true_that 'no escape reached the terminal' \
    bash -c '! LC_ALL=C grep -q $'"'\\x1b'"' said_train err'
gives 'inspect shows what it tells apart' 0 '^labels +2: cat, tiger$' \
    inspect zoo.onnx
true_that 'and how well, as the file says' \
    grep -Eq '^accuracy +[0-9]+ of [0-9]+ held-out photos' out
gives 'in JSON too' 0 '"claimed_accuracy": \{' inspect zoo.onnx --json
fails_in_one_line '--strict makes a broken photo fatal' 1 '\.(jpg|gif|webp)' \
    train "$MINI" zoo -o strict.onnx --strict
true_that 'and writes nothing' test ! -e strict.onnx

gives 'predict names what it cannot read' 1 'half.jpg: ' \
    predict zoo.onnx zoo/tiger/half.jpg zoo/cat
true_that 'and answers for the rest' grep -q 'cat/.*: .* %' out
gives 'predict on a folder passes over them' 0 'cat' predict zoo.onnx zoo/cat
gives 'predict as JSON' 0 '"probability": ' predict zoo.onnx --json --top 2 zoo
if command -v python3 >/dev/null; then
    true_that 'each line is JSON' python3 -c '
import json, sys
for line in open(sys.argv[1]):
    json.loads(line)' out
fi
exec 3> >(exec head -n 1 >first)
"$GRAFT" predict zoo.onnx --json --top 2 zoo/cat zoo/tiger >&3 2>err
exec 3>&-
true_that 'predict into head -n 1 complains of no pipe' \
    bash -c '! grep -q "standard output" err'
# Long lists and long names.
copy many
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do : >"many/cat/broken$i.jpg"; done
gives 'a list too long says where the rest is' 0 \
    '\.\.\. and 2 more, all in many.report.json' train "$MINI" many -o many.onnx
gives 'or how to have it' 0 'and 2 more \(--json names all\)' \
    train "$MINI" many
copy long
name=$(printf 'b%.0s' {1..50})é$(printf 'e%.0s' {1..50})
: >"long/cat/$name.jpg"
gives 'a long name is shortened in the middle' 0 \
    '^  cat/b{29}\.\.\.e{24}\.jpg: ' train "$MINI" long
mkdir wide && for c in a b c d e f g h i j k l m n; do
    cp -r "$PICTURES/val/cat" "wide/$c"
done
gives 'fourteen classes' 0 'most often taken for' train "$MINI" wide \
    -o wide.onnx
mkdir -p few/val && cp -r wide/a wide/b few/val/
gives 'classes without photos are counted, not listed' 0 \
    '^\(12 classes without photos left out\)' eval wide.onnx few
true_that 'the others are listed' test "$(grep -c '^[a-n]  ' out)" = 2

# The progress line, on a terminal of 30 columns.
on_terminal() # TERM, classifier, photos...
{
    local term=$1
    shift
    TERM=$term script -qec "stty cols 30; $(printf '%q ' "$GRAFT" predict "$@"
    )>/dev/null" /dev/null </dev/null >line 2>&1
}
if command -v script >/dev/null && on_terminal xterm zoo.onnx \
    "$PICTURES/train" && grep -q ':' line; then
    true_that 'the progress line clears itself' grep -q $'\e\[K' line
    true_that 'and is never wider than the terminal' bash -c \
        "sed 's/\x1b\[K//g' line | tr '\r' '\n' | awk 'length > 29 { exit 1 }'"
    on_terminal dumb zoo.onnx "$PICTURES/train"
    true_that 'a dumb terminal gets no escape sequence' \
        bash -c '! LC_ALL=C grep -q $'"'\\x1b'"' line'
else
    skip 'the progress line' 'no terminal to be had'
fi
fails_in_one_line 'predict on nothing' 1 'nowhere' predict zoo.onnx nowhere.jpg
finish
