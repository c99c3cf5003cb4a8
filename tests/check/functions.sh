#!/usr/bin/env bash
# No function over 70 lines, none below the top of a file without a name of
# ours when others see it.
# SPDX-License-Identifier: Apache-2.0
set -u
long=$(bash tests/check/measure.sh src | awk '$1 > 70')
if [ -n "$long" ]; then
    echo "functions over 70 lines:"
    echo "$long"
    exit 1
fi
echo "$(bash tests/check/measure.sh src | wc -l) functions, none over 70 lines"
