"""Writes probe_vectors.h: small classification problems and what
scikit-learn's LogisticRegression makes of them.

    python tests/train/make_probe_vectors.py > tests/train/probe_vectors.h

SPDX-License-Identifier: Apache-2.0
"""
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


def problem(seed, n, d, classes, spread):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    centre = rng.normal(size=(classes, d)) * spread
    x = centre[y] + rng.normal(size=(n, d))
    x *= np.exp(rng.normal(size=d))          # features of different scale
    x += 3 * rng.normal(size=d)
    if d > 4:
        x[:, 4] = 0.25                       # one that never changes
    return np.round(x * 16) / 16, y          # exact in few digits


def objective(xs, y, classes, w, b, l2):
    """logistic.h's formula: one unit for two classes, else softmax."""
    z = xs @ w.T + b
    if classes == 2:
        loss = np.logaddexp(0, -(2 * y - 1) * z[:, 0]).mean()
    else:
        top = z.max(1, keepdims=True)
        log_sum = np.log(np.exp(z - top).sum(1)) + top[:, 0]
        loss = (log_sum - z[np.arange(len(y)), y]).mean()
    return loss + l2 / 2 * (w ** 2).sum()


def numbers(values, width=12):
    rows = [values[i:i + width] for i in range(0, len(values), width)]
    return ",\n".join("    " + ", ".join(f"{v:g}" for v in r) for r in rows)


print("/* Made by make_probe_vectors.py; do not edit.")
print(" * SPDX-License-Identifier: Apache-2.0 */")
cases = [("wide", 1, 24, 40, 2, 0.2), ("tall", 2, 60, 12, 3, 0.4)]
for name, seed, n, d, classes, spread in cases:
    x, y = problem(seed, n, d, classes, spread)
    print(f"static const float {name}_x[] = {{\n{numbers(x.ravel(), 8)}}};")
    print(f"static const int32_t {name}_label[] = {{\n{numbers(y, 24)}}};")
    xs = StandardScaler().fit_transform(x.astype(np.float32).astype(float))
    found = []
    for l2 in (1.0, 1e-2, 1e-4):
        fit = LogisticRegression(C=1 / (n * l2), tol=1e-10, max_iter=100000)
        fit.fit(xs, y)
        found.append((l2, objective(xs, y, classes, fit.coef_,
                                    fit.intercept_, l2)))
    print(f"static const struct reached {name}_reached[] = {{")
    print(",\n".join(f"    {{{a:g}, {b:.12f}}}" for a, b in found) + "};")
    print(f"static const struct problem {name} = {{")
    print(f"    {name}_x, {name}_label, {n}, {d}, {classes}, "
          f"{name}_reached, {len(found)}}};")
