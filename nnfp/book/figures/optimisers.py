"""Figures of docs/optimisers.md."""

import numpy as np

from nnfp.book.figures import figure
from nnfp.optimisers import adam, momentum, sgd

CURVATURE = np.array([[1.0], [25.0]])


def _path(rule, steps=200, **options):
    theta, state = np.array([[10.0], [1.0]]), None
    points = [theta]
    for _ in range(steps):
        theta, state = rule(theta, CURVATURE * theta, state, **options)
        points.append(theta)
    return np.hstack(points)


def _steps(points):
    return int(np.flatnonzero(np.linalg.norm(points, axis=0) >= 0.001)[-1]) + 1


@figure(width=6.4, height=3.4)
def valley(fig, style):
    """Plain descent and momentum in a valley with curvatures 1 and 25."""
    ax = fig.subplots()
    x, y = np.meshgrid(np.linspace(-2, 11, 151), np.linspace(-2.1, 2.1, 101))
    height = (CURVATURE[0] * x**2 + CURVATURE[1] * y**2) / 2
    ax.contour(x, y, height, levels=[0.5, 3, 10, 22, 40, 62], colors=style.muted, linewidths=0.6)
    paths = {"plain": _path(sgd, lr=2 / 26), "momentum": _path(momentum, lr=4 / 36, beta=(4 / 6) ** 2)}
    shown = 40
    for (name, points), colour in zip(paths.items(), (style.orange, style.blue), strict=True):
        ax.plot(*points[:, : shown + 1], "o-", color=colour, markersize=2.5, linewidth=1.1, label=name)
    ax.plot(10, 1, "o", color=style.foreground, markersize=6)
    ax.plot(0, 0, "x", color=style.foreground, markersize=8)
    ax.grid(False)
    ax.set_xlabel("along the valley (no unit)")
    ax.set_ylabel("across it (no unit)")
    ax.legend(loc="lower left")
    return {
        "plain_steps": _steps(paths["plain"]), "momentum_steps": _steps(paths["momentum"]),
        "shown": shown,
    }  # fmt: skip


@figure(width=6.4, height=2.8)
def correction(fig, style):
    """The size of Adam's steps under a constant gradient, with and without the correction."""
    g, theta, state = np.array([1.0]), np.array([0.0]), None
    corrected, plain = [], []
    for _ in range(60):
        before = theta
        theta, state = adam(theta, g, state, lr=1.0)
        corrected.append((before - theta).item())
        plain.append((state.m / (np.sqrt(state.v) + 1e-8)).item())
    steps = np.arange(1, 61)
    ax = fig.subplots()
    ax.plot(steps, plain, color=style.orange, label="without the correction")
    ax.plot(steps, corrected, color=style.blue, label="Adam")
    ax.set_ylim(0, 7.5)
    ax.set_xlabel("step")
    ax.set_ylabel("step size / learning rate")
    ax.legend(loc="upper right")
    return {
        "first": plain[0], "worst": max(plain), "worst_step": int(np.argmax(plain)) + 1,
        "steps": 60, "adam": corrected[-1], "above": int(max(plain)),
    }  # fmt: skip
