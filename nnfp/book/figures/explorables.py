"""Figures that stand where an explorable moves: what is seen without a script and in print."""

import numpy as np

from nnfp.backpropagation import backward
from nnfp.book.figures import figure
from nnfp.forward_pass import Parameters, forward
from nnfp.losses import mse, mse_gradient

# The start of docs/javascripts/explorables/network.js.
START = Parameters(
    W={1: np.array([[0.8, -0.4], [-0.5, 1.1], [1.2, 0.6]]), 2: np.array([[0.9, -0.7, 0.5]])},
    b={1: np.array([[0.1], [0.2], [-0.3]]), 2: np.array([[0.1]])},
)
X, Y = np.array([[1.0], [0.5]]), np.array([[-0.5]])
PLACES = {0: [(0, 2.4), (0, 0.9)], 1: [(3.3, 3.3), (3.3, 1.65), (3.3, 0.0)], 2: [(6.6, 1.65)]}


def _number(value):
    return f"{value:.3f}".replace("-", "−")


@figure(width=6.6, height=4.2)
def network(fig, style):
    """A 2-3-1 network with tanh, one sample: each value and each error at its place."""
    trace = forward(START, X, hidden="tanh")
    delta = backward(START, trace, mse_gradient(trace.Y_hat, Y), hidden="tanh").delta
    ax = fig.subplots()
    for l in (1, 2):
        for (i, j), w in np.ndenumerate(START.W[l]):
            start, end = np.array(PLACES[l - 1][j]), np.array(PLACES[l][i])
            colour = style.blue if w > 0 else style.orange
            ax.plot(*zip(start, end), color=colour, linewidth=0.8 + 1.6 * abs(w), zorder=1)
            at = start + (0.4 if l == 2 else (0.3, 0.42)[j]) * (end - start)
            ax.text(*at, f"{w:.1f}".replace("-", "−"), color=colour, ha="center", va="center", size=9,
                    zorder=2, bbox={"fc": style.background, "ec": "none", "pad": 1})  # fmt: skip
    box = {"boxstyle": "round,pad=0.4", "fc": style.background, "ec": style.muted}
    for j, place in enumerate(PLACES[0]):
        ax.text(
            *place, f"$x_{j + 1}$ = {X[j, 0]:.1f}", ha="center", va="center", bbox=box, zorder=3
        )
    for l in (1, 2):
        name = "a" if l == 1 else r"\hat{y}"
        for i, (u, v) in enumerate(PLACES[l]):
            values = [("z", trace.Z), (name, trace.A), (r"\delta", delta)]
            text = "\n".join(f"${symbol}$ = {_number(of[l][i, 0])}" for symbol, of in values)
            ax.text(
                u, v, text, ha="center", va="center", bbox=box, zorder=3, linespacing=1.35, size=9.5
            )
    ax.set_xlim(-0.8, 7.5)
    ax.set_ylim(-0.75, 4.05)
    ax.set_axis_off()
    return {
        "prediction": trace.Y_hat[0, 0], "target": Y[0, 0], "loss": mse(trace.Y_hat, Y),
        "error": delta[2][0, 0],
    }  # fmt: skip
