# Are Graft's answers the same bits for 1, 2, 3 and 7 threads, and of a photo
# alone as in a batch? Prints one JSON object.
#   same.py MODEL.onnx LIBGRAFT.SO
# SPDX-License-Identifier: Apache-2.0
import json
import sys

from peers import PEERS, Task, picture

BATCH, THREADS = 5, (1, 2, 3, 7)


def answer(file, library, threads, x):
    return PEERS["graft"](Task(None, file, library, threads, None), x)(x)


def main(file, library):
    x = picture(BATCH)
    whole = answer(file, library, 1, x)
    threads = all((answer(file, library, n, x) == whole).all()
                  for n in THREADS)
    alone = all((answer(file, library, 2, x[i:i + 1])[0] == whole[i]).all()
                for i in range(BATCH))
    print(json.dumps({"threads": bool(threads), "alone": bool(alone)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
