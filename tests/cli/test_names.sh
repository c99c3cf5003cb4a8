#!/usr/bin/env bash
# Names that want to drive the terminal: in models that are shown, refused,
# written anew.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
cd "$T" || exit 1
esc=$'\e[2J\e]0;owned\a\r'

# shellcheck disable=SC2059
byte() { printf "\\x$(printf %02x "$1")"; }
# field N TEXT, message N FILE: one of up to 16383 bytes; number N VALUE
head_of()
{
    local tag=$(($1 << 3 | 2))
    ((tag > 127)) && byte $((tag & 127 | 128)) && tag=$((tag >> 7))
    byte $tag
    byte $(($2 & 127 | 128))
    byte $(($2 >> 7))
}
field() { head_of "$1" "$(printf %s "$2" | wc -c)"; printf %s "$2"; }
message() { head_of "$1" "$(wc -c <"$2")"; cat "$2"; }
number() { byte $(($1 << 3)); byte "$2"; }

# model OUT INPUT: x -> Relu -> y with escapes in every name; the node reads
# INPUT.
model()
{
    field 2 "N$esc" >symbol # dimensions: one symbol, one number
    number 1 4 >four
    { message 1 symbol; message 1 four; } >shape
    { number 1 1; message 2 shape; } >tensor
    message 1 tensor >its_type
    { field 1 "x$esc"; message 2 its_type; } >in
    { field 1 "y$esc"; message 2 its_type; } >out_
    {
        field 1 "$2"
        field 2 "y$esc"
        field 3 "node$esc"
        field 4 "${3:-Relu}"
    } >node
    { message 1 node; field 2 "graph$esc"; message 11 in; message 12 out_; } \
        >graph
    { field 1 ''; number 2 17; } >opset
    {
        number 1 8
        field 2 "producer$esc"
        message 7 graph
        message 8 opset
    } >"$1"
}
clean() # CLAIM: what the last command said holds no control characters
{
    true_that "$1" bash -c '! LC_ALL=C grep -q $'"'[\\x01-\\x08\\x0b-\\x1f\\x7f]'"' out err'
}

model good.onnx "x$esc"
gives 'a model full of escapes is shown' 0 '^producer|by producer' \
    inspect good.onnx --plan
clean 'harmlessly'
true_that 'with its names' grep -Eq '^input +x\?\[2J\?\]0;owned\?\? float32' out
gives 'as JSON too' 0 '"name": "x' inspect good.onnx --json
clean 'where escapes are escaped'
gives 'and written anew' 0 'written' export good.onnx -o copy.onnx
clean 'without a control character on the way'
true_that 'byte for byte' cmp good.onnx copy.onnx
fails_in_one_line 'an output that is not there' 1 'owned' \
    export good.onnx -o none.onnx --outputs "z$esc"
fails_in_one_line 'training is refused in one line' 1 'good.onnx|owned' \
    train good.onnx . -o none.onnx

model bad.onnx "nowhere$esc"
fails_in_one_line 'a damaged one is refused in one line' 1 \
    "'bad.onnx': Relu 'node.*' reads 'nowhere.*', which nothing computes" \
    inspect bad.onnx
model odd.onnx "x$esc" "Wonder$esc"
gives 'an operator of such a name is shown' 0 'Wonder.* no: ' inspect odd.onnx
clean 'harmlessly too'
cp good.onnx "file$esc.onnx"
gives 'a file of such a name is shown' 0 '^model +file' inspect "file$esc.onnx"
clean 'and its name, too'
finish
