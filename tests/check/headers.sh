#!/usr/bin/env bash
# Each public header compiles alone, as C11 and as C++11, without a warning;
# each header of src/ compiles alone as C11.
# SPDX-License-Identifier: Apache-2.0
set -u
failed=0
n=0
cc=${CC:-cc}
plain="-pedantic -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only"
cxx=yes
echo 'int main() { return 0; }' |
    $cc -x c++ -fsyntax-only - 2>/dev/null || {
    cxx=
    echo "no C++ compiler here (Debian: g++): headers are checked as C only"
}
for header in include/graft.h include/graft/*.h; do
    n=$((n + 1))
    name=${header#include/}
    # shellcheck disable=SC2086
    printf '#include "%s"\n#include "%s"\n' "$name" "$name" |
        $cc -x c -std=c11 $plain -Iinclude - || failed=1
    # shellcheck disable=SC2086
    [ -z "$cxx" ] || printf '#include "%s"\n' "$name" |
        $cc -x c++ -std=c++11 $plain -Iinclude - || failed=1
done
while IFS= read -r header; do
    case $header in
    src/kernels/body_*) continue ;; # included several times, inside others
    esac
    n=$((n + 1))
    # shellcheck disable=SC2086
    printf '#include "%s"\n' "${header#src/}" |
        $cc -x c -std=c11 $plain -D_GNU_SOURCE= -Iinclude -Isrc \
            -I"${BUILD:-build}/gen" - || failed=1
done < <(find src -name '*.h' | sort)
echo "$n headers"
exit $failed
