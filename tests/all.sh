#!/usr/bin/env bash
# all.sh SUITE...: runs test suites, shows what fails, and ends with one line
# "N passed, N failed, N skipped" over all of them.
# Logs stay in $BUILD/logs. V=1 shows everything.
# SPDX-License-Identifier: Apache-2.0
set -u
BUILD=${BUILD:-build}
logs=$BUILD/logs
mkdir -p "$logs"
passed=0
failed=0
skipped=0

# A cmocka program: its closing lines carry the counts. A program that dies
# before them has failed once more than it says.
unit_counts() # log, exit code
{
    p=$(grep -c '^\[       OK \]' "$1")
    s=$(grep -c '^\[  SKIPPED \] [a-z]' "$1")
    if grep -q '^\[==========\] .*run\.' "$1"; then
        s=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test(s).*/\1/p' "$1")
        s=${s:-0}
        f=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p' "$1")
        f=${f:-0}
    else
        f=$(($(grep -c '^\[  FAILED  \] [a-z]' "$1") + 1))
    fi
    if [ "$2" != 0 ] && [ "$f" = 0 ]; then f=1; fi
}

# A shell suite: lines "ok - ...", "not ok - ...", "ok - ... # SKIP why".
shell_counts()
{
    s=$(grep -c '^ok - .*# SKIP' "$1")
    p=$(($(grep -c '^ok - ' "$1") - s))
    f=$(grep -c '^not ok - ' "$1")
    if [ "$2" != 0 ] && [ "$f" = 0 ]; then f=1; fi
    if [ "$p" = 0 ] && [ "$s" = 0 ] && [ "$f" = 0 ]; then f=1; fi
}

suite() # kind, name, command...
{
    local kind=$1 name=$2 log=$logs/$2.log start=$SECONDS code
    shift 2
    if [ -n "${V:-}" ]; then
        "$@" 2>&1 | tee "$log"
        code=${PIPESTATUS[0]}
    else
        "$@" >"$log" 2>&1
        code=$?
    fi
    "${kind}_counts" "$log" "$code"
    passed=$((passed + p))
    failed=$((failed + f))
    skipped=$((skipped + s))
    printf '%-22s %5d passed %3d failed %3d skipped  %4d s\n' "$name" "$p" \
        "$f" "$s" $((SECONDS - start))
    [ "$f" = 0 ] && return
    echo "---- $name (whole log: $log)"
    if [ "$kind" = shell ]; then
        grep -A 12 '^not ok - ' "$log" | head -n 120
    else
        grep -E -B 12 '^\[  FAILED  \] [a-z]|ERROR: |runtime error' "$log" |
            head -n 150
    fi
    tail -n 5 "$log"
    echo "----"
}

cli() # build folder, suffix
{
    local t
    for t in tests/cli/test_*.sh; do
        suite shell "$(basename "$t" .sh)$2" env GRAFT="$1/graft" \
            DRAW="$BUILD/draw" BUILD="$BUILD" bash "$t"
    done
}

run_units() { suite unit units "$BUILD/run-tests"; }
run_gradients()
{
    suite unit gradients "$BUILD/double/run-tests" gradient
}
run_cli() { cli "$BUILD" ''; }
run_install() { suite shell install bash tests/install/test_install.sh; }
run_asan()
{
    suite unit asan-units env ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 \
        UBSAN_OPTIONS=print_stacktrace=1 "$BUILD/asan/run-tests"
}
run_asan_cli()
{
    SANITIZED=1
    export SANITIZED
    export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
    cli "$BUILD/asan" -asan
    unset SANITIZED
}
# What threads share: the pool, the loader, the cache.
run_tsan()
{
    local calm=
    # Old thread sanitizers do not bear much address randomisation.
    setarch "$(uname -m)" -R true 2>/dev/null && calm="setarch $(uname -m) -R"
    # shellcheck disable=SC2086
    suite unit tsan-units $calm "$BUILD/tsan/run-tests" pool load cache \
        threads
}

if [ ! -d "${GRAFT_SHARED:-../shared}" ]; then
    echo "NOTE: ../shared (real models and photos) is not here; the tests"
    echo "NOTE: that need it are skipped. The rest stands on its own material."
fi
for name in "$@"; do
    "run_${name//-/_}"
done
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
