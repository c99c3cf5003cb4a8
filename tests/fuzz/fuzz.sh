#!/usr/bin/env bash
# fuzz.sh TARGET...: each for $T seconds, as many at once as there are
# processors. What is found stays in $BUILD/fuzz/found, the corpus that later
# runs begin with in $BUILD/fuzz/corpus. Ends with a line
# "N passed, N failed, N skipped"; exit 1 when anything was found.
# SPDX-License-Identifier: Apache-2.0
set -u
T=${T:-60}
jobs=${JOBS:-$(nproc 2>/dev/null || echo 1)}
dir=${BUILD:-build}/fuzz
suite=/usr/share/libonnx-testdata
largest=4096 # bytes of a model of the suite
declare -A max_len=([import]=65536 [inspect]=65536 [image]=16384)
mkdir -p "$dir/found" "$dir/log"

# Folders for what targets write: in memory where that is possible.
room=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 1
trap 'rm -rf "$room"' EXIT

seeds()
{
    rm -rf "$dir/seeds"
    mkdir -p "$dir/seeds"
    "$dir/build/seeds" "$dir/seeds" || return 1
    [ -d "$suite" ] || return 0
    local n=0 file
    while IFS= read -r file; do
        n=$((n + 1))
        ln "$file" "$dir/seeds/import/suite-$n.onnx" 2>/dev/null ||
            cp "$file" "$dir/seeds/import/suite-$n.onnx"
        ln "$dir/seeds/import/suite-$n.onnx" "$dir/seeds/inspect/"
    done < <(find "$suite" -name '*.onnx' -size "-$((largest + 1))c" | sort)
}

one() # target
{
    local log=$dir/log/$1.log
    mkdir -p "$room/$1" "$dir/corpus/$1"
    head -c 64 /dev/zero >"$room/$1/data.bin"
    local words=()
    [ -f "$dir/seeds/$1.dict" ] && words=("-dict=$dir/seeds/$1.dict")
    GRAFT_FUZZ_FOLDER=$room/$1 \
    ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=64 \
    UBSAN_OPTIONS=print_stacktrace=1 \
        "$dir/build/fuzz_$1" -max_total_time="$T" -timeout=60 \
        -rss_limit_mb=2048 -max_len="${max_len[$1]:-4096}" \
        -print_final_stats=1 -artifact_prefix="$dir/found/$1-" \
        "${words[@]}" ${FUZZ_FLAGS:-} "$dir/corpus/$1" "$dir/seeds/$1" \
        >"$log" 2>&1
    echo $? >"$dir/log/$1.code"
}

seeds || exit 1
touch "$room/start"
for target in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    one "$target" &
done
wait

passed=0
failed=0
for target in "$@"; do
    log=$dir/log/$target.log
    runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log" | tail -n 1)
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    found=$(find "$dir/found" -name "$target-*" -newer "$room/start" | sort)
    printf '%-10s %10s runs %7s edges %6s inputs kept  %s\n' "$target" \
        "${runs:-?}" "${edges:-?}" "$(find "$dir/corpus/$target" -type f |
        wc -l)" "$([ -z "$found" ] && echo 'nothing found' || echo FOUND)"
    if [ -z "$found" ] && [ "$(cat "$dir/log/$target.code")" = 0 ]; then
        passed=$((passed + 1))
        continue
    fi
    failed=$((failed + 1))
    echo "---- $target (whole log: $log)"
    grep -E -m 3 '^==FUZZ==|ERROR:|runtime error|SUMMARY' "$log" ||
        tail -n 5 "$log"
    [ -z "$found" ] || echo "again with: $dir/build/fuzz_$target" $found
done
echo
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
