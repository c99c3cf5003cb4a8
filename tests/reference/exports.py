# The export lines that README.md shows for torchvision and timm, run with
# random weights (nothing is downloaded): Graft must read, cut and train what
# they write.
#   exports.py GRAFT PHOTOS-FOLDER WORK-FOLDER
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import re
import subprocess
import sys


def main(graft, photos, work):
    text = pathlib.Path("README.md").read_text()
    blocks = [b for b in re.findall(r"```python\n(.*?)```", text, re.S)
              if "torch.onnx.export" in b]
    if len(blocks) != 2:
        sys.exit(f"README.md shows {len(blocks)} export blocks, not 2")
    graft, photos = os.path.abspath(graft), os.path.abspath(photos)
    os.makedirs(work, exist_ok=True)
    os.chdir(work)
    failed = False
    for code in blocks:
        code = code.replace('weights="DEFAULT"', "weights=None")
        code = code.replace("pretrained=True", "pretrained=False")
        exec(code, {})
        name = re.search(r'"([a-z0-9_]+\.onnx)"', code).group(1)
        done = subprocess.run([graft, "train", name, photos, "--l2", "1",
                               "--no-cache"], capture_output=True)
        good = done.returncode == 0
        failed |= not good
        print(("ok" if good else "not ok") + f" - {name} as the README "
              f"exports it trains {done.stderr.decode().strip()}")
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:4])
