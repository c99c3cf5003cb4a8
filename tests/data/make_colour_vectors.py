#!/usr/bin/env python3
"""Writes tests/data/colour_vectors.h: torchvision's changes of colour on a
small picture, and the statistics of its random boxes.

    python tests/data/make_colour_vectors.py > tests/data/colour_vectors.h

SPDX-License-Identifier: Apache-2.0
"""
import math

import numpy as np
import torch
import torchvision.transforms as T
import torchvision.transforms.functional as F

W, H = 7, 5
ADJUST = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation,
          F.adjust_hue]
# factors, order
CASES = [((.5, 1, 1, 0), (0, 1, 2, 3)), ((1.7, 1, 1, 0), (0, 1, 2, 3)),
         ((1, .3, 1, 0), (0, 1, 2, 3)), ((1, 1.8, 1, 0), (0, 1, 2, 3)),
         ((1, 1, 0, 0), (0, 1, 2, 3)), ((1, 1, 1.9, 0), (0, 1, 2, 3)),
         ((1, 1, 1, -.5), (0, 1, 2, 3)), ((1, 1, 1, .07), (0, 1, 2, 3)),
         ((1, 1, 1, .4), (0, 1, 2, 3)),
         ((1.3, .8, 1.4, .1), (0, 1, 2, 3)),
         ((.7, 1.2, .6, -.2), (3, 2, 1, 0)),
         ((1.4, .7, 1.3, .3), (2, 0, 3, 1))]
BOXES = [(640, 427), (60, 300), (20, 300)]
DRAWS = 50000


def picture():
    """The levels of photo_draw() in photo.h, with greys and pure colours."""
    y, x, c = np.mgrid[0:H, 0:W, 0:3]
    p = (x * x * 3 + y * 7 * (c + 1) + x * y * (c + 2) + (x ^ y) * 5) & 255
    p = (p * 37) & 255
    p[0, :5] = [(0, 0, 0), (255, 255, 255), (9, 9, 9), (255, 0, 0),
                (0, 255, 255)]
    return torch.from_numpy(p.astype(np.uint8)).permute(2, 0, 1)


def change(im, by, order):
    for i in order:
        if by[i] != (0 if i == 3 else 1):
            im = ADJUST[i](im, by[i])
    return im


def array(kind, name, values, text, line):
    values = [text(v) for v in values]
    rows = ",\n    ".join(", ".join(values[i:i + line])
                          for i in range(0, len(values), line))
    print(f"static const {kind} {name}[] = {{\n    {rows}}};\n")


def statistics(draw, w, h):
    """Means and deviations of the share of the area, of log(width / height),
    and of the box's centre; how often the whole height is taken."""
    area, aspect, x, y, full = [], [], [], [], 0
    for _ in range(DRAWS):
        i, j, bh, bw = draw()
        area.append(bh * bw / (w * h))
        aspect.append(math.log(bw / bh))
        x.append((j + bw / 2) / w)
        y.append((i + bh / 2) / h)
        full += bh == h
    return [f(v) for v in (area, aspect, x, y) for f in (np.mean, np.std)] + \
        [full / DRAWS]


def main():
    torch.manual_seed(1)
    im = picture()
    print("/* Made by make_colour_vectors.py with torchvision.\n"
          " * SPDX-License-Identifier: Apache-2.0 */\n"
          "#include \"data/augment.h\"\n")
    print(f"enum {{ COLOUR_W = {W}, COLOUR_H = {H}, "
          f"COLOUR_CASES = {len(CASES)}, BOX_DRAWS = {DRAWS} }};\n")
    array("uint8_t", "colour_picture",
          im.permute(1, 2, 0).flatten().tolist(), str, 15)
    print("static const struct graft_colour colour_case[] = {\n    "
          + ",\n    ".join(
              "{{%s}, {%s}}" % (", ".join(
                  f"{float(b)}f" for b in by), ", ".join(map(str, order)))
              for by, order in CASES) + "};\n")
    print("/* Of levels / 255 as floats, in levels; case by case. */")
    array("float", "colour_float", np.concatenate(
        [255 * change(im.to(torch.float32) / 255, *c).permute(1, 2, 0)
         .flatten().numpy() for c in CASES]), lambda v: f"{v:.3f}f", 7)
    print("/* Of bytes, which cut fractions off after each change. */")
    array("uint8_t", "colour_byte", np.concatenate(
        [change(im, *c).permute(1, 2, 0).flatten().numpy() for c in CASES]),
        str, 15)
    print("/* Of a photo's size: mean and deviation of area, log aspect, and\n"
          " * centre; share of boxes of full height. */")
    print("struct box_law { int w, h; double v[9]; };")
    for name, new in {
            "crop_law": lambda x: T.RandomResizedCrop.get_params(
                x, (.08, 1.), (3 / 4, 4 / 3)),
            "erase_law": lambda x: T.RandomErasing.get_params(
                x, (.02, .33), (.3, 3.3), [0.])[:4]}.items():
        rows = []
        for w, h in BOXES:
            x = torch.empty(3, h, w)
            v = statistics(lambda: new(x), w, h)
            rows.append("{%d, %d, {%s}}" % (w, h, ",\n        ".join(
                ", ".join(f"{a:.5f}" for a in v[k:k + 5]) for k in (0, 5))))
        print(f"static const struct box_law {name}[] = {{\n    "
              + ",\n    ".join(rows) + "};\n")


main()
