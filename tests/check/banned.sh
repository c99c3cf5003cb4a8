#!/usr/bin/env bash
# Calls that have a better way here, and libraries that have one place.
# SPDX-License-Identifier: Apache-2.0
set -u
failed=0
# Comments and string literals removed, one "file:line:text" for each line.
code()
{
    find src examples -name '*.[ch]' | sort | while IFS= read -r f; do
        sed -e 's/\\"//g' -e 's/"[^"]*"/""/g' -e "s/'[^']*'/0/g" "$f" |
            awk -v f="$f" '{
                line = $0
                out = ""
                while (line != "") {
                    if (inside) {
                        at = index(line, "*/")
                        if (!at) break
                        line = substr(line, at + 2); inside = 0
                    } else {
                        at = index(line, "/*")
                        if (!at) { out = out line; break }
                        out = out substr(line, 1, at - 1)
                        line = substr(line, at + 2); inside = 1
                    }
                }
                sub(/\/\/.*/, "", out)
                if (out ~ /[^ ]/) print f ":" NR ":" out
            }'
    done
}
all=$(code)
# ban WORDS EXCEPT WHY: no call of WORDS outside files that match EXCEPT.
ban()
{
    local hits
    hits=$(printf '%s\n' "$all" |
        grep -E "^[^:]*:[0-9]*:(.*[^a-zA-Z0-9_])?($1) *\(" |
        grep -Ev "^($2):")
    [ -z "$hits" ] && return
    printf '%s\n  (%s)\n' "$hits" "$3"
    failed=1
}
use()
{
    local hits
    hits=$(printf '%s\n' "$all" |
        grep -E "^[^:]*:[0-9]*:(.*[^a-zA-Z0-9_])?($1)" | grep -Ev "^($2):")
    [ -z "$hits" ] && return
    printf '%s\n  (%s)\n' "$hits" "$3"
    failed=1
}
ban 'sprintf|vsprintf|strcpy|strcat|strncat|atoi|atol|atof|strtok|rand|srand|gets|alloca' \
    'none' 'unbounded, unchecked, or with hidden state'
ban 'malloc|calloc|realloc|free|strdup|strndup|aligned_alloc|posix_memalign' \
    'src/base/alloc\.c|examples/.*' 'memory comes from base/alloc.c'
ban 'printf|fprintf|puts|putchar|perror|exit|_exit|abort' \
    'src/cli/.*|examples/.*' 'only the program prints and exits'
use 'cblas_[a-z]|LAPACKE_|openblas_' 'src/kernels/gemm\.c' 'kernels/gemm.c is the only user of BLAS'
use 'stbi_[a-z]' 'src/data/image[a-z_]*\.c|examples/draw[a-z_]*\.c' 'data/image*.c is the only user of stb_image'
use 'Onnx__|onnx__' 'src/onnx/.*' 'src/onnx is the only user of protobuf-c'
use 'tj[A-Z][A-Za-z0-9]*' 'src/data/image[a-z_]*\.c' 'data/image*.c is the only user of libjpeg-turbo'
use 'XXH' 'src/base/.*' 'base is the only user of xxHash'
# Members and declarations of that name are something else.
hits=$(printf '%s\n' "$all" |
    grep -E '^[^:]*:[0-9]*:(.*[^a-zA-Z0-9_.>*])?(openat|openat2|open|pread|read|pwrite|write|fsync|fdatasync|fstat|lstat|stat|rename|link|unlink|mkdir|rmdir|ftruncate|flock|close|opendir|readdir|closedir|scandir|fopen|fdopen|mmap|realpath|futimens|syscall)\(' |
    grep -Ev '^(src/base/io\.c|src/cli/.*|examples/.*):')
if [ -n "$hits" ]; then
    printf '%s\n  (files are reached through base/io.c)\n' "$hits"
    failed=1
fi
ban 'pthread_create|fork|system|popen' 'src/base/pool\.c|examples/.*' 'threads come from base/pool.c, processes from nowhere'
n=$(printf '%s\n' "$all" | wc -l)
echo "$n lines of code"
[ "$n" -gt 0 ] && exit $failed
