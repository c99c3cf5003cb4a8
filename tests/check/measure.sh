#!/usr/bin/env bash
# measure.sh FOLDER...: "lines file:line name" of every function, longest
# first. Our style makes them easy to find: a body is what stands between "{"
# and "}" in the first column, unless a type or a table opened it.
# SPDX-License-Identifier: Apache-2.0
set -u
find "$@" -name '*.c' -o -name 'body_*.h' | sort | tr '\n' '\0' | xargs -0 awk '
    FNR == 1 { open = 0; head = "" }
    /^[A-Za-z_].*\(/ { head = $0; at = FNR }
    /^\{/ && head != "" { open = at }
    /^\}/ && open {
        name = head
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
        print FNR - open + 1, FILENAME ":" open, name
        open = 0
        head = ""
    }' | sort -k1,1nr -k2,2
