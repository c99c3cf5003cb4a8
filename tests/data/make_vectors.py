#!/usr/bin/env python3
"""Writes tests/data/vectors.h: what Pillow and torchvision make of pictures.

    python tests/data/make_vectors.py SHARED > tests/data/vectors.h
    python tests/data/make_vectors.py SHARED --check DUMP

SHARED is the folder with data/ in it. The second form compares every pixel
of the inputs that `GRAFT_DUMP=DUMP build/run-tests data_resize__shared` wrote.
SPDX-License-Identifier: Apache-2.0
"""
import io
import sys

import numpy as np
from PIL import Image, ImageOps
import torchvision.transforms as T

PHOTOS = """
hymenoptera_data/train/ants 9 cat_tiger/train/tiger 6 hymenoptera_data/val/bees 3
cat_tiger/val/cat 2
""".split()
SIZES = [(37, 23), (23, 37), (16, 16), (8, 300), (301, 5), (1, 1), (640, 427),
         (33, 32)]
OUT, RESIZE = 8, 10


def level(x, y, c):
    return (x * x * 3 + y * 7 * (c + 1) + x * y * (c + 2) + (x ^ y) * 5) & 255


def draw(w, h):
    y, x, c = np.mgrid[0:h, 0:w, 0:3]
    return Image.fromarray(level(x, y, c).astype(np.uint8))


def smooth(w, h):
    y, x = np.mgrid[0:h, 0:w]
    return Image.fromarray(np.stack(
        [x * 255 // (w - 1), y * 255 // (h - 1), 0 * x + 90], 2)
        .astype(np.uint8))


def choose(shared):
    """Photos of the oddest sizes: all different, no folder twice in a row."""
    import glob
    files = []
    for folder, n in zip(PHOTOS[::2], PHOTOS[1::2]):
        sizes = {}
        for f in sorted(glob.glob(f"{shared}/data/{folder}/*.jpg")):
            sizes.setdefault(Image.open(f).size, f)
        odd = sorted(sizes.items(), key=lambda s: (-(s[0][0] % 2 + s[0][1] % 2),
                                                   s[0]))
        files += [f for _, f in odd[:int(n)]]
    return files


def plain(im, resize=256, crop=224):
    t = T.Compose([T.Resize(resize), T.CenterCrop(crop)])
    return np.asarray(t(ImageOps.exif_transpose(im).convert("RGB")))


def numbers(values, per_line):
    values = [str(int(v)) for v in values]
    return ",\n    ".join(", ".join(values[i:i + per_line])
                          for i in range(0, len(values), per_line))


def array(kind, name, values, per_line=16):
    print(f"static const {kind} {name}[] = {{\n    "
          f"{numbers(values, per_line)}}};\n")


def small_jpegs():
    """Files of kinds that the tests cannot write, with Pillow's pixels."""
    im = smooth(24, 16)
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = {
        "plain": (im, {}),
        "cmyk": (im.convert("CMYK"), {}),
        "grey": (im.convert("L"), {}),
        "progressive": (im, {"progressive": True, "exif": exif}),
    }
    for name, (picture, options) in kinds.items():
        b = io.BytesIO()
        picture.save(b, "JPEG", quality=90, **options)
        array("uint8_t", f"{name}_jpeg", b.getvalue(), 15)
        back = ImageOps.exif_transpose(Image.open(io.BytesIO(b.getvalue())))
        array("uint8_t", f"{name}_rgb",
              np.asarray(back.convert("RGB")).ravel(), 15)
    b = io.BytesIO()
    Image.new("RGB", (640, 400), (200, 100, 50)).save(
        b, "JPEG", quality=50, optimize=True)
    array("uint8_t", "large_jpeg", b.getvalue(), 15)


def main():
    shared = sys.argv[1]
    files = choose(shared)
    if "--check" in sys.argv:
        dump = np.fromfile(sys.argv[3], np.float32).reshape(-1, 3, 224, 224)
        assert len(dump) == len(files)
        worst = 0
        for f, x in zip(files, dump):
            im = Image.open(f)
            d = np.abs(plain(im).transpose(2, 0, 1).astype(np.float32) - x)
            print(f"{im.size[0]}x{im.size[1]}: largest difference {d.max()}")
            worst = max(worst, d.max())
        print(f"{len(files)} photos, largest difference {worst} levels")
        return
    print("/* Made by make_vectors.py with Pillow and torchvision.\n"
          " * SPDX-License-Identifier: Apache-2.0 */\n")
    print(f"enum {{ VECTOR_SIDE = {OUT}, VECTOR_RESIZE = {RESIZE} }};")
    print("static const int vector_size[][2] = {\n    "
          + ",\n    ".join(f"{{{w}, {h}}}" for w, h in SIZES) + "};\n")
    print("/* Levels of the drawn pictures, short side to 10, crop 8x8. */")
    array("uint8_t", "vector_crop", np.concatenate(
        [plain(draw(w, h), RESIZE, OUT).ravel() for w, h in SIZES]), 15)
    print("/* The same squashed. */")
    array("uint8_t", "vector_squash", np.concatenate(
        [np.asarray(T.Resize((OUT, OUT))(draw(w, h))).ravel()
         for w, h in SIZES]), 15)
    small_jpegs()
    print("/* Sums over 4 x 4 blocks of 56 x 56 pixels, colour by colour, of\n"
          " * photos at 224x224 as for ImageNet. */")
    print("static const char *const shared_photo[] = {\n    "
          + ",\n    ".join('"' + f[len(shared) + 1:] + '"' for f in files)
          + "};\n")
    sums = [plain(Image.open(f)).astype(np.int64)
            .reshape(4, 56, 4, 56, 3).sum((1, 3)).ravel() for f in files]
    array("int", "shared_sum", np.concatenate(sums), 9)


main()
