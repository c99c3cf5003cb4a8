# Fine-tuning of the last layers as one writes it in PyTorch: two processes
# decode each photo once with Pillow, then 15 epochs of SGD with momentum, a
# cosine schedule, batches of 32, a new linear head; the model is judged once.
# "usual" runs the frozen layers in each step, "cached" once a photo. Prints
# one JSON object; "seconds" leaves out the start of Python and its imports.
#   torch_tune.py BACKBONE.onnx FOLDER THREADS usual|cached PARAMETER...
# SPDX-License-Identifier: Apache-2.0
import json
import multiprocessing
import sys
import time
import warnings

import torch
import torch.nn.functional as F

from eager import Eager
from pillow_ort import BATCH, WORKERS, pixels
from sklearn_head import FEATURES, listed, normalised

EPOCHS, RATE = 15, 1e-3


def tensors(paths, pool):
    photos = list(pool.imap(pixels, paths, chunksize=4))
    return torch.cat([normalised(photos[i:i + BATCH])
                      for i in range(0, len(photos), BATCH)])


def batches(values, order):
    for part in order.split(BATCH):
        yield part, {name: x[part].contiguous(
            memory_format=torch.channels_last) if x.ndim == 4 else x[part]
            for name, x in values.items()}


def ahead(net, pictures):
    """What crosses into the trained part, computed once."""
    with torch.inference_mode():
        parts = [net.frozen(x) for _, x in
                 batches(pictures, torch.arange(len(pictures[net.input])))]
    return {name: torch.cat([p[name] for p in parts]).clone()
            for name in parts[0]}


def learn(net, head, values, truth):
    parameters = [*net.trained(), *head.parameters()]
    sgd = torch.optim.SGD(parameters, lr=RATE, momentum=0.9,
                          weight_decay=1e-4)
    steps = EPOCHS * -(-len(truth) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, steps)
    for _ in range(EPOCHS):
        for part, x in batches(values, torch.randperm(len(truth))):
            sgd.zero_grad()
            score = head(net.after(x).flatten(1))
            F.cross_entropy(score, truth[part]).backward()
            sgd.step()
            schedule.step()


def main(model, folder, threads, way, *names):
    torch.manual_seed(0)
    start = time.perf_counter()
    with multiprocessing.Pool(WORKERS) as pool:
        net = Eager(model, int(threads), FEATURES)
        net.train(names)
        paths, truth = listed(folder + "/train")
        val, want = listed(folder + "/val")
        x = {net.input: tensors(paths, pool)}
        y = {net.input: tensors(val, pool)}
    if way == "cached":
        x, y = ahead(net, x), ahead(net, y)
    with torch.no_grad():
        width = net.after({k: v[:1] for k, v in x.items()}).flatten(1)
    head = torch.nn.Linear(width.shape[1], int(truth.max()) + 1)
    learn(net, head, x, torch.from_numpy(truth))
    right = 0
    with torch.inference_mode():
        for part, z in batches(y, torch.arange(len(want))):
            said = head(net.after(z).flatten(1)).argmax(1).numpy()
            right += int((said == want[part]).sum())
    print(json.dumps({"seconds": time.perf_counter() - start,
                      "right": right, "total": len(want)}))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
