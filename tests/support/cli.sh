# What the tests of the program share. A test script sources this, calls
# check..., and ends with `finish`. Everything is written below $T.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
set -u
case ${GRAFT:=${BUILD:-build}/graft} in
/*) ;;
*) GRAFT=$PWD/$GRAFT ;;
esac
case ${DRAW:=${BUILD:-build}/draw} in
/*) ;;
*) DRAW=$PWD/$DRAW ;;
esac
TOP=$PWD
SHARED=${GRAFT_SHARED:-../shared}
MINI=$TOP/pretrained/graft-mini.onnx
T=$(mktemp -d) || exit 1
# Nothing of the user's cache is read or written.
export GRAFT_CACHE=$T/cache
trap 'chmod -R u+w "$T" 2>/dev/null; rm -rf "$T"' EXIT
bad=0

ok() { echo "ok - $1"; }
skip() { echo "ok - $1 # SKIP $2"; }
not_ok()
{
    bad=1
    echo "not ok - $1"
    shift
    [ $# = 0 ] || printf '    %s\n' "$@"
}

# graft ARGS...: runs the program; its exit code, output, errors are left in
# $code, $T/out, $T/err.
graft()
{
    "$GRAFT" "$@" >"$T/out" 2>"$T/err" </dev/null
    code=$?
}

details()
{
    echo "    exit code $code"
    head -n 12 "$T/err" | sed 's/^/    err: /'
    head -n 6 "$T/out" | sed 's/^/    out: /'
}

# gives CLAIM CODE PATTERN ARGS...: the exit code matches CODE (a glob), and
# what is said matches PATTERN: on stdout for 0 and 3, else on stderr.
gives()
{
    local claim=$1 want=$2 pattern=$3 file=$T/err
    shift 3
    graft "$@"
    [[ "$code" = 0 || "$code" = 3 ]] && file=$T/out
    # shellcheck disable=SC2053
    if [[ "$code" != $want ]]; then
        not_ok "$claim" "exit code $code, not $want"
        details
    elif [ -n "$pattern" ] && ! grep -Eq -- "$pattern" "$file"; then
        not_ok "$claim" "no '$pattern' in what was said"
        details
    else
        ok "$claim"
    fi
}

# fails_in_one_line CLAIM CODE PATTERN ARGS...: the same, and stderr holds
# exactly one line, "graft: ...", without control characters, stdout nothing.
fails_in_one_line()
{
    local claim=$1 want=$2 pattern=$3
    shift 3
    graft "$@"
    local lines
    lines=$(wc -l <"$T/err")
    # shellcheck disable=SC2053
    if [[ "$code" != $want ]] || [ "$lines" != 1 ] || [ -s "$T/out" ] ||
        ! grep -Eq -- "^graft: .*($pattern)" "$T/err" ||
        LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f]' "$T/err"; then
        not_ok "$claim" "wanted: exit code $want, one line with '$pattern'"
        details
    else
        ok "$claim"
    fi
}

# true_that CLAIM COMMAND...
true_that()
{
    local claim=$1
    shift
    if "$@" >"$T/said" 2>&1; then
        ok "$claim"
    else
        not_ok "$claim" "$(head -n 5 "$T/said")"
    fi
}

shared() { [ -e "$SHARED/$1" ]; }

# A NumPy file of zeros.
npy() # file, dtype, dims, bytes
{
    local h="{'descr': '$2', 'fortran_order': False, 'shape': (${3//,/, }), }"
    while [ $(((10 + ${#h} + 1) % 64)) != 0 ]; do h="$h "; done
    {
        printf '\223NUMPY\001\000'
        printf "\\$(printf %03o $(((${#h} + 1) % 256)))"
        printf "\\$(printf %03o $(((${#h} + 1) / 256)))"
        printf '%s\n' "$h"
        head -c "$4" /dev/zero
    } >"$1"
}
# The small set that tests train on: drawn once for each run of make test.
pictures() # sets $PICTURES to a folder with train/ and val/, cat/ and tiger/
{
    PICTURES=${BUILD:-build}/test-pictures
    case $PICTURES in /*) ;; *) PICTURES=$TOP/$PICTURES ;; esac
    [ -d "$PICTURES/train/tiger" ] && return 0
    rm -rf "$PICTURES.new.$$"
    "$DRAW" --set target --per-class 24 --val 12 "$PICTURES.new.$$" \
        >"$T/draw" 2>&1 || return 1
    mv -T "$PICTURES.new.$$" "$PICTURES" 2>/dev/null ||
        rm -rf "$PICTURES.new.$$"
    [ -d "$PICTURES/train/tiger" ]
}

few_pictures() # how many of each class to learn from: few/train, few/val
{
    local c f
    for c in cat tiger; do
        mkdir -p few/train/$c few/val/$c
        for f in $(find "$PICTURES/train/$c" -name '*.jpg' | sort |
            head -n "$1"); do
            cp "$f" few/train/$c/
        done
        for f in $(find "$PICTURES/val/$c" -name '*.jpg' | sort |
            head -n 3); do
            cp "$f" few/val/$c/
        done
    done
}

# Trains as ARGS say, and ends it by a signal once its log has more lines
# than that; its exit code is left in $code. The log lies beside FILE.
ended_by() # signal, lines, FILE of -o, ARGS...
{
    local signal=$1 lines=$2 log=${3%.onnx}.run/log.jsonl pid
    "$GRAFT" train "${@:4}" -o "$3" >"$T/out" 2>"$T/err" </dev/null &
    pid=$!
    for _ in $(seq 1500); do
        [ "$(cat "$log" 2>/dev/null | wc -l)" -gt "$lines" ] && break
        sleep 0.01
    done
    kill -"$signal" $pid
    { wait $pid; } 2>/dev/null
    code=$?
}

finish() { exit $bad; }
