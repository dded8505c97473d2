"""Figures of docs/losses.md."""

import numpy as np

from nnfp.book.figures import figure
from nnfp.losses import huber, huber_gradient, loss, mae, mae_gradient, mse, mse_gradient

NAMES = {"mae": "MAE", "mse": "MSE", "huber": "Huber, threshold 1"}
ZERO = np.zeros((1, 1))


def _colours(style):
    return dict(zip(NAMES, (style.orange, style.blue, style.green), strict=True))


@figure(width=6.6, height=3.1)
def values_and_slopes(fig, style):
    """The three losses of one error, and their slopes."""
    left, right = fig.subplots(1, 2)
    r = np.linspace(-4, 4, 801)
    for name, label in NAMES.items():
        f, gradient = loss(name)
        options = dict(color=_colours(style)[name], label=label)
        left.plot(r, [f(np.array([[v]]), ZERO) for v in r], **options)
        slopes = np.array([gradient(np.array([[v]]), ZERO).item() for v in r])
        for side in (r < 0, r > 0) if name == "mae" else (r < 9,):
            right.plot(r[side], slopes[side], **options)
    right.plot(0, 0, "o", color=_colours(style)["mae"], markersize=5)
    left.set_ylim(-0.3, 9.3)
    right.set_ylim(-4.2, 4.2)
    left.set_ylabel("loss (no unit)")
    right.set_ylabel("slope (no unit)")
    for ax in (left, right):
        ax.set_xlabel("error (no unit)")
    left.legend(loc="upper center")
    three = np.array([[3.0]])
    return {
        "r": 3, "mae_3": mae(three, ZERO), "mse_3": mse(three, ZERO), "huber_3": huber(three, ZERO),
        "mae_slope": mae_gradient(three, ZERO).item(),
        "mse_slope": mse_gradient(three, ZERO).item(),
        "huber_slope": huber_gradient(three, ZERO).item(),
    }  # fmt: skip


def _best_constant(name, Y):
    low, high = Y.min(), Y.max()
    for _ in range(60):
        c = (low + high) / 2
        if loss(name).gradient(np.full_like(Y, c), Y).sum() > 0:
            high = c
        else:
            low = c
    return c


@figure(width=6.4, height=3.0)
def outlier(fig, style):
    """The best constant prediction when one of 101 targets moves away."""
    Y = np.random.default_rng(0).standard_normal((1, 101))
    values = np.linspace(0, 1000, 41)
    ax = fig.subplots()
    facts = {"targets": Y.size}
    dashes = {"mae": "-", "mse": "-", "huber": "--"}
    for name, label in NAMES.items():
        best = [_best_constant(name, np.hstack([Y[:, :-1], [[v]]])) for v in values]
        ax.plot(values, best, dashes[name], color=_colours(style)[name], label=label)
        facts[f"{name}_best"] = best[-1]
    ax.set_xlabel("value of the outlier (unit of the target)")
    ax.set_ylabel("best constant (unit of the target)")
    ax.legend(loc="upper left")
    return facts


@figure(width=6.4, height=3.0)
def approach(fig, style):
    """Descent on each loss of a single error from 3, learning rate 0.4."""
    ax = fig.subplots()
    paths = {}
    for name, label in NAMES.items():
        path = [3.0]
        for _ in range(16):
            path.append(path[-1] - 0.4 * loss(name).gradient(np.array([[path[-1]]]), ZERO).item())
        paths[name] = np.abs(path)
        ax.semilogy(paths[name], "o-", color=_colours(style)[name], markersize=3, label=label)
    ax.set_ylim(1e-4, 5)
    ax.set_xlabel("step")
    ax.set_ylabel("distance (unit of the target)")
    ax.legend(loc="lower left")
    return {
        "mae_end": paths["mae"][-1], "mse_factor": paths["mse"][3] / paths["mse"][2],
        "huber_factor": paths["huber"][-1] / paths["huber"][-2],
    }  # fmt: skip
