"""Figures of docs/classification.md."""

import mpmath
import numpy as np

from nnfp.backpropagation import backward
from nnfp.book.figures import figure
from nnfp.classification import accuracy, cross_entropy_gradient, log_softmax, softmax
from nnfp.data import one_hot
from nnfp.forward_pass import forward, random_parameters
from nnfp.training import sgd_step


def _errors(lead):
    """Relative errors of p - 1 and of minus the sum of the others, for three classes."""
    Z, Y = np.array([[lead], [0.0], [-1.0]]), np.array([[1.0], [0.0], [0.0]])
    with mpmath.workdps(60):
        others = mpmath.exp(-mpmath.mpf(lead)) * (1 + mpmath.exp(-1))
        exact = -others / (1 + others)
        found = (softmax(Z)[0, 0] - 1, cross_entropy_gradient(Z, Y)[0, 0])
        return [float(abs(mpmath.mpf(float(slope)) / exact - 1)) for slope in found]


@figure(width=6.4, height=3.0)
def lost_digits(fig, style):
    """The error of two formulas of the gradient at the right class."""
    ax = fig.subplots()
    leads = np.linspace(0.1, 44, 180)
    errors = np.maximum([_errors(float(lead)) for lead in leads], 1e-17)
    ax.semilogy(leads, errors[:, 0], color=style.orange, label="probability minus 1")
    ax.semilogy(leads, errors[:, 1], color=style.blue, label="minus the sum of the others")
    ax.set_xlabel("lead of the right logit (no unit)")
    ax.set_ylabel("relative error (no unit)")
    ax.legend(loc="center right")
    near = np.abs(leads - 20) < 1
    worst = errors[near].max(axis=0)
    digits = np.floor(-np.log10(worst))
    lost = leads[errors[:, 0] == 1].min()
    return {
        "lead": 20, "digits_difference": digits[0], "digits_sum": digits[1], "lost": round(lost)
    }  # fmt: skip


@figure(width=5.2, height=4.4)
def spirals(fig, style):
    """A network of 32 hidden neurons, trained on three spiral arms."""
    rng = np.random.default_rng(0)
    arm = np.repeat(np.arange(3), 100)
    radius = np.tile(np.linspace(0.05, 1, 100), 3)
    angle = 4 * radius + arm * 2 * np.pi / 3 + 0.1 * rng.standard_normal(300)
    X = 2 * np.vstack([radius * np.cos(angle), radius * np.sin(angle)])
    Y = one_hot(arm.tolist(), [0, 1, 2])
    parameters = random_parameters([2, 32, 3], rng, weight_scale=0.5)
    for _ in range(400):
        trace = forward(parameters, X)
        dZ = cross_entropy_gradient(trace.Y_hat, Y)
        parameters = sgd_step(parameters, backward(parameters, trace, dZ), lr=1.0)
    ax = fig.subplots()
    side = np.linspace(-2.4, 2.4, 161)
    grid = np.vstack([axis.ravel() for axis in np.meshgrid(side, side)])
    Z = forward(parameters, grid).Y_hat
    lead = np.sort(log_softmax(Z), axis=0)
    colours = [style.blue, style.orange, style.green]
    ax.contourf(side, side, Z.argmax(axis=0).reshape(161, 161), levels=[-0.5, 0.5, 1.5, 2.5],
                colors=colours, alpha=0.22)  # fmt: skip
    ax.contour(side, side, (lead[-1] - lead[-2]).reshape(161, 161), levels=[np.log(10)],
               colors=style.muted, linewidths=0.8)  # fmt: skip
    for c, marker in enumerate("os^"):
        ax.plot(*X[:, arm == c], marker, color=colours[c], markersize=3)
    ax.set_aspect("equal")
    ax.grid(False)
    ax.set_xlabel("first input (no unit)")
    ax.set_ylabel("second input (no unit)")
    return {"samples": 300, "percent": 100 * accuracy(forward(parameters, X).Y_hat, Y)}
