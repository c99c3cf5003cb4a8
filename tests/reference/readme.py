# The Python lines that README.md shows, as one function: the block is cut out
# of the README, so that what users copy is what is tested.
# SPDX-License-Identifier: Apache-2.0
import pathlib
import re


def block():
    """The first Python block of the README that uses onnxruntime."""
    text = pathlib.Path("README.md").read_text()
    for code in re.findall(r"```python\n(.*?)```", text, re.S):
        if "onnxruntime" in code:
            return code
    raise SystemExit("README.md shows no Python lines with onnxruntime")


def runner(model):
    """probabilities(photo path) by the README's lines on `model`."""
    code = block()
    for name in ('"tigers.onnx"', '"your.jpg"'):
        if name not in code:
            raise SystemExit(f"the README's lines do not mention {name}")
    # what the lines print is handed back instead
    code, n = re.subn(r"^print\(", "RESULT = (", code, flags=re.M)
    if n != 1:
        raise SystemExit("the README's lines must print once")
    cache = {}

    def run(photo):
        import onnxruntime

        def session(path, *args, **more):
            if path not in cache:
                cache[path] = original(path, *args, **more)
            return cache[path]
        original = onnxruntime.InferenceSession
        onnxruntime.InferenceSession = session
        try:
            scope = {}
            stem = model.removesuffix(".onnx")
            exec(code.replace("tigers.onnx", model)
                 .replace("tigers.json", stem + ".json")
                 .replace("your.jpg", photo), scope)
        finally:
            onnxruntime.InferenceSession = original
        return scope
    return run
