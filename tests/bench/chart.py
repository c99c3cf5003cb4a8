# An SVG chart: for each network how fast Graft and the best PyTorch are, with
# ONNX Runtime as 1, and the bar to reach.
# SPDX-License-Identifier: Apache-2.0
from xml.sax.saxutils import escape

import bars
from peers import TITLES

WIDTH, LEFT, RIGHT, TOP = 900, 190, 250, 112
COLUMNS = (WIDTH - 190, WIDTH - 125, WIDTH - 112)  # ends, ends, begins
BAND, THICK, GAP = 46, 13, 3
STYLE = """
text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #24292f }
.title { font-size: 18px; font-weight: 600 }
.small { font-size: 11px; fill: #6e7781 }
.name, .number { text-anchor: end } .axis { text-anchor: middle }
.number { font-variant-numeric: tabular-nums }
.grid { stroke: #e4e7eb } .one { stroke: #57606a; stroke-width: 1.5 }
.graft { fill: #1a7f5a } .torch { fill: #d98a4a } .ort { fill: #57606a }
.goal { stroke: #c2185b; stroke-width: 2.5 }
"""
NAMES = {"resnet18": "ResNet-18", "resnet50": "ResNet-50",
         "mobilenetv2": "MobileNetV2", "vgg11": "VGG-11",
         "squeezenet": "SqueezeNet 1.1",
         "efficientnet_b0": "EfficientNet-B0",
         "shufflenetv2": "ShuffleNetV2 1.0", "densenet121": "DenseNet-121",
         "mobilenetv3_small": "MobileNetV3-small",
         "regnetx_400mf": "RegNetX-400MF"}


def _tag(name, text=None, **attributes):
    inside = " ".join(f'{k.rstrip("_")}="{v:.1f}"' if isinstance(v, float)
                      else f'{k.rstrip("_")}="{v}"'
                      for k, v in attributes.items())
    if text is None:
        return f"<{name} {inside}/>"
    return f"<{name} {inside}>{escape(text)}</{name}>"


def _rows(figures):
    """Figures of forward passes that have ONNX Runtime in them."""
    return [f for f in figures if f.unit == "s" and f.middle("graft")
            and f.middle("ort")]


def _goal(f):
    for bar in bars.BARS:
        if bar[1:5] == (f.job, f.model, f.batch, f.threads) \
                and bar.top == "ort":
            return bar.bar
    return None


def _largest(rows):
    most = 1.0
    for f in rows:
        base = f.middle("ort")
        most = max(most, _goal(f) or 0, base / f.middle("graft"),
                   base / f.middle("torch") if f.best_torch() else 0)
    return most


def _bar(f, name, y, to_x):
    value = f.middle("ort") / f.middle(name)
    way = TITLES[f.best_torch()] if name == "torch" else ""
    return [_tag("rect", class_=name, x=LEFT, y=float(y), height=THICK,
                 width=to_x(value) - LEFT, rx=2),
            _tag("text", f"{value:.2f}", class_="number", x=COLUMNS[0],
                 y=float(y + 11)),
            _tag("text", f"{f.batch / f.middle(name):.0f}", class_="number",
                 x=COLUMNS[1], y=float(y + 11)),
            _tag("text", way.replace("PyTorch ", ""), class_="small",
                 x=COLUMNS[2], y=float(y + 11))]


def _band(f, y, to_x):
    title = NAMES.get(f.model, f.model)
    about = f"batch {f.batch}, {f.threads} thread" + "s" * (f.threads != 1)
    parts = [_tag("text", title, class_="name", x=LEFT - 12, y=y + 14),
             _tag("text", about, class_="name small", x=LEFT - 12, y=y + 29)]
    parts += _bar(f, "graft", y + 3, to_x)
    if f.best_torch():
        parts += _bar(f, "torch", y + 3 + THICK + GAP, to_x)
    goal = _goal(f)
    if goal:
        parts.append(_tag("line", class_="goal", x1=to_x(goal),
                          x2=to_x(goal), y1=y - 1, y2=y + THICK + 6))
    return parts


def _grid(most, bottom, to_x):
    parts, value = [], 0.0
    while value <= most + 0.01:
        x = to_x(value)
        parts.append(_tag("line", class_="one" if value == 1 else "grid",
                          x1=x, x2=x, y1=TOP - 6, y2=bottom))
        parts.append(_tag("text", f"{value:g}", class_="axis small", x=x,
                          y=TOP - 12))
        value += 0.5
    for x, text in zip(COLUMNS, ("ratio", "images/s")):
        parts.append(_tag("text", text, class_="number small", x=x,
                          y=TOP - 12))
    return parts


def _legend():
    parts, x = [], LEFT
    for name, text in (("graft", "Graft"), ("torch", "best PyTorch"),
                       ("one", "ONNX Runtime = 1"), ("goal", "to reach")):
        if name in ("graft", "torch"):
            parts.append(_tag("rect", class_=name, x=x, y=60, width=13,
                              height=13, rx=2))
        else:
            parts.append(_tag("line", class_=name, x1=x + 6, x2=x + 6,
                              y1=58, y2=75))
        parts.append(_tag("text", text, x=x + 20, y=71))
        x += 48 + 7 * len(text)
    return parts


def draw(about, figures):
    rows = _rows(figures)
    most = _largest(rows) if rows else 1.0
    bottom = TOP + BAND * len(rows)
    scale = (WIDTH - LEFT - RIGHT) / most

    def to_x(value):
        return LEFT + scale * value

    parts = [_tag("rect", width=WIDTH, height=bottom + 44, fill="#ffffff"),
             _tag("text", "Speed of a forward pass, ONNX Runtime = 1",
                  class_="title", x=20, y=34)]
    parts += _legend() + _grid(most, bottom, to_x)
    for i, f in enumerate(rows):
        parts += _band(f, TOP + BAND * i, to_x)
    parts.append(_tag(
        "text", f"{about['cpu']}, {about['processors']} processors; Graft "
        f"{about['graft']}, ONNX Runtime {about['onnxruntime']}, PyTorch "
        f"{about['torch']}; load {about['load']} when it began",
        class_="small", x=20, y=bottom + 26))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{bottom + 44}" viewBox="0 0 {WIDTH} {bottom + 44}">\n'
            f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n")
