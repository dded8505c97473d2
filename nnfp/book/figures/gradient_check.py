"""Figures of docs/gradient_check.md."""

import numpy as np

from nnfp.backpropagation import loss_and_gradients
from nnfp.book.figures import figure
from nnfp.calculus import flatten, unflatten
from nnfp.forward_pass import Parameters, forward, random_parameters
from nnfp.gradient_check import central_difference, complex_step, relative_error
from nnfp.losses import mse

SIZES, B = [3, 5, 2], 7


def network(seed):
    """Parameters with biases, a batch, and its loss as a function of all parameters."""
    rng = np.random.default_rng(seed)
    W, b = random_parameters(SIZES, rng, weight_scale=0.7)
    b = {l: 0.5 * rng.standard_normal(column.shape) for l, column in b.items()}
    X, Y = rng.standard_normal((3, B)), rng.standard_normal((2, B))

    def loss(theta):
        return mse(forward(unflatten(theta, SIZES), X, hidden="tanh").Y_hat, Y)

    return Parameters(W, b), X, Y, loss


def right_gradient(parameters, X, Y):
    """What backward says, as one column."""
    _, gradients = loss_and_gradients(parameters, X, Y, hidden="tanh")
    return flatten(Parameters(gradients.dW, gradients.db))


def one_sided(f, theta, h):
    """The difference quotient of school: f(theta + h) - f(theta) over h, for each entry."""
    steps = np.diag(np.full(theta.size, h))
    return np.array([[(f(theta + e[:, None]) - f(theta)) / h] for e in steps])


@figure(width=6.6, height=3.8)
def step_and_error(fig, style):
    """Relative error of a whole gradient against the step, for three ways to measure it."""
    ax = fig.subplots()
    parameters, X, Y, loss = network(0)
    theta, right = flatten(parameters), right_gradient(parameters, X, Y)
    steps = 10.0 ** np.arange(-14, -0.4, 0.5)
    ways = (
        ("one-sided difference", one_sided, style.orange, "^"),
        ("central difference", central_difference, style.blue, "o"),
        ("complex step", complex_step, style.green, "s"),
    )
    errors = {}
    for label, measure, colour, marker in ways:
        errors[label] = np.array([relative_error(measure(loss, theta, h), right) for h in steps])
        ax.loglog(steps, np.maximum(errors[label], 1e-17), marker, color=colour, linestyle="-",
                  markersize=4, label=label)  # fmt: skip
    central = errors["central difference"]
    ax.annotate("rounding", (1e-10, 3e-5), color=style.muted)
    ax.annotate("$h^2$", (2.2e-3, 8e-9), color=style.muted)
    ax.set_xlabel("step h")
    ax.set_ylabel("relative error of the gradient (no unit)")
    ax.set_ylim(1e-17, 3)
    ax.legend(loc="upper center", ncol=3, fontsize=8.5)
    best = steps[central.argmin()]
    assert 1e-6 < best < 1e-4 and central.min() < 1e-9, "the captions say so"
    assert errors["one-sided difference"].min() > 1e-9 and errors["complex step"][0] < 1e-14
    fall = float(np.log10(central[-1] / central[-5]) / 2)
    return {
        "low": 1e-6, "high": 1e-4, "central_below": 1e-9, "complex_below": 1e-14,
        "parameters": theta.size, "order": fall,
    }  # fmt: skip


@figure(width=6.6, height=3.4)
def right_and_wrong(fig, style):
    """Relative errors of right and of wrong gradients over many random networks."""
    ax = fig.subplots()
    seeds = range(20)
    rows = {
        "right, complex step": [], "right, central difference": [], "wrong by 0.09 %": [],
        "biases: mean for sum": [], "divided by the batch again": [],
    }  # fmt: skip
    for seed in seeds:
        parameters, X, Y, loss = network(seed)
        theta, right = flatten(parameters), right_gradient(parameters, X, Y)
        central = central_difference(loss, theta)
        parts = unflatten(right, SIZES)
        mean = flatten(Parameters(parts.W, {l: b / B for l, b in parts.b.items()}))
        wrong = (1.0009 * right, mean, right / B)
        rows["right, complex step"].append(relative_error(right, complex_step(loss, theta)))
        for name, gradient in zip(list(rows)[1:], (right, *wrong), strict=True):
            rows[name].append(relative_error(gradient, central))
    colours = [style.green, style.green, style.orange, style.orange, style.orange]
    for k, ((_, values), colour) in enumerate(zip(rows.items(), colours, strict=True)):
        height = -k + 0.2 * np.linspace(-1, 1, len(values))
        ax.plot(np.maximum(values, 1e-17), height, "o", color=colour, markersize=3.5, alpha=0.8)
    for tolerance, label in ((1e-7, "tolerance\nhere"), (1e-3, "PyTorch's\ndefault")):
        ax.axvline(tolerance, color=style.muted, linestyle="--", linewidth=1.2)
        ax.text(tolerance, 0.5, label, ha="center", va="bottom", fontsize=8, color=style.foreground)
    ax.set_xscale("log")
    ax.set_xlim(1e-17, 10)
    ax.set_ylim(-4.5, 0.5)
    ax.set_yticks(range(0, -5, -1), list(rows))
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("relative error (no unit)")
    smallest = min(min(rows[name]) for name in list(rows)[2:])
    assert max(rows["right, central difference"]) < 1e-9, "the captions say so"
    assert max(rows["right, complex step"]) < 1e-14
    return {
        "networks": len(seeds), "central_below": 1e-9, "complex_below": 1e-14,
        "smallest_wrong": smallest, "per_cent": 0.09,
    }  # fmt: skip


@figure(width=6.4, height=3.2)
def kink(fig, style):
    """ReLU near its kink, and what each measure makes of its slope."""
    ax = fig.subplots()
    h = 1.0
    z = np.linspace(-2.5, 2.5, 401)
    central = np.array([central_difference(lambda t: np.maximum(t, 0).sum(), np.array([[v]]), h)[0, 0]
                        for v in z])  # fmt: skip
    ax.plot(z, np.where(z > 0, 1.0, np.nan), color=style.blue, label="slope that backward uses")
    ax.plot(z, np.where(z <= 0, 0.0, np.nan), color=style.blue)
    ax.plot(z, central, color=style.orange, linestyle="--", label="central difference")
    ax.plot([0], [0], "o", color=style.blue)
    ax.set_xlabel("pre-activation, in steps h")
    ax.set_ylabel("slope of ReLU (no unit)")
    ax.set_ylim(-0.08, 1.15)
    ax.legend(loc="upper left")
    middle = central_difference(lambda t: np.maximum(t, 0).sum(), np.zeros((1, 1)), h)[0, 0]
    return {"at_the_kink": middle, "chosen": 0.0, "reach": h}
