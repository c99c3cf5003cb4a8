#!/usr/bin/env bash
# A folder of src/ includes itself, what stands to its left, and include/;
# cli includes itself and include/ only.
# SPDX-License-Identifier: Apache-2.0
set -u
order=(base tensor kernels dist report graph ops program onnx data train task api)
declare -A rank
for i in "${!order[@]}"; do rank[${order[$i]}]=$i; done
rank[cli]=100
failed=0
files=0
while IFS= read -r file; do
    files=$((files + 1))
    folder=${file#src/}
    folder=${folder%%/*}
    if [ -z "${rank[$folder]+x}" ]; then
        echo "$file: the folder src/$folder has no place in the order"
        failed=1
        continue
    fi
    while IFS= read -r header; do
        from=${header%%/*}
        [ "$header" = "$from" ] && from=$folder       # "cli.h"
        case $header in
        graft.h | graft/*) continue ;;
        *.pb-c.h) from=onnx ;;
        esac
        if [ "$folder" = cli ] && [ "$from" != cli ]; then
            echo "$file: cli sees only include/, not $header"
            failed=1
        elif [ -z "${rank[$from]+x}" ]; then
            echo "$file: includes $header, which is in no folder of src/"
            failed=1
        elif [ "${rank[$from]}" -gt "${rank[$folder]}" ]; then
            echo "$file: $folder must not include $header"
            failed=1
        fi
    done < <(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file")
done < <(find src -name '*.[ch]' | sort)
# Public headers stand on their own.
while IFS= read -r file; do
    if grep -n '# *include "' "$file" | grep -v '"graft/'; then
        echo "$file: public headers include public headers only"
        failed=1
    fi
done < <(find include -name '*.h' | sort)
echo "$files files"
[ "$files" -gt 0 ] && exit $failed
