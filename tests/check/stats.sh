#!/usr/bin/env bash
# make stats: sizes, as a reason to look again.
# SPDX-License-Identifier: Apache-2.0
set -u
build=${BUILD:-build}
bash tests/check/measure.sh src | awk '
    { n[NR] = $1; text[NR] = $0 }
    END {
        printf "functions    %d; median %d lines, p95 %d, longest:\n", NR,
            n[int((NR + 1) / 2)], n[int(NR * 0.05) + 1]
        for (i = 1; i <= 5 && i <= NR; i++) print "             " text[i]
    }'
for folder in src tests examples include; do
    find $folder -name '*.[ch]' -print0 | xargs -0 cat |
        awk -v f=$folder '{ n++ } END { printf "lines        %-9s %6d\n", f, n }'
done
echo "longest files"
find src -name '*.[ch]' -print0 | xargs -0 wc -l | sort -nr | sed -n '2,6p' |
    sed 's/^/             /'
cp "$build/graft" "$build/graft.stripped" && strip "$build/graft.stripped"
size() { stat -Lc %s "$1"; }
printf 'program      %9d bytes, stripped\n' "$(size "$build/graft.stripped")"
total=0
echo "libraries that it needs (ldd)"
while IFS= read -r lib; do
    bytes=$(size "$lib")
    total=$((total + bytes))
    printf '             %10d  %s\n' "$bytes" "${lib##*/}"
done < <(ldd "$build/graft" | grep -o '/[^ ]*')
printf '             %10d  together\n' "$total"
if [ "$(size "$build/graft.stripped")" -ge 1000000 ]; then
    echo "the program is over 1 MB"
    exit 1
fi
