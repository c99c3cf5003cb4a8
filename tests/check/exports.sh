#!/usr/bin/env bash
# The shared library exports what the headers mark GRAFT_API, and no more;
# its soname is right; the static library adds nothing without our prefix.
# SPDX-License-Identifier: Apache-2.0
set -u
build=${BUILD:-build}
failed=0
promised=$(cat include/graft.h include/graft/*.h | tr '\n' ' ' |
    grep -o 'GRAFT_API [a-z][^;(#]*(' | sed 's/.*[ *]\(graft_[a-z0-9_]*\)($/\1/' |
    sort -u)
exported=$(nm -D --defined-only "$build/libgraft.so" | awk '{print $3}' |
    sort -u)
if [ "$promised" != "$exported" ]; then
    echo "headers (<) and libgraft.so (>) differ:"
    diff <(echo "$promised") <(echo "$exported")
    failed=1
fi
if ! readelf -d "$build/libgraft.so" | grep -q 'SONAME.*libgraft\.so\.[0-9]'; then
    echo "libgraft.so has no soname"
    failed=1
fi
foreign=$(nm -g --defined-only "$build/libgraft.a" 2>/dev/null |
    awk 'NF == 3 {print $3}' | grep -Ev '^(graft_|onnx__)' | sort -u)
if [ -n "$foreign" ]; then
    echo "names without our prefix in libgraft.a:"
    echo "$foreign"
    failed=1
fi
echo "$(echo "$promised" | wc -l) functions"
exit $failed
