"""Figures of chapter docs/network.md."""

import numpy as np

from nnfp.book.figures import figure
from nnfp.network import MLPRegressor


@figure(width=5.6, height=3.2)
def parabola(fig, style):
    """A small network on nine points of a parabola."""
    net, steps = MLPRegressor([1, 8, 1]), 300
    X = np.linspace(-1, 1, 9)[None, :]
    for _ in range(steps):
        net.train_step(X, X**2, lr=0.3)
    x = np.linspace(-1.3, 1.3, 401)[None, :]
    ax = fig.subplots()
    ax.plot(x[0], x[0] ** 2, color=style.muted, linewidth=1, label="x²")
    ax.plot(x[0], net.predict(x)[0], color=style.blue, label="network")
    ax.plot(X[0], X[0] ** 2, "o", color=style.orange, markersize=5, label="training samples")
    ax.set(xlabel="x (no unit)", ylabel="y (no unit)")
    ax.legend()
    return {"steps": steps, "neurons": 8}


@figure(width=6.4, height=1.9)
def order_of_calls(fig, style):
    """forward, backward, step, and what each hands to the next."""
    ax = fig.subplots()
    ax.set(xlim=(0, 10), ylim=(0, 3))
    ax.axis("off")
    for x, name in ((1.4, "forward(X)"), (5.0, "backward(Y)"), (8.6, "step(lr)")):
        ax.text(x, 2.1, name, ha="center", va="center", family="DejaVu Sans Mono", size=10.5,
                bbox={"boxstyle": "round,pad=0.5", "fc": style.background, "ec": style.blue})  # fmt: skip
    arrow = {"arrowstyle": "->", "color": style.foreground, "lw": 1.4}
    for start, end, word in ((2.6, 3.7, "trace"), (6.35, 7.55, "gradients")):
        ax.annotate("", (end, 2.1), (start, 2.1), arrowprops=arrow)
        ax.text((start + end) / 2, 2.55, word, ha="center", size=9)
    arrow = arrow | {"connectionstyle": "arc3,rad=-0.25", "color": style.orange}
    ax.annotate("", (1.4, 1.55), (8.6, 1.55), arrowprops=arrow)
    ax.text(5, 0.18, "new weights: trace and gradients are dropped", ha="center", size=9)
