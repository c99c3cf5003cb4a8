# Time (or memory) of a full training step: forward, backward, SGD with
# momentum on all convolutions' weights, normalisations frozen, softmax
# cross-entropy of the features. Everybody in turn in one process, as in
# forward.py; or one of them alone, for memory. Prints one JSON object.
#   step.py '{"network": ..., "file": ..., "library": ..., "batch": 32,
#             "repeats": 5, "threads": 2, "who": ["graft", "eager", ...]}'
# With "trained": "layer4." only weights of such names are trained; "crossing"
# is the value before them: Graft takes it as from its cache, the rest of the
# network alone, PyTorch runs its frozen layers.
#   step.py graft|eager|... SPEC loaded|peak
# SPDX-License-Identifier: Apache-2.0
import json
import sys

import numpy as np

from forward import turn
from peers import picture

RATE = 1e-6  # weights move, the loss hardly does
TOLERANCE = 1e-3


def classes_of(batch):
    return np.arange(batch, dtype=np.int32) * 7 % 500


def prefix(spec):
    return spec.get("trained", "")


def graft(spec):
    from libgraft import Trainer
    pattern = [prefix(spec) + "*.weight"]
    if "crossing" not in spec:
        return Trainer(spec["library"], spec["file"], spec["threads"],
                       pattern, learning_rate=RATE).step
    return _from_cache(spec, pattern)


def _from_cache(spec, pattern):
    import onnx
    from libgraft import Session, Trainer
    whole, tail = spec["file"], spec["file"] + ".tail"
    onnx.utils.extract_model(
        whole, tail, [spec["crossing"]],
        [onnx.load(whole).graph.output[0].name])
    x = picture(spec["batch"])
    before = Session(spec["library"], whole, x, spec["threads"],
                     [spec["crossing"]])
    rows = before.run(x)[0]
    before.close()
    trainer = Trainer(spec["library"], tail, spec["threads"], pattern,
                      learning_rate=RATE)
    return lambda _, classes: trainer.step(rows, classes)


def _torch(channels_last, compiled):
    def peer(spec):
        import torch
        import models
        torch.set_num_threads(spec["threads"])
        form = torch.channels_last if channels_last \
            else torch.contiguous_format
        net = models.build(spec["network"]).to(memory_format=form)
        for name, m in net.named_modules():
            if isinstance(m, torch.nn.Conv2d):
                m.weight.requires_grad_(name.startswith(prefix(spec)))
        trained = [p for p in net.parameters() if p.requires_grad]
        sgd = torch.optim.SGD(trained, lr=RATE, momentum=0.9)
        run = torch.compile(net) if compiled else net

        def step(x, classes):
            x = torch.from_numpy(x).to(memory_format=form)
            y = torch.from_numpy(classes.astype(np.int64))
            sgd.zero_grad()
            loss = torch.nn.functional.cross_entropy(run(x), y)
            loss.backward()
            sgd.step()
            return loss.item()
        return step
    return peer


STEPS = {"graft": graft, "eager": _torch(False, False),
         "channels_last": _torch(True, False), "compile": _torch(True, True)}


def times(spec):
    x, y = picture(spec["batch"]), classes_of(spec["batch"])
    steps, losses, why_not = {}, {}, {}
    for name in spec["who"]:
        try:
            steps[name] = STEPS[name](spec)
            losses[name] = steps[name](x, y)
        except Exception as e:  # a peer that fails is left out, with words
            if name == "graft":
                raise
            steps.pop(name, None)
            why_not[name] = f"{type(e).__name__}: {e}".split("\n")[0][:200]
    names = list(steps)
    seconds = {name: [] for name in names}
    for k in range(spec["repeats"]):
        for i in range(len(names)):
            name = names[(i + k) % len(names)]
            seconds[name].append(turn(lambda: steps[name](x, y)))
    want = losses[names[-1]]
    errors = {name: abs(loss - want) / abs(want)
              for name, loss in losses.items()}
    return {"values": seconds, "errors": errors, "why_not": why_not,
            "agree": all(e <= TOLERANCE for e in errors.values())}


def memory(name, spec, what):
    from memory import status
    before = status("VmRSS")
    if name == "graft" and what == "loaded":
        from libgraft import Trainer
        step = Trainer.loaded(spec["library"], spec["file"])
    else:
        step = STEPS[name](spec)
    if what == "peak":
        x, y = picture(spec["batch"]), classes_of(spec["batch"])
        before += x.nbytes
        for _ in range(2):
            step(x, y)
    return {"bytes": status("VmRSS" if what == "loaded" else "VmHWM") -
            before}


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(memory(sys.argv[1], json.loads(sys.argv[2]),
                                sys.argv[3])))
    else:
        print(json.dumps(times(json.loads(sys.argv[1]))))
