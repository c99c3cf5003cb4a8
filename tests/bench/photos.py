# Photos drawn with arithmetic: clouds of all scales with sharp edges and
# grain, which a JPEG encoder finds as hard as a real photo (about 2 bits a
# pixel at quality 90). Every file is another cut of a few large canvases.
#   photos.py FOLDER COUNT WIDTH HEIGHT
# SPDX-License-Identifier: Apache-2.0
import os
import sys

import numpy as np
from PIL import Image

CANVASES, QUALITY, MARGIN = 4, 90, 160


def clouds(rng, width, height):
    """Noise of all octaves, each half as strong as the next coarser one."""
    out = np.zeros((height, width), np.float32)
    cells, strength = 4, 1.0
    while cells < min(width, height):
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        out += strength * np.asarray(Image.fromarray(coarse).resize(
            (width, height), Image.Resampling.BICUBIC))
        cells, strength = 2 * cells, 0.55 * strength
    return out


def canvas(rng, width, height):
    light, hue = clouds(rng, width, height), clouds(rng, width, height)
    light += np.where(clouds(rng, width, height) > 0.4, 0.8, 0.0)  # edges
    grain = 6 * rng.standard_normal((height, width)).astype(np.float32)
    channels = [118 + 38 * light + shade * hue + grain
                for shade in (16, 2, -18)]
    return np.clip(np.stack(channels, 2), 0, 255).astype(np.uint8)


def draw(folder, count, width, height):
    """The paths, drawn where they are missing."""
    done = folder + ".complete"
    paths = [os.path.join(folder, f"{i:04}.jpg") for i in range(count)]
    if os.path.exists(done):
        return paths
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(7)
    for i, path in enumerate(paths):
        if i * CANVASES % count < CANVASES:
            large = canvas(rng, width + MARGIN, height + MARGIN)
        x, y = rng.integers(0, MARGIN, 2)
        cut = large[y:y + height, x:x + width, rng.permutation(3)]
        Image.fromarray(cut[:, ::rng.choice((-1, 1))].copy()).save(
            path, quality=QUALITY)
    open(done, "w").close()
    return paths


if __name__ == "__main__":
    draw(sys.argv[1], *map(int, sys.argv[2:]))
