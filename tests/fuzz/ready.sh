#!/bin/sh
# Is there a clang that fuzzes? Otherwise says what would help, and fails.
# SPDX-License-Identifier: Apache-2.0
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/a.c" <<'END'
#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return data && size > 1000000;
}
END
${FUZZ_CC:-clang} -fsanitize=fuzzer,address,undefined -o "$tmp/a" "$tmp/a.c" \
    >/dev/null 2>&1 && exit 0
cat >&2 <<'END'
graft: fuzzing needs clang with libFuzzer, which is not here; please run, with
the right to install packages (llvm makes stack traces readable):
apt-get install -y --no-install-recommends clang libclang-rt-dev llvm
END
exit 1
