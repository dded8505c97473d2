"""Figures of docs/calculus.md."""

import numpy as np
from matplotlib.patches import Rectangle

from nnfp.book.figures import figure
from nnfp.calculus import jacobian, unvec, vec

M, N, B = 4, 3, 2


def _cells(ax, pattern, corner, style, colour=None):
    """Draw a matrix of whole numbers as cells: 0 is empty, 1, 2, ... are colours of the cycle."""
    x, y = corner
    rows, columns = pattern.shape
    for (i, j), kind in np.ndenumerate(pattern):
        face = "none" if kind == 0 else colour or style.cycle[(int(kind) - 1) % 5]
        ax.add_patch(
            Rectangle((x + j, y - i - 1), 1, 1, facecolor=face, edgecolor=style.muted, linewidth=0.7)
        )
    ax.add_patch(
        Rectangle((x, y - rows), columns, rows, facecolor="none", edgecolor=style.foreground)
    )


def _blank(ax, x, y):
    ax.set_xlim(*x)
    ax.set_ylim(*y)
    ax.set_aspect("equal")
    ax.set_axis_off()


@figure(width=6.4, height=2.5)
def chain(fig, style):
    """The shapes of the chain rule for one layer."""
    ax = fig.subplots()
    rng = np.random.default_rng(0)
    z, W = rng.standard_normal((M, 1)), rng.standard_normal((M, N))
    J_a = np.abs(jacobian(np.tanh, z)) > 1e-6
    J_z = np.abs(jacobian(lambda x: W @ x, rng.standard_normal((N, 1)))) > 1e-6
    parts = [
        (np.ones((1, M)), r"$\partial \ell\,/\,\partial a$", style.blue, "·"),
        (J_a, r"$\partial a\,/\,\partial z$", style.orange, "·"),
        (J_z, r"$\partial z\,/\,\partial x$", style.green, "="),
        (np.ones((1, N)), r"$\partial \ell\,/\,\partial x$", style.purple, ""),
    ]
    x = 0.0
    for pattern, name, colour, sign in parts:
        rows, columns = pattern.shape
        _cells(ax, pattern, (x, 0), style, colour)
        ax.text(x + columns / 2, 0.35, name, ha="center", color=style.foreground)
        ax.text(x + columns / 2, -rows - 0.75, f"{rows} × {columns}", ha="center", fontsize=9, color=style.muted)
        x += columns
        ax.text(x + 0.6, -0.5, sign, ha="center", va="center", fontsize=14)
        x += 1.2
    _blank(ax, (-0.3, x - 0.9), (-5.1, 1.2))
    return {"m": M, "n": N, "diagonal": J_a.sum(), "square": J_a.size}


def _kinds(J):
    """Whole numbers for the distinct values of a Jacobian, 0 for zero."""
    values, kinds = [], np.zeros(J.shape, int)
    for at, value in np.ndenumerate(J.round(5)):
        if value:
            if value not in values:
                values.append(value)
            kinds[at] = values.index(value) + 1
    return kinds


@figure(width=6.8, height=2.4)
def patterns(fig, style):
    """The Kronecker patterns of a layer's Jacobians, as measured."""
    rng = np.random.default_rng(1)
    W, X = rng.standard_normal((M, N)), rng.standard_normal((N, B))
    x = X[:, :1]
    by_one = _kinds(jacobian(lambda v: unvec(v, (M, N)) @ x, vec(W)))
    by_weights = _kinds(jacobian(lambda v: vec(unvec(v, (M, N)) @ X), vec(W)))
    by_input = _kinds(jacobian(lambda v: vec(W @ unvec(v, (N, B))), vec(X)))
    ax, left = fig.subplots(), 0.0
    drawings = [
        (by_one, r"$x^\top \otimes I$", "weights", "outputs"),
        (by_weights, r"$X^\top \otimes I$", "weights", "outputs, all samples"),
        (by_input, r"$E \otimes W$", "inputs, all samples", "outputs, all samples"),
    ]
    for J, title, across, down in drawings:
        rows, columns = J.shape
        for (i, j), kind in np.ndenumerate(J):
            corner = (left + j, -i - 1)
            if kind:
                colour, shade = style.cycle[(kind - 1) // 6], 0.35 + 0.65 * ((kind - 1) % 6) / 5
                ax.add_patch(Rectangle(corner, 1, 1, facecolor=colour, alpha=shade, linewidth=0))
            edge = dict(facecolor="none", edgecolor=style.muted, linewidth=0.5)
            ax.add_patch(Rectangle(corner, 1, 1, **edge))
        centre = left + columns / 2
        ax.text(centre, 0.5, title, ha="center", fontsize=11)
        ax.text(centre, -rows - 0.4, across, ha="center", va="top", fontsize=8.5)
        ax.text(left - 0.4, -rows / 2, down, ha="right", va="center", rotation=90, fontsize=8.5)
        left += columns + 2.6
    _blank(ax, (-1.6, left - 2.4), (-M * B - 1.6, 1.8))
    return {
        "m": M, "n": N, "B": B, "filled_one": np.count_nonzero(by_one), "cells_one": by_one.size,
        "filled_weights": np.count_nonzero(by_weights), "cells_weights": by_weights.size,
        "filled_input": np.count_nonzero(by_input), "cells_input": by_input.size,
    }  # fmt: skip
