"""Figures of docs/pitfalls/."""

import numpy as np

from nnfp import Parameters, backward, forward, mse, mse_gradient, random_parameters
from nnfp.book.figures import figure

BATCHES = (1, 8, 64)
STEPS = 2000


def losses(batch: int, divisor: int) -> list[float]:
    """Loss over all samples before every tenth step on x², gradients divided by divisor."""
    rng = np.random.default_rng(1)
    X = rng.uniform(-1.0, 1.0, (1, 512))
    Y = X**2
    parameters = random_parameters([1, 8, 1], rng, weight_scale=0.5)
    history = []
    for step in range(STEPS):
        if step % 10 == 0:
            history.append(mse(forward(parameters, X, hidden="tanh").Y_hat, Y))
        columns = np.arange(step * batch, (step + 1) * batch) % X.shape[1]
        trace = forward(parameters, X[:, columns], hidden="tanh")
        gradients = backward(
            parameters, trace, mse_gradient(trace.Y_hat, Y[:, columns]), hidden="tanh"
        )
        parameters = Parameters(
            {l: W - 0.2 * gradients.dW[l] / divisor for l, W in parameters.W.items()},
            {l: b - 0.2 * gradients.db[l] / divisor for l, b in parameters.b.items()},
        )
    return history


@figure(width=6.4, height=2.9)
def divided_twice(fig, style):
    """The same rate, with the right gradient and with one divided by the batch again."""
    axes = fig.subplots(1, 2, sharey=True)
    facts = {"steps": STEPS, "largest": BATCHES[-1]}
    colours = (style.green, style.orange, style.blue)
    for ax, title in zip(axes, ("right gradient", "divided by the batch again")):
        for batch, colour in zip(BATCHES, colours):
            wrong = title != "right gradient"
            history = losses(batch, batch if wrong else 1)
            facts[f"{'wrong' if wrong else 'right'}_{batch}"] = history[-1]
            ax.semilogy(range(0, STEPS, 10), history, color=colour, label=f"batch {batch}", linewidth=1.2)
        ax.set_title(title)
        ax.set_xlabel("step")
    axes[0].set_ylabel("mean squared error (no unit)")
    axes[0].legend()
    return facts
