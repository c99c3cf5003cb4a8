# Features of real photos: Graft's decoder, resize and kernels against Pillow
# and ONNX Runtime, cosine of the two vectors for each photo.
#   features.py FEATURES-PROGRAM MODEL VALUE PRESET PHOTOS-FOLDER
# SPDX-License-Identifier: Apache-2.0
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from PIL import Image, ImageOps

PRESETS = {"imagenet": ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
           "tf": ([127.5] * 3, [127.5] * 3), "raw255": ([0] * 3, [1] * 3)}


def pixels(path, size, mean, std):
    """As torchvision: short side to size * 256 / 224, middle cut out."""
    photo = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    w, h = photo.size
    short = round(size * 256 / 224)
    new = ((short, int(short * h / w)) if w <= h
           else (int(short * w / h), short))
    photo = photo.resize(new, Image.Resampling.BILINEAR)
    x, y = (round((a - size) / 2) for a in new)
    a = np.asarray(photo.crop((x, y, x + size, y + size)), np.float32)
    return ((a - np.float32(mean)) / np.float32(std)).transpose(2, 0, 1)


def main(program, model, value, preset, folder):
    proto = onnx.load(model)
    if value not in [o.name for o in proto.graph.output]:
        proto.graph.output.append(onnx.ValueInfoProto(name=value))
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    feed = session.get_inputs()[0]
    size = feed.shape[2]
    photos = sorted(str(p) for p in pathlib.Path(folder).rglob("*.jpg"))
    photos = photos[:: max(1, len(photos) // 100)][:100]
    raw = subprocess.run([program, model, value, f"{size}x{size}", preset,
                          *photos], stdout=subprocess.PIPE, check=True).stdout
    ours = np.frombuffer(raw, np.float32).reshape(len(photos), -1)
    cosines = []
    for path, f in zip(photos, ours.astype(np.float64)):
        x = pixels(path, size, *PRESETS[preset])[None]
        g = session.run([value], {feed.name: x})[0].ravel()
        g = g.astype(np.float64)
        cosines.append(f @ g / np.sqrt((f @ f) * (g @ g)))
    cosines = np.array(cosines)
    good = int((cosines >= 0.9999).sum())
    need = int(np.ceil(0.99 * len(photos)))
    print(("ok" if good >= need else "not ok") +
          f" - {pathlib.Path(model).name}, features of {len(photos)} photos: "
          f"cosine 0.9999 or better for {good}, worst {cosines.min():.6f}")
    sys.exit(good < need)


if __name__ == "__main__":
    main(*sys.argv[1:6])
