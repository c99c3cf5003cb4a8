# One measurement: who took how long (or held how much), several times.
# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass, field

import numpy as np

from peers import TORCH


@dataclass
class Figure:
    job: str       # a key of bench.JOBS
    model: str
    batch: int
    threads: int   # 0: several
    unit: str      # "s", "bytes", "yes"
    values: dict   # name: list of values
    agree: bool = True
    errors: dict = field(default_factory=dict)  # name: of the largest output
    why_not: dict = field(default_factory=dict)  # name: who was left out
    note: str = ""

    def middle(self, name):
        """The median; "torch" is the fastest of PyTorch's ways."""
        if name == "torch":
            name = self.best_torch()
        values = self.values.get(name)
        return float(np.median(values)) if values else None

    def best_torch(self):
        ways = [name for name in TORCH if self.values.get(name)]
        return min(ways, key=self.middle, default=None)

    def spread(self, name):
        """Half of the distance between the quartiles, of the median."""
        low, high = np.percentile(self.values[name], (25, 75))
        return float((high - low) / 2 / np.median(self.values[name]))
