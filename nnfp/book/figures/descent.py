"""Figures of docs/descent.md."""

import numpy as np

from nnfp.book.figures import figure
from nnfp.descent import descend, quadratic_prime, stability_limit


@figure(width=6.4, height=3.3)
def regimes(fig, style):
    """Distance from the minimum of the parabola for five learning rates."""
    ax = fig.subplots()
    rates = {0.02: style.purple, 0.25: style.green, 0.9: style.blue, 1.0: style.orange, 1.1: style.red}
    factor = {}
    for lr, colour in rates.items():
        distance = np.abs(np.array(descend(quadratic_prime, 0.0, lr, 30)) - 2)
        ax.semilogy(distance, "o-", color=colour, markersize=2.5)
        factor[lr] = distance[4] / distance[3]
        inside = min(30, int(np.argmax(distance < 3e-4)) or 30)
        ax.annotate(f"{lr:g}", (inside, distance[inside]), (5, 0), textcoords="offset points",
                    color=colour, va="center")  # fmt: skip
    ax.set_ylim(1e-4, 1e3)
    ax.set_xlim(-0.5, 33)
    ax.set_xlabel("step")
    ax.set_ylabel("distance from 2 (no unit)")
    return {
        "good": 0.25, "good_factor": factor[0.25], "large": 1.1, "large_factor": factor[1.1],
        "small": 0.02, "high": 0.9, "level": factor[1.0],
    }  # fmt: skip


def _measured_limit(H, start):
    low, high = 0.0, 2 * stability_limit(H)
    for _ in range(14):
        lr = (low + high) / 2
        v = start
        for _ in range(250):
            v = v - lr * (H @ v)
        low, high = (low, lr) if np.linalg.norm(v) > np.linalg.norm(start) else (lr, high)
    return low


@figure(width=6.6, height=3.2)
def stability(fig, style):
    """Exact and measured: the factor of a step, and the largest stable learning rate."""
    left, right = fig.subplots(1, 2)
    rates = np.linspace(0.05, 1.3, 26)
    paths = [descend(quadratic_prime, 0.0, lr, 2) for lr in rates]
    left.plot(rates, np.abs(1 - 2 * rates), color=style.blue, label="exact, |1 - 2α|")
    left.plot(rates, [abs(p[1] - 2) / abs(p[0] - 2) for p in paths], "o", color=style.orange,
              markersize=3.5, label="measured")  # fmt: skip
    left.axhline(1, color=style.muted, linewidth=0.8)
    left.set_xlabel("learning rate (no unit)")
    left.set_ylabel("factor of one step (no unit)")
    left.legend(loc="upper center")
    rng = np.random.default_rng(3)
    exact, measured = [], []
    for _ in range(12):
        Q, _ = np.linalg.qr(rng.standard_normal((5, 5)))
        H = (Q * rng.uniform(0.5, 20, 5)) @ Q.T
        H = (H + H.T) / 2
        exact.append(stability_limit(H))
        measured.append(_measured_limit(H, rng.standard_normal((5, 1))))
    exact, measured = np.array(exact), np.array(measured)
    ends = [exact.min() * 0.95, exact.max() * 1.05]
    right.plot(ends, ends, color=style.blue, label="equal")
    right.plot(exact, measured, "o", color=style.orange, markersize=4, label="measured")
    right.set_xlabel("2 / largest eigenvalue (no unit)")
    right.set_ylabel("measured limit (no unit)")
    right.legend(loc="upper left")
    return {
        "limit": stability_limit(2.0), "bowls": exact.size, "dimensions": 5,
        "worst_percent": 100 * np.abs(measured / exact - 1).max(),
    }  # fmt: skip


@figure(width=6.4, height=3.4)
def contours(fig, style):
    """Three paths in a bowl with the curvatures 1 and 10."""
    ax = fig.subplots()
    turn = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    H = turn @ np.diag([1.0, 10.0]) @ turn.T
    start = turn @ np.array([[-9.0], [1.2]])
    x, y = np.meshgrid(np.linspace(-11.5, 6, 150), np.linspace(-7, 5.5, 150))
    height = (H[0, 0] * x**2 + 2 * H[0, 1] * x * y + H[1, 1] * y**2) / 2
    ax.contour(x, y, height, levels=[1, 4, 10, 20, 40, 80, 160], colors=style.muted, linewidths=0.6)
    rates = {0.21: style.orange, 2 / 11: style.blue, 0.02: style.purple}
    ends = {}
    for lr, colour in rates.items():
        path = np.hstack(descend(lambda v: H @ v, start, lr, 15))
        ax.plot(*path, "o-", color=colour, markersize=2.5, linewidth=1.2,
                label=f"learning rate {lr:.3g}")  # fmt: skip
        ends[lr] = np.linalg.norm(path[:, -1])
    ax.plot(0, 0, "+", color=style.foreground, markersize=10)
    ax.set_xlim(-11.5, 6)
    ax.set_ylim(-7, 5.5)
    ax.set_aspect("equal")
    ax.set_xlabel("first parameter (no unit)")
    ax.set_ylabel("second parameter (no unit)")
    ax.legend(loc="lower right")
    return {"steps": 15, "small": 0.02, "best": 2 / 11, "large": 0.21, "best_distance": ends[2 / 11]}


@figure(width=5.2, height=4.2)
def two_valleys(fig, style):
    """The loss of two weights in a row, with two valleys of minima and a saddle."""
    ax = fig.subplots()
    p, r = np.meshgrid(np.linspace(-2.5, 2.5, 150), np.linspace(-2.5, 2.5, 150))
    loss = (p * r - 1) ** 2
    ax.contour(p, r, loss, levels=[0.02, 0.3, 1, 3, 8, 20], colors=style.muted, linewidths=0.6)
    starts = {"right": ([2.0, 0.1], style.blue), "left": ([-0.3, -1.5], style.green),
              "line": ([1.0, -1.0], style.orange)}  # fmt: skip
    facts = {}
    for name, (start, colour) in starts.items():
        path = descend(lambda v: 2 * (v[0] * v[1] - 1) * v[::-1], np.array(start), 0.05, 400)
        ax.plot(*np.array(path).T, "o-", color=colour, markersize=3)
        ax.plot(*path[-1], "*", color=colour, markersize=12)
        facts[f"loss_{name}"] = (path[-1][0] * path[-1][1] - 1) ** 2
    ax.set_aspect("equal")
    ax.set_xlabel("weight of the first layer (no unit)")
    ax.set_ylabel("weight of the second layer (no unit)")
    return facts


@figure(width=6.4, height=3.0)
def constant_slope(fig, style):
    """Descent on the absolute value with a fixed and with a shrinking learning rate."""
    ax = fig.subplots()
    fixed = descend(np.sign, 1.0, 0.3, 400)
    shrinking = [1.0]
    for t in range(400):
        shrinking.append(shrinking[-1] - 0.3 / np.sqrt(t + 1) * np.sign(shrinking[-1]))
    ax.plot(fixed[:60], "o-", color=style.orange, label="fixed rate 0.3", linewidth=1, markersize=2)
    ax.plot(shrinking[:60], "o-", color=style.blue, label="shrinking rate", linewidth=1, markersize=2)
    ax.set_xlabel("step")
    ax.set_ylabel("place; the minimum is at 0 (no unit)")
    ax.legend(loc="upper right")
    fixed, shrinking = np.abs(fixed[-20:]), np.abs(shrinking[-20:])
    return {"fixed_worst": fixed.max(), "fixed_nearest": fixed.min(), "tail": 20,
            "shrinking_worst": shrinking.max(), "steps": 400}  # fmt: skip
