#!/usr/bin/env python3
"""Make graft-mini.onnx: draw pictures, train a small residual network on
them from scratch, measure it on drawings it has not seen, and export it with
PyTorch's own exporter, as a user would export a network of theirs."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import onnx
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
SIZE = 64                       # what the network sees
SHORT = round(SIZE * 256 / 224)  # the short side before the crop
MAX_BYTES = 1_500_000


class Block(nn.Module):
    """The basic residual block: two 3x3 convolutions and a way around."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.down = None
        if stride != 1 or cin != cout:
            self.down = nn.Sequential(
                nn.Conv2d(cin, cout, 1, stride, bias=False),
                nn.BatchNorm2d(cout))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.down is None else self.down(x)))


class Mini(nn.Module):
    """A ResNet made small: stem, four stages, mean over the picture, Gemm."""

    def __init__(self, classes, widths=(16, 24, 48, 96)):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(widths[0]), nn.ReLU())
        stages, cin = [], widths[0]
        for i, w in enumerate(widths):
            stages.append(Block(cin, w, 1 if i == 0 else 2))
            cin = w
        stages.append(Block(cin, cin, 1))
        self.stages = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(cin, classes)

    def forward(self, x):
        x = self.stages(self.stem(x))
        return self.fc(torch.flatten(self.pool(x), 1))


def draw_pictures(program, which, folder, per_class, val, seed):
    """Call the drawing program, unless the folder is there already."""
    if not (folder / "val").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([str(program.resolve()), "--set", which, "--seed",
                        str(seed), "--per-class", str(per_class), "--val",
                        str(val), str(folder)], check=True)


def resized(path, short):
    """As torchvision's Resize(short, antialias=True) does it."""
    im = Image.open(path).convert("RGB")
    w, h = im.size
    if w < h:
        w, h = short, int(short * h / w)
    else:
        w, h = int(short * w / h), short
    return im.resize((w, h), Image.Resampling.BILINEAR)


def crop(im, size):
    w, h = im.size
    x, y = round((w - size) / 2), round((h - size) / 2)
    return np.asarray(im.crop((x, y, x + size, y + size)))


def load(folder, names, short, size):
    """All pictures of a folder of class folders, as bytes, and labels."""
    xs, ys = [], []
    for label, name in enumerate(names):
        for path in sorted((folder / name).iterdir()):
            xs.append(crop(resized(path, short), size))
            ys.append(label)
    x = torch.from_numpy(np.stack(xs)).permute(0, 3, 1, 2).contiguous()
    return x, torch.tensor(ys)


def normalised(x):
    mean = torch.tensor(MEAN).view(1, 3, 1, 1)
    std = torch.tensor(STD).view(1, 3, 1, 1)
    return (x.float() / 255 - mean) / std


def augmented(x, gen):
    """Random crops of random scale, flips, and a little colour jitter: one
    affine grid for the batch, which is fast on a small computer."""
    n = x.shape[0]

    def u(lo, hi):
        return torch.rand(n, generator=gen) * (hi - lo) + lo

    scale = u(0.62, 1.0)
    aspect = u(0.9, 1.1)
    flip = torch.where(u(0, 1) < 0.5, -1.0, 1.0)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = scale * aspect * flip
    theta[:, 1, 1] = scale / aspect
    theta[:, 0, 2] = u(-1, 1) * (1 - scale * aspect).clamp(min=0)
    theta[:, 1, 2] = u(-1, 1) * (1 - scale / aspect).clamp(min=0)
    y = x.float() / 255
    grid = F.affine_grid(theta, (n, 3, SIZE, SIZE), align_corners=False)
    y = F.grid_sample(y, grid, mode="bilinear", padding_mode="reflection",
                      align_corners=False)
    y = y * u(0.8, 1.2).view(n, 1, 1, 1)
    grey = y.mean(1, keepdim=True)
    y = grey + (y - grey) * u(0.5, 1.3).view(n, 1, 1, 1)
    y = y * (torch.rand(n, 3, 1, 1, generator=gen) * 0.2 + 0.9)
    return normalised(y.clamp(0, 1) * 255)


def accuracy(model, x, y):
    model.eval()
    right = 0
    with torch.no_grad():
        for i in range(0, len(x), 256):
            out = model(normalised(x[i:i + 256]))
            right += int((out.argmax(1) == y[i:i + 256]).sum())
    return right / len(x)


def train(model, data, args):
    x, y, vx, vy = data
    gen = torch.Generator().manual_seed(args.seed)
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05},
                             {"params": plain, "weight_decay": 0.0}],
                            lr=args.rate)
    steps = args.epochs * (len(x) // args.batch)
    rate = torch.optim.lr_scheduler.OneCycleLR(
        opt, max_lr=args.rate, total_steps=steps, pct_start=0.15)
    start = time.monotonic()
    for epoch in range(args.epochs):
        model.train()
        order = torch.randperm(len(x), generator=gen)
        total = 0.0
        for i in range(len(x) // args.batch):
            part = order[i * args.batch:(i + 1) * args.batch]
            loss = F.cross_entropy(model(augmented(x[part], gen)), y[part],
                                   label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
            rate.step()
            total += loss.item()
        print(f"epoch {epoch + 1:2d}/{args.epochs}  loss "
              f"{total / (len(x) // args.batch):.3f}  held-out "
              f"{accuracy(model, vx, vy):.4f}  "
              f"{time.monotonic() - start:.0f} s", flush=True)


def export(model, names, path):
    """torch.onnx.export as PyTorch's documentation shows it, weights in the
    one file. The exporter notes for each node the stack of source lines that
    made it, with this computer's folders in it: that metadata is removed
    here. Nothing else of what it wrote is changed, but that the names of the
    classes are added."""
    model.eval()
    x = torch.randn(2, 3, SIZE, SIZE)
    torch.onnx.export(model, (x,), str(path), input_names=["input"],
                      output_names=["logits"],
                      dynamic_shapes={"x": {0: torch.export.Dim("batch")}},
                      external_data=False)
    proto = onnx.load(str(path))
    for item in [*proto.graph.node, *proto.graph.input, *proto.graph.output,
                 *proto.graph.initializer, *proto.graph.value_info,
                 proto.graph, *proto.functions]:
        del item.metadata_props[:]
        item.ClearField("doc_string")
    del proto.metadata_props[:]
    proto.metadata_props.add(key="classes", value=json.dumps(names))
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, str(path))


def check_file(path, model, x, y):
    """The file must be small, say nothing of this computer, and answer as
    the network does."""
    data = path.read_bytes()
    here = [str(pathlib.Path.home()), str(pathlib.Path.cwd()), sys.prefix,
            "site-packages", ".py"]
    for text in here:
        if text.encode() in data and len(text) > 1:
            sys.exit(f"{path} still holds {text}")
    if len(data) > MAX_BYTES:
        sys.exit(f"{path} has {len(data)} bytes, more than {MAX_BYTES}")
    try:
        import onnxruntime
    except ImportError:
        print("onnxruntime is not installed: the export was not compared")
        return
    run = onnxruntime.InferenceSession(str(path))
    worst, right = 0.0, 0
    for i in range(0, len(x), 100):
        part = normalised(x[i:i + 100])
        with torch.no_grad():
            want = model(part).numpy()
        got = run.run(None, {"input": part.numpy()})[0]
        worst = max(worst, float(np.abs(want - got).max()))
        right += int((got.argmax(1) == y[i:i + 100].numpy()).sum())
    print(f"exported: held-out {right / len(x):.4f} ({right} of {len(x)}), "
          f"largest difference from PyTorch {worst:.2e}")
    if worst > 1e-3:
        sys.exit("the exported file does not answer as the network does")


def histograms(folder, names):
    """What colours alone can tell: 8x8x8 bins, square roots of shares."""
    x, y = load(folder, names, SHORT, SIZE)
    rows = [np.histogramdd(a.reshape(3, -1).T, bins=(8, 8, 8),
                           range=((0, 256),) * 3)[0].ravel()
            for a in x.numpy()]
    return np.sqrt(np.array(rows) / (SIZE * SIZE)), y.numpy()


def transfer(path, args):
    """Cats and tigers, which the network never saw: a linear classifier on
    what enters the last Gemm, beside one on a histogram of the colours."""
    try:
        import onnxruntime
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        print("scikit-learn is not installed: transfer was not measured")
        return
    folder, names = args.work / "target", ["cat", "tiger"]
    draw_pictures(args.draw, "target", folder, 100, 60, args.seed + 1)
    proto = onnx.load(str(path))
    feature = [n for n in proto.graph.node if n.op_type == "Gemm"][-1].input[0]
    proto.graph.output.append(onnx.ValueInfoProto(name=feature))
    run = onnxruntime.InferenceSession(proto.SerializeToString())

    def features(part):
        x, y = load(folder / part, names, SHORT, SIZE)
        return run.run([feature], {"input": normalised(x).numpy()})[0], y

    for what, give in (("features", features),
                       ("colour histogram",
                        lambda part: histograms(folder / part, names))):
        x, y = give("train")
        vx, vy = give("val")
        for c in (0.1, 1.0, 10.0):
            fit = make_pipeline(StandardScaler(),
                                LogisticRegression(C=c, max_iter=5000))
            right = fit.fit(x, y).score(vx, vy)
            print(f"cat or tiger by {what}, C={c}: {right:.4f}")


def read_arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--draw", type=pathlib.Path, required=True,
                   help="the compiled drawing program, build/draw")
    p.add_argument("--work", type=pathlib.Path, required=True,
                   help="folder for the pictures, outside the repository")
    p.add_argument("--out", type=pathlib.Path,
                   default=pathlib.Path(__file__).with_name(
                       "graft-mini.onnx"))
    p.add_argument("--per-class", type=int, default=600)
    p.add_argument("--val", type=int, default=50)
    p.add_argument("--epochs", type=int, default=26)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--rate", type=float, default=4e-3)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--threads", type=int, default=2)
    return p.parse_args()


def main():
    args = read_arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    pictures = args.work / "pretrain"
    draw_pictures(args.draw, "pretrain", pictures, args.per_class, args.val,
                  args.seed)
    names = sorted(p.name for p in (pictures / "train").iterdir())
    # Training crops come from a little more than the final crop, so that
    # they may also move outwards.
    x, y = load(pictures / "train", names, SHORT, SIZE + 8)
    vx, vy = load(pictures / "val", names, SHORT, SIZE)
    model = Mini(len(names))
    count = sum(p.numel() for p in model.parameters())
    print(f"{len(names)} classes, {len(x)} drawings to learn from, "
          f"{len(vx)} held out, {count} parameters", flush=True)
    train(model, (x, y, vx, vy), args)
    export(model, names, args.out)
    check_file(args.out, model, vx, vy)
    transfer(args.out, args)
    digest = hashlib.sha256(args.out.read_bytes()).hexdigest()
    print(f"{args.out.name}: {args.out.stat().st_size} bytes, sha256 "
          f"{digest}")


if __name__ == "__main__":
    main()
