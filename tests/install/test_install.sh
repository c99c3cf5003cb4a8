#!/usr/bin/env bash
# make install into an empty tree, an example built against that tree alone,
# statically and dynamically, and make uninstall.
# SPDX-License-Identifier: Apache-2.0
. tests/support/cli.sh
make=${MAKE:-make}
cc=${CC:-cc}
build=${BUILD:-build}
root=$T/root
quiet() { "$@" >"$T/log" 2>&1 || { tail -n 5 "$T/log"; return 1; }; }
unset MAKEFLAGS MFLAGS MAKELEVEL
# The example must not find this tree's headers.
true_that 'make install DESTDIR=...' quiet "$make" --no-print-directory \
    BUILD="$build" CC="$cc" CFLAGS="${CFLAGS:--O2 -g}" DESTDIR="$root" \
    PREFIX=/usr install
for f in bin/graft lib/libgraft.a lib/libgraft.so include/graft.h \
    include/graft/train.h lib/pkgconfig/graft.pc share/man/man1/graft.1; do
    true_that "$f is installed" test -s "$root/usr/$f"
done
true_that 'nothing else than in these' test -z \
    "$(find "$root/usr" -mindepth 1 -maxdepth 1 | grep -Ev '/(bin|lib|include|share)$')"
true_that 'the installed program runs' quiet "$root/usr/bin/graft" --version

if command -v pkg-config >/dev/null; then
    export PKG_CONFIG_PATH=$root/usr/lib/pkgconfig
    export PKG_CONFIG_SYSROOT_DIR=$root
    true_that 'pkg-config knows the version' test \
        "$(pkg-config --modversion graft)" = "${VERSION:-}"
    cp examples/classify.c examples/list_weights.c examples/rename_output.c \
        examples/finetune.c examples/gradcheck.c "$T"
    cd "$T" || exit 1
    # shellcheck disable=SC2046
    true_that 'an example builds against the shared library' quiet "$cc" \
        -std=c11 -Wall -Wextra -Werror -o dynamic classify.c \
        $(pkg-config --cflags --libs graft)
    LD_LIBRARY_PATH=$root/usr/lib ./dynamic >out 2>&1
    true_that 'and runs' grep -q '^usage: ' out
    true_that 'with our soname' bash -c \
        "readelf -d dynamic | grep -q 'libgraft\.so\.[0-9]'"
    # shellcheck disable=SC2046
    true_that 'an example builds against the static library' quiet "$cc" \
        -std=c11 -o static classify.c $(pkg-config --cflags graft) \
        "$root/usr/lib/libgraft.a" \
        $(pkg-config --static --libs graft | sed 's/-lgraft//')
    ./static >out 2>&1
    true_that 'and runs alone' grep -q '^usage: ' out
    for name in list_weights rename_output finetune gradcheck; do
        # shellcheck disable=SC2046
        true_that "the example $name builds" quiet "$cc" -std=c11 -Wall \
            -Wextra -Werror -o $name $name.c \
            $(pkg-config --cflags --libs graft) -lm
    done
    export LD_LIBRARY_PATH=$root/usr/lib
    ./list_weights "$MINI" >out 2>&1
    true_that 'it lists the weights of a model' \
        grep -Eq '^[^ ]+  float32 \[[0-9,]+\]  [0-9]+ bytes  -?[0-9.e+-]+ to ' \
        out
    true_that 'all of them' \
        grep -qx "$(($(wc -l <out) - 1)) weights, [0-9]* bytes" out
    ./rename_output "$MINI" answers renamed.onnx >out 2>&1
    true_that 'an output is renamed' grep -q '^output answers float32 \[' out
    "$root/usr/bin/graft" inspect renamed.onnx >out 2>&1
    true_that 'in the file that was written' \
        grep -Eq '^output +answers float32 ' out
    ./rename_output "$MINI" answers renamed.onnx >out 2>&1
    true_that 'which is not written over' grep -q 'renamed.onnx' out
    ./list_weights classify.c >out 2>&1
    true_that 'no model is said to be none' \
        grep -q "^list_weights: 'classify.c' is " out
    # Eight photos of zeros, of class 0; the model's own head is trained.
    dims=$("$root/usr/bin/graft" inspect "$MINI" |
        sed -n 's/^input .*\[[^,]*,\(.*\)\]$/\1/p')
    npy x.npy '<f4' "8,$dims" $((8 * 4 * ${dims//,/ * }))
    npy y.npy '<f4' 8, 32
    true_that 'an example trains a head with a loop of its own' quiet \
        ./finetune "$MINI" "graft_head*" x.npy y.npy tuned.onnx
    true_that 'the loss falls' awk '{ v[NR] = $4 }
        END { exit !(NR == 10 && v[10] < v[1]) }' log
    true_that 'only the head has other weights' test 2 = "$(diff \
        <(./list_weights "$MINI") <(./list_weights tuned.onnx) |
        grep -c "^> graft_head")"
    true_that 'an example proves a gradient' quiet \
        ./gradcheck tuned.onnx graft_head_weight x.npy
    true_that 'it agrees with differences' awk 'NR > 1 {
        d = $2 - $3; if (d > 2e-3 || d < -2e-3) bad = 1; n++ }
        END { exit bad || n != 8 }' log
    ./gradcheck "$MINI" nothing x.npy >out 2>&1
    true_that 'a weight that is not there is named' \
        grep -q "^gradcheck: .* has no initializer 'nothing'" out
    unset LD_LIBRARY_PATH
    cd "$TOP" || exit 1
else
    skip 'an example builds against the installed tree' 'no pkg-config'
fi
if command -v man >/dev/null; then
    true_that 'the man page is readable' bash -c \
        "man -l '$root/usr/share/man/man1/graft.1' 2>/dev/null | grep -q graft"
fi
true_that 'make uninstall' quiet "$make" --no-print-directory \
    BUILD="$build" CC="$cc" DESTDIR="$root" PREFIX=/usr uninstall
true_that 'leaves no file' test -z "$(find "$root" -type f -o -type l)"
finish
