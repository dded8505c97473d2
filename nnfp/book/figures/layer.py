"""Figures of docs/layer.md."""

import numpy as np
from matplotlib.patches import Rectangle

from nnfp.book.figures import figure
from nnfp.layer import affine

SIZES = {"m": 3, "n": 2, "B": 5}
W = np.array([[1.5, 0.5], [-0.5, 1.0]])
SHIFT = np.array([[1.0], [0.5]])


@figure(width=6.6, height=2.3)
def shapes(fig, style):
    """Four rectangles to scale: weights, batch, bias, result."""
    ax = fig.subplots()
    m, n, B = (SIZES[name] for name in "mnB")
    parts = [
        ("W", m, n, "m", "n", style.blue, "@"),
        ("X", n, B, "n", "B", style.orange, "+"),
        ("b", m, 1, "m", "1", style.green, "="),
        ("Z", m, B, "m", "B", style.purple, ""),
    ]
    x = 0.0
    for name, rows, columns, row_name, column_name, colour, sign in parts:
        bottom = (m - rows) / 2
        ax.add_patch(
            Rectangle((x, bottom), columns, rows, facecolor="none", edgecolor=colour, linewidth=2)
        )
        for k in range(1, columns):
            ax.plot([x + k] * 2, [bottom, bottom + rows], color=style.grid, linewidth=1)
        for k in range(1, rows):
            ax.plot([x, x + columns], [bottom + k] * 2, color=style.grid, linewidth=1)
        ax.text(x + columns / 2, bottom + rows / 2, name, ha="center", va="center", color=colour,
                fontsize=14, weight="bold")  # fmt: skip
        ax.text(x + columns / 2, bottom + rows + 0.15, column_name, ha="center", va="bottom")
        ax.text(x - 0.12, bottom + rows / 2, row_name, ha="right", va="center")
        ax.text(x + columns + 0.45, m / 2, sign, ha="center", va="center", fontsize=13)
        x += columns + 1.4
    ax.set_xlim(-0.6, x - 1.2)
    ax.set_ylim(-0.2, m + 0.8)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return dict(SIZES)


@figure(width=6.6, height=3.3)
def plane(fig, style):
    """A square before the layer and the parallelogram it becomes."""
    left, right = fig.subplots(1, 2)
    corners = np.array([[0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    rng = np.random.default_rng(3)
    inside = rng.uniform(0, 1, (2, 60))
    for ax, f, title in (
        (left, lambda X: X, "a batch of inputs X"),
        (right, lambda X: affine(W, X, SHIFT), "W X plus the bias"),
    ):
        square, points = f(corners), f(inside)
        ax.fill(*square, facecolor=style.blue, alpha=0.15, edgecolor="none")
        ax.plot(*np.c_[square, square[:, :1]], color=style.blue)
        ax.plot(*points, ".", color=style.orange, markersize=4)
        ax.plot(*square[:, :1], "o", color=style.green)
        ax.set_xlim(-0.6, 3.4)
        ax.set_ylim(-0.6, 2.4)
        ax.set_aspect("equal")
        ax.set_title(title)
        ax.set_xlabel("row 1 (no unit)")
        ax.set_ylabel("row 2 (no unit)")
    return {"area": abs(float(np.linalg.det(W))), "b_1": SHIFT[0, 0], "b_2": SHIFT[1, 0]}
