"""Figures of docs/activations.md."""

from decimal import Decimal, localcontext

import numpy as np

from nnfp.activations import (
    activation,
    elu_prime,
    leaky_relu_prime,
    relu,
    relu_prime,
    sigmoid,
    sigmoid_prime,
    silu,
    softplus,
    tanh_prime,
)
from nnfp.book.figures import figure
from nnfp.layer import affine

STARTS = (-2.0, -4.0, -6.0, -8.0)


@figure(width=6.6, height=2.8)
def with_and_without(fig, style):
    """One random network over its input, without and with ReLU."""
    rng = np.random.default_rng(4)
    sizes = [1, 8, 8, 1]
    W = {l: rng.standard_normal((sizes[l], sizes[l - 1])) for l in (1, 2, 3)}
    b = {l: rng.standard_normal((sizes[l], 1)) for l in (1, 2, 3)}
    x = np.linspace(-4, 4, 8001)[None, :]
    panels = fig.subplots(1, 2)
    for ax, f, title in zip(panels, (np.copy, relu), ("no activation", "ReLU"), strict=True):
        A = affine(W[3], f(affine(W[2], f(affine(W[1], x, b[1])), b[2])), b[3])
        ax.plot(x[0], A[0], color=style.blue)
        ax.set_title(title)
        ax.set_xlabel("input (no unit)")
        ax.set_ylabel("output (no unit)")
    turns = np.abs(np.diff(A[0], 2)) > 1e-9
    corners = np.flatnonzero(turns & ~np.r_[False, turns[:-1]]) + 1  # one corner may turn twice
    ax.plot(x[0, corners], A[0, corners], "o", color=style.orange, markersize=4)
    pieces = len(corners) + 1
    return {"pieces": pieces}


def joined(f, points):
    """The network of the page that joins points on the curve of f, as a function."""
    slopes = np.diff(f(points)) / np.diff(points)
    c, t, q = np.diff(slopes, prepend=0.0)[:, None], points[:-1, None], f(points[:1])[:, None]
    return lambda x: affine(c.T, relu(affine(np.ones_like(t), x, -t)), q)


@figure(width=6.8, height=2.8)
def corners(fig, style):
    """The sine as a sum of ReLU neurons, and how the error falls with their number."""
    left, right = fig.subplots(1, 2)
    x = np.linspace(0, 2 * np.pi, 4001)[None, :]
    left.plot(x[0], np.sin(x[0]), color=style.muted, linewidth=3, label="sine")
    errors = {}
    for m in (4, 8, 16, 32, 64, 128, 256):
        points = np.linspace(0, 2 * np.pi, m + 1)
        curve = joined(np.sin, points)(x)
        errors[m] = float(np.abs(curve - np.sin(x)).max())
        if m <= 8:
            colour = style.blue if m == 4 else style.orange
            left.plot(points, np.sin(points), "o-", color=colour, markersize=3, label=f"{m} neurons")
    left.set_xlabel("x (no unit)")
    left.set_ylabel("value (no unit)")
    left.legend(loc="upper right")
    right.loglog(list(errors), list(errors.values()), "o-", color=style.blue)
    right.set_xlabel("neurons")
    right.set_ylabel("largest error (no unit)")
    return {"few": 4, "more": 8, "most": max(errors), "least": errors[max(errors)]}


def _panel(ax, name, style, title, limit=4.0):
    """A function and its slope; a jump of the slope stays open, with a dot at the choice."""
    f, f_prime = activation(name)
    for z in (np.linspace(-limit, -1e-9, 200), np.linspace(1e-9, limit, 200)):
        ax.plot(z, f(z), color=style.blue, label="function" if z[0] < 0 else None)
        ax.plot(z, f_prime(z), "--", color=style.orange, label="slope" if z[0] < 0 else None)
    ax.set_title(title)
    ax.set_xlabel("z (no unit)")
    return ax


@figure(width=6.6, height=2.9)
def squashing(fig, style):
    """Sigmoid and tanh with their slopes."""
    left, right = fig.subplots(1, 2, sharey=True)
    _panel(left, "sigmoid", style, "sigmoid", 6)
    _panel(right, "tanh", style, "tanh", 6)
    left.set_ylabel("value (no unit)")
    left.legend(loc="lower right")
    return {
        "sigmoid_top": sigmoid_prime(0.0), "tanh_top": tanh_prime(0.0),
        "sigmoid_4": sigmoid_prime(4.0), "tanh_4": tanh_prime(4.0),
    }  # fmt: skip


@figure(width=6.8, height=2.7)
def rectifiers(fig, style):
    """ReLU, leaky ReLU and ELU with their slopes."""
    axes = fig.subplots(1, 3, sharey=True)
    names = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU"}
    for ax, (name, title) in zip(axes, names.items(), strict=True):
        _panel(ax, name, style, title, 3)
        ax.plot(0, activation(name).f_prime(0.0), "o", color=style.orange, markersize=5)
    axes[0].set_ylabel("value (no unit)")
    axes[0].legend(loc="upper left")
    return {
        "relu_left": relu_prime(-2.0), "leaky_left": leaky_relu_prime(-2.0),
        "elu_left": elu_prime(-2.0),
    }  # fmt: skip


@figure(width=6.6, height=2.8)
def smooth(fig, style):
    """Softplus and SiLU with their slopes, over ReLU."""
    left, right = fig.subplots(1, 2, sharey=True)
    z = np.array([-4.0, 0.0, 4.0])
    for ax, name, title in ((left, "softplus", "softplus"), (right, "silu", "SiLU")):
        ax.plot(z, relu(z), color=style.muted, linewidth=1, label="ReLU")
        _panel(ax, name, style, title)
    left.set_ylabel("value (no unit)")
    left.legend(loc="upper left")
    return {"softplus_0": softplus(0.0), "silu_0": silu(0.0), "slope_0": sigmoid(0.0)}


def _exact_slope(z: float) -> Decimal:
    e = (-Decimal(z)).exp()
    return e / (1 + e) ** 2


@figure(width=6.4, height=3.0)
def lost_slope(fig, style):
    """Relative error of two formulas for the slope of the sigmoid."""
    z = np.linspace(0, 45, 400)
    s = sigmoid(z)
    middle = 20.0
    with localcontext() as context:
        context.prec = 50
        exact = [_exact_slope(v) for v in z.tolist()]
        errors = [
            np.array([float(abs(Decimal(y) / t - 1)) for y, t in zip(f.tolist(), exact, strict=True)])
            for f in (s * (1 - s), sigmoid_prime(z))
        ]
    near = errors[0][np.abs(z - middle) < 0.5].max()
    ax = fig.subplots()
    for error, colour, label in zip(
        errors, (style.orange, style.blue), ("s(1 − s)", "E / (1 + E)²"), strict=True
    ):
        ax.semilogy(z, np.maximum(error, 1e-17), color=colour, label=label)
    ax.set_xlabel("z (no unit)")
    ax.set_ylabel("relative error (no unit)")
    ax.set_ylim(1e-18, 10)
    ax.legend(loc="center right")
    return {
        "z_middle": middle, "z_lost": 53 * np.log(2), "digits_left": int(-np.log10(near)),
        "digits_kept": int(-np.log10(errors[1].max())),
    }  # fmt: skip


@figure(width=6.4, height=3.0)
def saturated(fig, style):
    """A sigmoid neuron with a bias alone learns the target 1 from four starting points."""
    ax = fig.subplots()
    facts = {}
    for z, colour in zip(STARTS, style.cycle, strict=False):
        outputs, start = [sigmoid(z)], z
        while outputs[-1] < 0.9:
            z -= 2 * (sigmoid(z) - 1) * sigmoid_prime(z)
            outputs.append(sigmoid(z))
        steps = np.arange(1, len(outputs) + 1)
        facts[f"steps_{-start:.0f}"] = int(np.argmax(np.array(outputs) > 0.5))
        ax.semilogx(steps, outputs, color=colour, label=f"start at {start:.0f}".replace("-", "−"))
    ax.axhline(0.5, color=style.muted, linewidth=1)
    ax.set_xlabel("step + 1")
    ax.set_ylabel("output (no unit)")
    ax.legend(loc="upper left")
    return facts
