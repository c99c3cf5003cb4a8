# What a process holds, one runtime a process. Prints one JSON object:
# "loaded", resident bytes once the model is ready for one image, or "peak",
# the most that a run at that batch needs.
#   memory.py graft|ort MODEL.onnx LIBGRAFT.SO THREADS loaded|peak BATCH
# SPDX-License-Identifier: Apache-2.0
import json
import sys

from peers import PEERS, Task, picture


def status(key):
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    raise SystemExit(f"no {key} in /proc/self/status")


def main(peer, file, library, threads, what, batch):
    x = picture(int(batch))
    before = status("VmRSS")
    task = Task(None, file, library, int(threads), None)
    run = PEERS[peer](task, x[:1] if what == "loaded" else x)
    if what == "peak":
        for _ in range(2):
            run(x)
    held = status("VmRSS" if what == "loaded" else "VmHWM")
    print(json.dumps({"bytes": held - before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
