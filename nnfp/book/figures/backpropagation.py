"""Figures of docs/backpropagation.md."""

from itertools import pairwise

import numpy as np

from nnfp.backpropagation import loss_and_gradients, multiplications
from nnfp.book.figures import figure
from nnfp.forward_pass import Parameters, forward

EXAMPLE = Parameters(
    W={1: np.array([[1.0, 2.0], [3.0, -1.0]]), 2: np.array([[2.0, -1.0]])},
    b={1: np.array([[1.0], [-3.0]]), 2: np.array([[1.0]])},
)
X, Y = np.array([[1.0, 2.0], [1.0, -1.0]]), np.array([[8.0, 1.0]])


def lines_of(A):
    """A small matrix of integers, a text line a row."""
    entries = [[f"{v + 0.0:.0f}".replace("-", "−") for v in row] for row in A]
    width = max(len(entry) for row in entries for entry in row)
    return "\n".join("  ".join(entry.rjust(width) for entry in row) for row in entries)


@figure(width=7.4, height=4.3)
def graph(fig, style):
    """The computational graph of the worked example, with every value and every gradient."""
    ax = fig.subplots()
    trace = forward(EXAMPLE, X)
    loss, gradients = loss_and_gradients(EXAMPLE, X, Y)
    dY_hat, dA_1 = gradients.delta[2], EXAMPLE.W[2].T @ gradients.delta[2]
    nodes = {  # place, name, value, gradient
        "X": (0.0, 1.0, "$X$", X, gradients.dX),
        "Z": (2.0, 1.0, "$Z^{[1]}$", trace.Z[1], gradients.delta[1]),
        "A": (4.0, 1.0, "$A^{[1]}$", trace.A[1], dA_1),
        "P": (6.0, 1.0, r"$Z^{[2]} = \hat{Y}$", trace.Y_hat, dY_hat),
        "L": (7.9, 1.0, r"$\mathcal{L}$", None, None),
        "W1": (1.1, -1.0, "$W^{[1]}$", EXAMPLE.W[1], gradients.dW[1]),
        "b1": (2.6, -1.0, "$b^{[1]}$", EXAMPLE.b[1], gradients.db[1]),
        "W2": (5.1, -1.0, "$W^{[2]}$", EXAMPLE.W[2], gradients.dW[2]),
        "b2": (6.6, -1.0, "$b^{[2]}$", EXAMPLE.b[2], gradients.db[2]),
        "Y": (7.9, -1.0, "$Y$", Y, None),
    }
    box = {"boxstyle": "round,pad=0.25", "facecolor": style.background, "edgecolor": style.muted}
    for x, y, name, value, gradient in nodes.values():
        ax.text(x, y + 0.72, name, ha="center", va="bottom")
        small = {"ha": "center", "family": "monospace", "fontsize": 8.5, "bbox": box, "zorder": 3}
        shown = f"{loss}" if value is None else lines_of(value)
        ax.text(x, y + 0.34, shown, va="center", color=style.blue, **small)
        if name != "$Y$":
            shown = "1" if gradient is None else lines_of(gradient)
            ax.text(x, y - 0.34, shown, va="center", color=style.orange, **small)
    steps = [("X", "Z", "", ""), ("Z", "A", "ReLU", r"$\odot$ slope"), ("A", "P", "", ""),
             ("P", "L", "", "")]  # fmt: skip
    for start, end, forth, back in steps:
        a, b = nodes[start][0] + 0.55, nodes[end][0] - (0.4 if end == "L" else 0.55)
        if end == "P":
            b -= 0.05
        arrow(ax, (a, 1.34), (b, 1.34), style.blue)
        arrow(ax, (b, 0.66), (a, 0.66), style.orange)
        ax.text((a + b) / 2, 1.4, forth, ha="center", va="bottom", fontsize=8, color=style.blue)
        ax.text((a + b) / 2, 0.6, back, ha="center", va="top", fontsize=8, color=style.orange)
    for parameter, end in (("W1", "Z"), ("b1", "Z"), ("W2", "P"), ("b2", "P"), ("Y", "L")):
        x, target = nodes[parameter][0], nodes[end][0]
        ax.plot([x, target], [-0.02, 0.3], color=style.muted, linewidth=1, zorder=1)
    ax.plot([], color=style.blue, label="value, computed from left to right")
    ax.plot([], color=style.orange, label="gradient of the loss, from right to left")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.0), ncol=2)
    ax.set_xlim(-0.7, 8.4)
    ax.set_ylim(-1.85, 2.15)
    ax.set_axis_off()
    return {"loss": loss, "d_last_bias": gradients.db[2].item(), "off": int(np.sum(trace.A[1] == 0))}


def arrow(ax, start, end, colour):
    """An arrow from one point to another."""
    ax.annotate(
        "", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.4}
    )


@figure(width=6.4, height=3.4)
def cost(fig, style):
    """Work for all gradients, in forward passes, against the number of parameters."""
    ax = fig.subplots()
    sizes = [[2, 2, 1], [4, 6, 4, 2], [8, 16, 16, 1], [16, 64, 64, 4], [64, 128, 128, 10],
             [256, 512, 512, 10], [784, 1024, 1024, 10]]  # fmt: skip
    count = np.array([sum(m * (n + 1) for n, m in pairwise(layers)) for layers in sizes])
    work = [multiplications(layers, B=32) for layers in sizes]
    ours = [(ahead + back) / ahead for ahead, back in work]
    ax.loglog(count, 2 * count, "s-", color=style.orange, label="central differences")
    ax.loglog(count, ours, "o-", color=style.blue, label="forward and backward pass")
    ax.set_xlabel("parameters")
    ax.set_ylabel("cost of all gradients\n(in forward passes)")
    ax.set_ylim(1, 1e7)
    ax.legend()
    k = sizes.index([64, 128, 128, 10])
    return {
        "parameters": int(count[k]), "passes": int(2 * count[k]), "ours": ours[k],
        "most": int(count[-1]), "smallest": ours[0],
    }  # fmt: skip
