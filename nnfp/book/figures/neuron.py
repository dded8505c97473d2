"""Figures of docs/neuron.md."""

import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch

from nnfp.book.figures import figure
from nnfp.neuron import neuron

W = np.array([[1.0], [2.0]])
BIAS = 1.0
X = np.array([[1.0], [2.0]])


def node(ax, x, y, text, style, colour):
    """A circle with a label in it."""
    ax.add_patch(Circle((x, y), 0.42, facecolor=style.background, edgecolor=colour, linewidth=1.8))
    ax.text(x, y, text, ha="center", va="center")


def arrow(ax, start, end, style, gap=0.46):
    """An arrow between two circles."""
    step = np.subtract(end, start) / np.hypot(*np.subtract(end, start)) * gap
    ax.add_patch(
        FancyArrowPatch(
            start + step, end - step, arrowstyle="-|>", mutation_scale=12, color=style.muted,
            linewidth=1.3,
        )
    )  # fmt: skip


@figure(width=6.0, height=2.6)
def anatomy(fig, style):
    """The worked example as a drawing: inputs, weights on the edges, bias, sum."""
    ax = fig.subplots()
    s = neuron(W, X, BIAS)
    centre = np.array([3.4, 1.5])
    for j, y in ((0, 2.6), (1, 1.5)):
        node(ax, 0, y, f"{X[j, 0]:g}", style, style.blue)
        ax.text(-0.6, y, f"$x_{j + 1}$", ha="right", va="center", color=style.blue)
        arrow(ax, np.array([0, y]), centre, style)
        middle = 0.65 * np.array([0, y]) + 0.35 * centre
        ax.text(middle[0], middle[1] + 0.17, f"$w_{j + 1} = {W[j, 0]:g}$", ha="center")
    node(ax, 0, 0.4, f"{BIAS:g}", style, style.orange)
    ax.text(-0.6, 0.4, r"$\beta$", ha="right", va="center", color=style.orange)
    arrow(ax, np.array([0, 0.4]), centre, style)
    node(ax, *centre, r"$\Sigma$", style, style.green)
    end = np.array([5.6, 1.5])
    arrow(ax, centre, end, style)
    node(ax, *end, f"{s:g}", style, style.green)
    ax.text(6.2, 1.5, "$s$", va="center", color=style.green)
    ax.set_xlim(-1.3, 6.8)
    ax.set_ylim(-0.1, 3.1)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return {"s": s, "bias": BIAS, "x_1": X[0, 0], "x_2": X[1, 0]}


@figure(width=6.0, height=4.6)
def half_plane(fig, style):
    """The line on which the sum is zero, the side where it is positive, one point's distance."""
    ax = fig.subplots()
    u = np.linspace(-4, 4, 121)
    sums = W[0, 0] * u[None, :] + W[1, 0] * u[:, None] + BIAS
    ax.contourf(u, u, sums, levels=[0, 100], colors=[style.blue], alpha=0.14)
    levels = [-6, -3, 3, 6, 9]
    lines = ax.contour(
        u, u, sums, levels=levels, colors=[style.muted], linewidths=0.9, linestyles="solid"
    )
    ax.clabel(lines, fmt="%g", fontsize=8, colors=[style.muted])
    ax.contour(u, u, sums, levels=[0], colors=[style.blue], linewidths=2.2)
    s = neuron(W, X, BIAS)
    length = float(np.linalg.norm(W))
    foot = X - s / length**2 * W
    ax.plot([X[0, 0], foot[0, 0]], [X[1, 0], foot[1, 0]], color=style.orange, linestyle="--")
    ax.plot(X[0, 0], X[1, 0], "o", color=style.orange)
    distance = s / length
    ax.text(1.2, 2.0, f"x, s = {s:g}", color=style.orange, va="center")
    ax.text(0.25, 0.8, f"{distance:.2f}", color=style.orange, ha="right")
    origin = np.array([1.0, -1.0])
    ax.annotate(
        "", origin + W[:, 0], origin,
        arrowprops={"arrowstyle": "-|>", "color": style.green, "linewidth": 2, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
    ax.text(2.1, 0.5, "w", color=style.green)
    ax.text(-3.8, -3.6, "s < 0")
    ax.text(2.9, 3.6, "s > 0")
    ax.text(-3.8, 0.75, "s = 0", color=style.blue)
    ax.set_aspect("equal")
    ax.set_xlim(-4, 4)
    ax.set_ylim(-4, 4)
    ax.set_xlabel("first input (no unit)")
    ax.set_ylabel("second input (no unit)")
    return {"s": s, "distance": distance}
