#!/usr/bin/env bash
# make check: what a compiler does not see. Each check prints what it found
# and fails when that is anything.
# SPDX-License-Identifier: Apache-2.0
set -u
failed=0
for check in layers headers banned exports texts functions; do
    if found=$(bash "tests/check/$check.sh" 2>&1); then
        printf 'ok      %-10s %s\n' "$check" "$(printf '%s' "$found" | tail -n 1)"
    else
        printf 'NOT OK  %s\n%s\n' "$check" "$found"
        failed=1
    fi
done
exit $failed
