#!/usr/bin/env bash
# The program's frame: help, options, hints, exit codes.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh

gives 'help lists the commands' 0 'predict +says what' --help
gives 'the version' 0 '^graft [0-9]+\.[0-9]+\.[0-9]+$' --version
gives 'no command is wrong usage' 2 '^usage: graft COMMAND'
gives 'help names a command' 0 '^usage: graft train' help train
for command in inspect train eval predict verify export run bench cache; do
    gives "$command explains itself" 0 '^exit code: 0 done' $command --help
    true_that "$command --help fits 80 columns" \
        awk 'length > 80 { print; wide = 1 } END { exit wide }' "$T/out"
    true_that "$command --help gives an example" grep -q '^  graft ' "$T/out"
done

fails_in_one_line 'a mistyped command' 2 "did you mean 'train'" trian a b
fails_in_one_line 'a strange command' 2 "no command 'xyzzy'" xyzzy
fails_in_one_line 'a mistyped option' 2 'did you mean --output' \
    train a b --ouput x
fails_in_one_line 'a shortened option' 2 'did you mean --preprocess' \
    train a b --prep imagenet
fails_in_one_line 'a strange option' 2 'no option --xyzzy' train --xyzzy
fails_in_one_line 'a strange letter' 2 'no option -z' train -z
fails_in_one_line 'an option without its value' 2 'wants a value' train a b -o
fails_in_one_line 'a flag with a value' 2 'takes no value' train --force=1
fails_in_one_line 'too few operands' 2 \
    'train wants PHOTOS: graft train MODEL PHOTOS -o FILE' train a
fails_in_one_line 'none at all' 2 'train wants MODEL PHOTOS: ' train
fails_in_one_line 'an option as command' 2 "no option '--nope'" --nope
fails_in_one_line 'too many operands' 2 "what to do with 'c'" train a b c
fails_in_one_line 'an empty operand' 2 'operand 2 is empty' train a ''
fails_in_one_line '-- ends the options' 2 "what to do with '-z'" \
    inspect a -- -z
for n in 0 -1 x 1x '' ' 1' 1.5 99999999999999999999; do
    fails_in_one_line "--threads '$n' is refused" 2 'threads' \
        inspect a --threads "$n"
done
fails_in_one_line '--batch has the range of the library' 2 '1 to 4096' \
    predict a b --batch 65536
fails_in_one_line 'also of inspect' 2 '1 to 4096' inspect a --batch 65536
fails_in_one_line 'a seed is a whole number' 2 'seed' train a b --seed -1
fails_in_one_line 'an L2 is a number' 2 'l2' train a b --l2 nan
fails_in_one_line 'a size is a size' 2 'cache-max' \
    train a b --cache-max 3furlongs
fails_in_one_line 'an extent is an extent' 2 '--size' train a b --size=0x4
fails_in_one_line 'three numbers are three' 2 '--mean' train a b --mean 1,2
fails_in_one_line 'a deviation is not 0' 2 'above 0, such as 58.395,57.12' \
    train a b --std 1,0,1
fails_in_one_line 'nor is one for all' 2 'above 0' train a b --std 0
fails_in_one_line 'a preset is one of a list' 2 'imagenet tf raw255' \
    train a b --preprocess imagnet
for o in epochs=3 time=10 patience=2 optimizer=adamw lr=0.1 momentum=0 \
    weight-decay=0 schedule=linear warmup=0 layer-decay=0.5 batch-size=8 \
    clip=0 label-smoothing=0.1 mixup=0.2 ema=0.9 freeze=bias views=fresh; do
    fails_in_one_line "--$o would do nothing for the head alone" 2 \
        "--${o%=*}.* needs --unfreeze" train a b "--$o"
done
fails_in_one_line 'blue and red cannot both be first' 2 'exclude' \
    train a b --bgr --rgb
fails_in_one_line 'cache wants a known word' 2 'list.clear' cache burn
fails_in_one_line 'export wants a file' 2 'wants -o' export a
fails_in_one_line 'export goes one way' 2 'exclude' \
    export a -o b --embed --external-data
fails_in_one_line 'export writes no standard output' 2 'name a file' \
    export a -o -
fails_in_one_line 'nor does train' 2 'name a file' train a b -o -
fails_in_one_line 'nor run' 2 'name a file' run a b.npy -o -
fails_in_one_line 'run wants a file' 2 'wants -o' run a b.npy
fails_in_one_line 'a name with escapes stays harmless' 1 'm.onnx' \
    inspect "$T/"$'\e[2Jm.onnx'

# The same whatever the order and the form.
for form in "inspect $T/no.onnx --threads 2" "inspect --threads=2 $T/no.onnx" \
    "inspect --threads 2 -- $T/no.onnx" "inspect -q $T/no.onnx"; do
    # shellcheck disable=SC2086
    fails_in_one_line "form: ${form/"$T/"/}" 1 'no.onnx' $form
done

if [ -w /dev/full ]; then
    "$GRAFT" --help >/dev/full 2>"$T/err"
    code=$?
    true_that 'a full disk behind stdout is a failure' \
        grep -q 'graft: standard output.*No space' "$T/err"
    true_that 'and its exit code is 1' test $code = 1
fi
"$GRAFT" --help 2>"$T/err" | head -c 1 >/dev/null
true_that 'a closed pipe kills nothing' test "${PIPESTATUS[0]}" -le 1
# A reader that is gone before the first byte, for certain.
mkfifo "$T/pipe"
exec 3<>"$T/pipe" 4>"$T/pipe" 3>&-
"$GRAFT" --help >&4 2>"$T/err"
code=$?
exec 4>&-
true_that 'a reader that left is no cause for words' test ! -s "$T/err"
true_that 'but for exit code 1' test $code = 1
finish
