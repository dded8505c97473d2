"""Figures of docs/forward_pass.md."""

import numpy as np

from nnfp.book.figures import figure
from nnfp.forward_pass import Parameters, forward, random_parameters

SIZES = [4, 6, 4, 2]


@figure(width=6.4, height=3.6)
def graph(fig, style):
    """The 4-6-4-2 network: a dot a neuron, a line a weight, orange below zero."""
    ax = fig.subplots()
    parameters = random_parameters(SIZES, np.random.default_rng(42))
    place = [(l, np.arange(n)[::-1] - (n - 1) / 2) for l, n in enumerate(SIZES)]
    edges = 0
    for l, W in parameters.W.items():
        for i in range(SIZES[l]):
            for j in range(SIZES[l - 1]):
                ax.plot(
                    [l - 1, l], [place[l - 1][1][j], place[l][1][i]], zorder=1,
                    color=style.blue if W[i, j] > 0 else style.orange,
                    linewidth=0.4 + 12 * abs(W[i, j]), alpha=0.75,
                )  # fmt: skip
                edges += 1
    colours = [style.muted, style.green, style.green, style.purple]
    names = ["$A^{[0]} = X$", "$A^{[1]}$", "$A^{[2]}$", r"$A^{[3]} = \hat{Y}$"]
    for (l, y), colour, name in zip(place, colours, names, strict=True):
        ax.plot([l] * len(y), y, "o", markersize=17, color=style.background,
                markeredgecolor=colour, markeredgewidth=2, zorder=2)  # fmt: skip
        ax.text(l, -3.05, name, ha="center", va="top")
    for l in parameters.W:
        ax.text(l - 0.5, 2.85, f"$W^{{[{l}]}}$: {SIZES[l]} × {SIZES[l - 1]}", ha="center")
    ax.set_xlim(-0.4, 3.4)
    ax.set_ylim(-3.5, 3.2)
    ax.set_axis_off()
    biases = sum(SIZES[1:])
    return {"edges": edges, "biases": biases, "parameters": edges + biases, "neurons": biases}


@figure(width=6.4, height=3.2)
def output_of_one_input(fig, style):
    """The prediction as a function of a single input, with a linear and with a ReLU output."""
    ax = fig.subplots()
    rng = np.random.default_rng(16)
    W, b = random_parameters([1, 8, 8, 1], rng, weight_scale=0.6)
    b = {l: 0.6 * rng.standard_normal(column.shape) for l, column in b.items()}
    X = np.linspace(-3, 3, 601)[None, :]
    linear = forward(Parameters(W, b), X).Y_hat
    cut = forward(Parameters(W, b), X, output="relu").Y_hat
    ax.plot(X[0], linear[0], color=style.blue, label="linear output")
    ax.plot(X[0], cut[0], color=style.orange, linestyle="--", label="ReLU output")
    ax.set_xlabel("input (no unit)")
    ax.set_ylabel("prediction (no unit)")
    ax.legend()
    return {"lowest_linear": linear.min(), "lowest_cut": cut.min()}


def size_by_layer(width, scale, seed, depth=10):
    """Root mean square of A[0..depth] of a ReLU network of constant width."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((width, 100))
    trace = forward(random_parameters([width] * (depth + 1), rng, scale), X, output="relu")
    return [float(np.sqrt(np.mean(A**2))) for A in trace.A.values()]


@figure(width=6.6, height=3.3)
def weight_scale(fig, style):
    """Size of the activations by layer, and after ten layers by width."""
    left, right = fig.subplots(1, 2)
    facts = {"scale": 0.1, "width": 64, "depth": 10}
    scales = (
        ("tenth", "0.1", lambda n: 0.1, style.orange, "s"),
        ("he", "sqrt(2/n)", lambda n: float(np.sqrt(2 / n)), style.blue, "o"),
    )
    widths = [16, 32, 64, 128, 256, 512]
    facts |= {"narrowest": widths[0], "widest": widths[-1]}
    for name, label, scale, colour, marker in scales:
        runs = np.array([size_by_layer(64, scale(64), seed) for seed in range(8)])
        left.semilogy(runs.T, color=colour, linewidth=0.7, alpha=0.6)
        left.semilogy([], color=colour, label=f"scale {label}")
        facts[f"{name}_64"] = float(np.median(runs[:, -1]))
        last = [size_by_layer(width, scale(width), 0)[-1] for width in widths]
        right.loglog(widths, last, marker=marker, color=colour, label=f"scale {label}")
        facts[f"{name}_16"], facts[f"{name}_512"] = last[0], last[-1]
    left.set_title("width 64")
    left.set_xlabel("layer")
    left.set_ylabel("rms of the activations (no unit)")
    left.set_xticks(range(0, 11, 2))
    left.legend()
    right.set_title("after 10 layers")
    right.set_xlabel("width n")
    right.set_xticks(widths, [str(width) for width in widths])
    right.minorticks_off()
    return facts
