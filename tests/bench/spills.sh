#!/usr/bin/env bash
# spills.sh OBJECT...: stack accesses in the hot loops of kernels, by objdump.
# A hot loop is a jump backwards, with none inside it, around multiplications
# of vectors; a spill is an operand between its ends that lies on the stack.
# Ends with 1 when a loop of the micro-kernel spills; the others are counted.
# SPDX-License-Identifier: Apache-2.0
set -u
failed=0
printf '%-32s %6s %6s\n' "hot loops of" loops spills
for object in "$@"; do
    "${OBJDUMP:-objdump}" -d --no-show-raw-insn "$object" |
        awk '
    function number(hex,   n, i) {
        for (i = 1; i <= length(hex); i++)
            n = 16 * n + index("0123456789abcdef", substr(hex, i, 1)) - 1
        return n
    }
    # The function has ended: its innermost loops, those with products.
    function finish(   product, j, k, i, inner, products,
                    spills, loops, all) {
        product = "^(vfn?m(add|sub)|v?mulp[sd]|fml[as])"
        for (j = 1; j <= jumps; j++) {
            inner = 1
            for (k = 1; k <= jumps; k++)
                if (k != j && to[k] >= to[j] && from[k] <= from[j])
                    inner = 0
            products = spills = 0
            for (i = 1; inner && i <= lines; i++)
                if (at[i] >= to[j] && at[i] <= from[j]) {
                    products += text[i] ~ product
                    spills += text[i] ~ stack
                }
            if (products > 1) {
                loops++
                all += spills
            }
        }
        if (loops && fn ~ /^(block|conv|wino)_/)
            print group, loops, all, fn
    }
    /^[0-9a-f]+ <.*>:$/ {
        finish()
        fn = substr($2, 2, length($2) - 3)
        sub(/\..*/, "", fn) # what compilers add to a name
        group = fn
        sub(/_[0-9]+$/, "_N", group)
        lines = jumps = 0
        stack = "[(]%rsp|[[]sp"
        next
    }
    /^ *[0-9a-f]+:\t/ {
        lines++
        split($0, part, "\t")
        sub(/^ */, "", part[1])
        at[lines] = number(substr(part[1], 1, length(part[1]) - 1))
        text[lines] = part[2] (part[3] != "" ? " " part[3] : "")
        gsub(/ +/, " ", text[lines])
        # x86: a frame pointer is one only where it was made from rsp
        if (text[lines] ~ /^mov %rsp,%rbp/)
            stack = "[(]%r[sb]p|[[]sp"
        if (text[lines] ~ /^(j|b[ .]|cbn?z|tbn?z)/ &&
            match(text[lines], /[0-9a-f]+ </)) {
            target = number(substr(text[lines], RSTART, RLENGTH - 2))
            if (target <= at[lines]) {
                jumps++
                to[jumps] = target
                from[jumps] = at[lines]
            }
        }
    }
    END { finish() }' |
        awk -v name="$(basename "$object" .o)" '
    { loops[$1] += $2; spills[$1] += $3 }
    $3 { where[$1] = where[$1] " " $4 ":" $3 }
    END {
        for (g in loops) {
            micro = g ~ /^block_(tile|half)_N$/
            bad += micro && spills[g] > 0
            printf "%-32s %6d %6d%s%s\n", name " " g, loops[g], spills[g],
                micro && spills[g] ? " FAILED" : "", where[g]
        }
        exit bad > 0
    }' | sort
    [ "${PIPESTATUS[2]}" = 0 ] || failed=1
done
exit $failed
