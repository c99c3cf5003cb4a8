#!/usr/bin/env bash
# Places that cannot be written: nothing half-written, exit code 1.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
if ! pictures; then
    not_ok 'pictures are drawn' "$(cat "$T/draw")"
    finish
fi
cd "$T" || exit 1
left() { find "$1" -mindepth 1 | wc -l; }

fails_in_one_line 'a folder that is not there' 1 'nowhere' \
    export "$MINI" -o nowhere/a.onnx
fails_in_one_line 'the same when training, before the work' 1 'nowhere' \
    train "$MINI" "$PICTURES" -o nowhere/a.onnx
fails_in_one_line 'a file as folder' 1 '.' export "$MINI" -o "$MINI/a.onnx"
mkdir taken.onnx
fails_in_one_line 'a folder of that name' 1 'taken.onnx' \
    export "$MINI" -o taken.onnx -f

# root writes into read-only folders, so it becomes somebody else.
mkdir locked && chmod 555 locked
as=
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$T"
    as="setpriv --reuid=65534 --regid=65534 --clear-groups"
    $as test -r "$MINI" 2>/dev/null &&
        $as "$GRAFT" --version >/dev/null 2>&1 || as=none
fi
if [ "$as" = none ]; then
    skip 'a read-only folder' 'root, and cannot become somebody else'
else
    $as "$GRAFT" export "$MINI" -o locked/a.onnx >out 2>err
    code=$?
    true_that 'a read-only folder' test $code = 1
    true_that 'is named' grep -q '^graft: .*locked' err
    true_that 'and stays empty' test "$(left locked)" = 0
fi

# A full disk: a small one where we may mount it, and everywhere a limit on
# the size of files, which stops a write in the middle just the same.
mkdir small
if mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
    fails_in_one_line 'a full disk' 1 '(space|small)' \
        export "$MINI" -o small/a.onnx
    true_that 'holds nothing afterwards' test "$(left small)" = 0
    fails_in_one_line 'a full disk at the end of a training' 1 '(space|small)' \
        train "$MINI" "$PICTURES" -o small/a.onnx
    true_that 'holds nothing half-written' test "$(left small)" = 0
    umount small
else
    skip 'a full disk' 'may not mount a small one'
fi
mkdir cut
(
    ulimit -f 64
    exec "$GRAFT" export "$MINI" -o cut/a.onnx >out 2>err
)
code=$?
true_that 'a write that stops in the middle' test $code = 1
true_that 'is said in one line' test "$(grep -c '^graft: ' err)" = 1
true_that 'and leaves nothing' test "$(left cut)" = 0
echo old >cut/a.onnx
(
    ulimit -f 64
    exec "$GRAFT" export "$MINI" -o cut/a.onnx -f >out 2>err
)
true_that 'the old file survives a failed -f' grep -qx old cut/a.onnx
true_that 'alone' test "$(left cut)" = 1

# Where the cache cannot be written, training works without it.
: >nocache
gives 'a cache folder that cannot be made' '[01]' '.' \
    train "$MINI" "$PICTURES" --cache nocache/x
finish
