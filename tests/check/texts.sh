#!/usr/bin/env bash
# Texts: every source names its licence, nothing names this machine or an
# address of a registry, nothing is left half done, no tabs or stray blanks.
# SPDX-License-Identifier: Apache-2.0
set -u
failed=0
if git rev-parse --git-dir >/dev/null 2>&1; then
    files=$(git ls-files --cached --others --exclude-standard)
else
    files=$(find . -type f -not -path './build*' | sed 's|^\./||')
fi
texts=$(printf '%s\n' "$files" | grep -Ev '\.(onnx|data|jpg|jpeg|png|bmp|npy|npz|bin|ppm|rgb)$' |
    grep -v '^LICENSE$' | while IFS= read -r f; do [ -f "$f" ] && grep -Iq . "$f" && echo "$f"; done)
search() # pattern, why; the scripts of this folder contain the patterns
{
    local hits
    hits=$(printf '%s\n' "$texts" | grep -v '^tests/check/' |
        tr '\n' '\0' | xargs -0 grep -nEI -- "$1" 2>/dev/null)
    [ -z "$hits" ] && return
    printf '%s\n  (%s)\n' "$hits" "$2"
    failed=1
}
while IFS= read -r f; do
    case $f in
    *.c | *.h | *.sh | *.py | *.proto | Makefile | .ci/*)
        if ! head -n 60 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0'; then
            echo "$f: no SPDX line"
            failed=1
        fi ;;
    esac
done <<END
$texts
END
search '/(home|root|work|Users)/[a-z]' 'a path of one machine'
search 'index-url|://pypi|files\.pythonhosted|deb\.debian\.org' 'the address of a registry'
search '(TODO|FIXME)' 'something left undone'
hits=$(printf '%s\n' "$texts" | grep -E '\.(c|h)$' | tr '\n' '\0' |
    xargs -0 awk 'FNR == 1 { n = 0 } /\t/ { print FILENAME ":" FNR ": tab" }
        / +$/ { print FILENAME ":" FNR ": blank at the end" }
        length($0) > 80 && FILENAME !~ /vectors/ { print FILENAME ":" FNR ": " length($0) " columns" }')
if [ -n "$hits" ]; then
    printf '%s\n' "$hits"
    failed=1
fi
echo "$(printf '%s\n' "$texts" | wc -l) files"
exit $failed
