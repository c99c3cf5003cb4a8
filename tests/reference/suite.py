# The test models of the onnx package: those it generates (every operator at
# its newest version, and whole models) and those it carries as files (PyTorch
# exports, light versions of known networks).
#   suite.py FOLDER
# SPDX-License-Identifier: Apache-2.0
import pathlib
import shutil
import sys

import onnx.backend.test.case.model as models
import onnx.backend.test.loader as loader


def main(folder):
    cases = list(loader.load_node_model_tests())
    cases += models.collect_testcases()
    for case in cases:
        if case.model is None:  # one to be downloaded
            continue
        place = folder / case.kind / case.name
        place.mkdir(parents=True, exist_ok=True)
        (place / "model.onnx").write_bytes(case.model.SerializeToString())
    data = pathlib.Path(loader.DATA_DIR)
    for file in data.rglob("*.onnx"):
        place = folder / "data" / file.relative_to(data).parent
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
