#!/bin/sh
# From cats to tigers: draws pictures, trains a head on our own backbone, then
# its last stage too, checks the results, looks at a few pictures. `make demo` runs it.
# SPDX-License-Identifier: Apache-2.0
set -eu
build=${BUILD:-build}
demo=$build/demo
graft=$build/graft
# Shown as typed, then run.
run()
{
    printf '\n$ %s\n' "$*"
    "$@"
}
mkdir -p "$demo"
echo "Drawing cats and tigers (nothing is downloaded) ..."
rm -rf "$demo/photos"
run "$build/draw" --set target --per-class 120 --val 40 "$demo/photos"
run "$graft" train pretrained/graft-mini.onnx "$demo/photos" \
    -o "$demo/tigers.onnx" -f --cache "$demo/cache"
run "$graft" verify "$demo/tigers.onnx" "$demo/photos"
# shellcheck disable=SC2046
run "$graft" predict "$demo/tigers.onnx" \
    $(find "$demo/photos/val" -name '*.jpg' | sort | awk 'NR % 14 == 1')
echo
echo "The same, with the backbone's last stage learning too, if that helps:"
run "$graft" train pretrained/graft-mini.onnx "$demo/photos" \
    --unfreeze last-stage -o "$demo/deeper.onnx" -f --cache "$demo/cache"
run "$graft" verify "$demo/deeper.onnx" "$demo/photos"
cat <<END

Done. In $demo:
  photos/             the drawn pictures, train/ and val/
  tigers.onnx         the classifier, for any ONNX runtime
  tigers.json         what it says about itself
  tigers.labels.txt   its classes
  tigers.report.json  how it did
  deeper.onnx         the one with a trained last stage, deeper.run/ its log

Your own: make a folder with one folder of photos for each class, then
  $graft train pretrained/graft-mini.onnx PHOTOS -o mine.onnx
A backbone that has seen real photos does far better on them: README.md says
where to get one.
END
