"""Figures of docs/calculus.md."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from nnfp.book.figures import figure
from nnfp.calculus import jacobian, unvec, vec


def _cells(ax, J, style, blocks):
    colours = LinearSegmentedColormap.from_list("signed", [style.orange, style.background, style.blue])
    limit = np.abs(J).max()
    ax.imshow(J, cmap=colours, vmin=-limit, vmax=limit, aspect="equal", interpolation="nearest")
    for i, j in np.argwhere(np.abs(J) > 1e-6):
        ink = style.background if np.abs(J[i, j]) > 0.6 * limit else style.foreground
        number = f"{J[i, j]:.0f}".replace("-", "−")
        ax.text(j, i, number, ha="center", va="center", fontsize=8, color=ink)
    rows, columns = blocks
    for edge in np.arange(columns, J.shape[1], columns) - 0.5:
        ax.axvline(edge, color=style.muted, linewidth=0.8)
    for edge in np.arange(rows, J.shape[0], rows) - 0.5:
        ax.axhline(edge, color=style.muted, linewidth=0.8)
    ax.grid(False)
    ax.set_xticks(range(J.shape[1]), [str(k + 1) for k in range(J.shape[1])])
    ax.set_yticks(range(J.shape[0]), [str(k + 1) for k in range(J.shape[0])])


@figure(width=6.2, height=6.6)
def kronecker(fig, style):
    """Measured Jacobians of a layer by its weights and by a batch of inputs."""
    above, below = fig.subplots(2, 1, gridspec_kw={"height_ratios": [3, 9]})
    W = np.array([[2.0, -1, 3, 1], [-2, 1, 1, -3], [1, 2, -1, 2]])
    x = np.array([[2.0], [-1], [3], [1]])
    X = np.hstack([x, -x, 2 * x])
    by_weights = jacobian(lambda v: unvec(v, W.shape) @ x, vec(W))
    by_inputs = jacobian(lambda v: vec(W @ unvec(v, X.shape)), vec(X))
    _cells(above, by_weights, style, W.shape[:1] * 2)
    _cells(below, by_inputs, style, W.shape)
    above.set_xlabel("entry of vec W")
    above.set_ylabel("entry of z")
    below.set_xlabel("entry of vec X")
    below.set_ylabel("entry of vec(WX)")
    return {
        "outputs": W.shape[0], "inputs": W.shape[1], "samples": X.shape[1],
        "nonzero": int(np.sum(np.abs(by_weights) > 1e-6)), "entries": by_weights.size,
    }  # fmt: skip
