"""Figures of docs/descent.md."""

import numpy as np
from matplotlib.colors import to_rgb

from nnfp.book.figures import figure
from nnfp.descent import descend, quadratic_prime, stability_limit
from nnfp.losses import mae_gradient

ZERO = np.zeros((1, 1))


@figure(width=6.4, height=3.2)
def learning_rates(fig, style):
    """The first steps on the parabola with five learning rates."""
    ax, steps = fig.subplots(), 8
    colours = [style.muted, style.blue, style.green, style.orange, style.red]
    for lr, colour in zip([0.05, 0.25, 0.75, 1.0, 1.1], colours):
        path = descend(quadratic_prime, 0.0, lr, steps)
        ax.plot(path, "o-", color=colour, markersize=3.5, label=f"{lr}")
    ax.axhline(2, color=style.foreground, linewidth=0.8, linestyle=":")
    ax.set_ylim(-7.2, 10)
    ax.set_xlabel("step")
    ax.set_ylabel("place x (no unit)")
    fig.legend(loc="outside upper center", ncols=5, title="learning rate")
    return {"minimum": 2, "steps": steps, "factor_11": 1 - 2 * 1.1}


def _grown(slope, x_0, lr, steps):
    """True if descent has moved away from the minimum at 0 in its last step."""
    path = descend(slope, x_0, lr, steps)
    return np.linalg.norm(path[-1]) > np.linalg.norm(path[-2])


def _measured_limit(slope, x_0, high, steps):
    low = 0.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if _grown(slope, x_0, middle, steps) else (middle, high)
    return middle


@figure(width=6.4, height=3.0)
def factor(fig, style):
    """The factor of descent on the parabola, measured and exact."""
    lr = np.linspace(0.05, 1.25, 25)
    measured = []
    for rate in lr:
        x = np.array(descend(quadratic_prime, 5.0, rate, 3)) - 2
        measured.append(abs(x[2] / x[1]) if x[1] else 0.0)
    exact = np.abs(1 - 2 * lr)
    if np.abs(measured - exact).max() >= 1e-9:
        raise AssertionError("the measured factor left the line")
    limit = _measured_limit(lambda d: quadratic_prime(d + 2), 3.0, 3.0, 20)
    ax = fig.subplots()
    ax.plot([0, 0.5, 1.25], [1, 0, 1.5], color=style.blue, label="|1 − 2 · rate|")
    ax.plot(lr, measured, "o", color=style.orange, markersize=4, label="measured")
    ax.axhline(1, color=style.muted, linewidth=0.9)
    ax.axvspan(1, 1.25, color=style.red, alpha=0.12, linewidth=0)
    ax.text(1.125, 0.3, "diverges", color=style.red, ha="center")
    ax.set_xlim(0, 1.25)
    ax.set_ylim(0, 1.6)
    ax.set_xlabel("learning rate (no unit)")
    ax.set_ylabel("size of the factor")
    ax.legend(loc="upper center")
    return {"tolerance": 1e-9, "measured_limit": limit, "exact_limit": stability_limit(np.array([[2.0]]))}


def _bowl(c_1, c_2, phi=np.pi / 6):
    p = np.array([[np.cos(phi)], [np.sin(phi)]])
    q = np.array([[-np.sin(phi)], [np.cos(phi)]])
    return c_1 * p @ p.T + c_2 * q @ q.T


@figure(width=6.8, height=2.7)
def valley(fig, style):
    """Three learning rates on one oblong bowl."""
    H, v_0, steps = _bowl(1.0, 10.0), np.array([[-2.6], [-0.6]]), 25
    rates = {"slow": 0.02, "best": 2 / 11, "fast": 0.205}
    facts = {"c_1": 1, "c_2": 10, "limit": stability_limit(H), "steps": steps}
    grid = np.meshgrid(np.linspace(-3.2, 3.2, 120), np.linspace(-2.4, 2.4, 90))
    V = np.stack([g.ravel() for g in grid])
    heights = (0.5 * (V * (H @ V)).sum(axis=0)).reshape(grid[0].shape)
    for ax, (name, lr) in zip(fig.subplots(1, 3, sharey=True), rates.items()):
        path = np.array(descend(lambda v: H @ v, v_0, lr, steps))[:, :, 0]
        ax.contour(*grid, heights, levels=[0.1, 0.5, 1.5, 3.5, 7, 13, 22], colors=style.muted, linewidths=0.7)
        ax.plot(path[:, 0], path[:, 1], "o-", color=style.blue, markersize=2.5, linewidth=1.2)
        ax.plot(*path[0], "o", color=style.orange, markersize=5)
        ax.plot(0, 0, "+", color=style.foreground, markersize=9)
        ax.set_xlim(-3.2, 3.2)
        ax.set_ylim(-2.4, 2.4)
        ax.set_aspect("equal")
        ax.grid(False)
        ax.set_title(f"rate {lr:.3g}")
        ax.set_xlabel("$v_1$ (no unit)")
        facts |= {name: lr, f"{name}_left": 100 * np.linalg.norm(path[-1]) / np.linalg.norm(path[0])}
        if name == "fast":
            facts["growth"] = abs(1 - 10 * lr) ** steps
        if name == "slow":
            ax.set_ylabel("$v_2$ (no unit)")
    return facts


def _steps(kappa):
    """Steps to a hundredth of the distance at the best rate, from the closed form's path."""
    H, lr = np.diag([1.0, float(kappa)]), 2 / (1 + kappa)
    path = np.array(descend(lambda v: H @ v, np.ones((2, 1)), lr, int(2.4 * kappa) + 5))
    lengths = np.linalg.norm(path, axis=(1, 2))
    return int(np.argmax(lengths <= lengths[0] / 100))


@figure(width=6.6, height=3.1)
def limits(fig, style):
    """Stability limits of random bowls, and steps against the condition number."""
    rng, exact, measured = np.random.default_rng(0), [], []
    sizes = sorted(2 + k % 7 for k in range(24))
    for k in range(24):
        n = 2 + k % 7
        root = rng.standard_normal((n, n)) * rng.uniform(0.5, 2.0)
        H = root @ root.T
        exact.append(stability_limit(H))
        start = np.linalg.eigh(H)[1].sum(axis=1, keepdims=True)
        measured.append(_measured_limit(lambda v, H=H: H @ v, start, 4 / np.trace(H) * n, 200))
    exact, measured = np.array(exact), np.array(measured)
    left, right = fig.subplots(1, 2)
    ends = [exact.min() / 1.3, exact.max() * 1.3]
    left.loglog(ends, ends, color=style.blue, linewidth=1.2, label="equal")
    left.loglog(exact, measured, "o", color=style.orange, markersize=4.5, label="a bowl")
    left.set_xlabel("2 / largest eigenvalue (no unit)")
    left.set_ylabel("measured limit (no unit)")
    left.legend(loc="upper left")
    kappas = np.array([2, 5, 10, 20, 50, 100, 200, 500, 1000])
    counts = np.array([_steps(kappa) for kappa in kappas])
    right.loglog(kappas, np.log(100) / 2 * kappas, color=style.blue, linewidth=1.2, label="2.3 κ")
    right.loglog(kappas, counts, "o", color=style.orange, markersize=4.5, label="measured")
    right.set_xlabel("condition number κ")
    right.set_ylabel("steps")
    right.legend(loc="upper left")
    return {
        "bowls": len(exact), "worst_percent": 100 * np.abs(measured / exact - 1).max(),
        "kappa_last": kappas[-1], "steps_last": counts[-1], "largest": sizes[-1],
    }  # fmt: skip


@figure(width=5.2, height=4.4)
def atlas(fig, style):
    """The factor per step, measured for each learning rate and curvature, and the proved limit."""
    ax, steps = fig.subplots(), 24
    rates, curvatures = np.logspace(-2, 1, 90), np.logspace(-1, 2, 90)
    lr, c = np.meshgrid(rates, curvatures)
    x = np.ones_like(c)
    for _ in range(steps):
        x = x - lr * (c * x)
    growth = np.log10(np.abs(x) + 1e-30) / steps
    depth = np.sqrt(np.clip(np.where(growth < 0, -growth / 1.2, growth / 2.4), 0, 1))
    colours = np.where(growth[..., None] < 0, to_rgb(style.blue), to_rgb(style.orange))
    image = np.concatenate([colours, 0.05 + 0.72 * depth[..., None]], axis=2)
    ax.imshow(image, origin="lower", extent=(-2, 1, -1, 2), aspect="auto", interpolation="nearest")
    places = np.arange(-0.5, 2, 0.25)
    exact = 2 / 10**places
    measured = np.array([
        _measured_limit(lambda d, c=10**n: c * d, 1.0, 8 / 10**n, 60) for n in places
    ])  # fmt: skip
    ax.plot([np.log10(0.02), 1], [2, np.log10(0.2)], color=style.foreground)
    ax.plot([-2, 1], [2, -1], color=style.foreground, linewidth=1, linestyle="--")
    ax.plot(np.log10(measured), places, "o", color=style.foreground, markersize=4)
    ax.set_xticks([-2, -1, 0, 1], ["0.01", "0.1", "1", "10"])
    ax.set_yticks([-1, 0, 1, 2], ["0.1", "1", "10", "100"])
    ax.set_xlim(-2, 1)
    ax.set_ylim(-1, 2)
    ax.grid(False)
    ax.set_xlabel("learning rate (no unit)")
    ax.set_ylabel("curvature (no unit)")
    return {"dots": len(places), "atlas_percent": 100 * np.abs(measured / exact - 1).max()}


def _two_weights(point):
    r, z = point
    return np.array([2 * z * (r * z - 1), 2 * r * (r * z - 1)])


@figure(width=5.2, height=4.2)
def saddle(fig, style):
    """Descent on the loss of two weights, from four starts."""
    ax = fig.subplots()
    grid = np.meshgrid(np.linspace(-1.6, 1.6, 161), np.linspace(-1.6, 1.6, 161))
    heights = (grid[0] * grid[1] - 1) ** 2
    ax.contour(*grid, heights, levels=[0.02, 0.1, 0.3, 0.6, 0.95, 1.05, 1.6, 2.6, 4.2], colors=style.muted, linewidths=0.7)
    starts = [(0.5, 0.2), (-0.3, -0.6), (0.5, -0.5), (0.5, -0.49)]
    losses = []
    colours = [style.blue, style.green, style.red, style.orange]
    offsets = [(5, -11), (5, -10), (5, -11), (5, 7)]
    for start, colour, offset in zip(starts, colours, offsets):
        path = np.array(descend(_two_weights, np.array(start), 0.1, 100))
        losses.append((path[-1].prod() - 1) ** 2)
        ax.plot(*path.T, "o-", color=colour, markersize=2.5, linewidth=1.2)
        ax.plot(*path[-1], "*", color=colour, markersize=11)
        ax.annotate(f"{start}".replace("-", "−"), start, offset, textcoords="offset points", color=colour, fontsize=8.5)
    ax.set_aspect("equal")
    ax.grid(False)
    ax.set_xlabel("first weight (no unit)")
    ax.set_ylabel("second weight (no unit)")
    return {"saddle_loss": losses[2], "nudged_loss": losses[3], "nudge": 0.01}


def _hop(rate, steps):
    x, path = 3.0, [3.0]
    for t in range(steps):
        x -= rate(t) * mae_gradient(np.array([[x]]), ZERO).item()
        path.append(abs(x))
    return np.array(path)


@figure(width=6.4, height=3.0)
def hopping(fig, style):
    """Descent on the absolute error with a fixed and with shrinking rates."""
    steps = 400
    fixed = _hop(lambda t: 0.4, steps)
    shrinking = _hop(lambda t: 0.4 / np.sqrt(t + 1), steps)
    too_fast = _hop(lambda t: 0.4 / (t + 1) ** 2, steps)
    ax = fig.subplots()
    ax.semilogy(too_fast, color=style.green, label="0.4 / (t + 1)²")
    ax.semilogy(fixed, color=style.orange, label="0.4")
    ax.semilogy(shrinking, color=style.blue, linewidth=1.2, label="0.4 / √(t + 1)")
    ax.set_ylim(1e-3, 5)
    ax.set_xlabel("step t")
    ax.set_ylabel("distance (no unit)")
    ax.legend(loc="lower left", title="learning rate")
    return {
        "steps": steps, "fixed": fixed[-20:].max(), "shrinking": shrinking[-20:].max(),
        "too_fast": too_fast[-1],
    }  # fmt: skip
