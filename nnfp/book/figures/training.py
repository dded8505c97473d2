"""Figures of chapter docs/training.md."""

import numpy as np

from nnfp.backpropagation import backward
from nnfp.book.figures import figure
from nnfp.data import load_cars, measure_scale, one_hot, split, standardise
from nnfp.forward_pass import forward, random_parameters
from nnfp.losses import mse, mse_gradient
from nnfp.training import fit, least_squares


def inputs_and_targets():
    cars = load_cars()
    return np.vstack([cars.X, one_hot(cars.origin, ["Europe", "Japan", "USA"])]), cars.Y


def scaled(known, *others):
    """All parts on the scale of the first, and the deviation of its targets."""
    X_scale, Y_scale = measure_scale(known[0]), measure_scale(known[1])
    parts = [(standardise(X, X_scale), standardise(Y, Y_scale)) for X, Y in (known, *others)]
    return parts, Y_scale.deviation[0, 0]


def noisy_sine(N, rng):
    X = rng.uniform(-2, 2, (1, N))
    return X, np.sin(2 * X) + 0.4 * rng.standard_normal((1, N))


@figure(width=6.0, height=3.4)
def noise(fig, style):
    """Mean square error of a batch gradient against the batch size."""
    train, _ = split(*inputs_and_targets(), 0.8, np.random.default_rng(0))
    ((X, Y),), _ = scaled(train)
    N = X.shape[1]
    start = random_parameters([9, 16, 1], np.random.default_rng(0))

    def gradient(columns):
        trace = forward(start, X[:, columns], hidden="tanh")
        dY_hat = mse_gradient(trace.Y_hat, Y[:, columns])
        return backward(start, trace, dY_hat, hidden="tanh").dW[1].ravel()

    single = np.array([gradient([k]) for k in range(N)])
    error = single - single.mean(axis=0)
    rng = np.random.default_rng(2)
    sizes = np.array([1, 2, 4, 8, 16, 32, 64, 157, 250, 310])

    def measure(draw, repeats=600):
        return np.array([
            np.mean([(error[draw(B)].mean(axis=0) ** 2).sum() for _ in range(repeats)])
            for B in sizes
        ])  # fmt: skip

    with_ = measure(lambda B: rng.integers(0, N, B))
    without = measure(lambda B: rng.permutation(N)[:B])
    S = (error**2).sum(axis=1).mean()
    ax = fig.subplots()
    ax.loglog(sizes, S / sizes, color=style.muted, linewidth=1, label="S / B")
    ax.loglog(sizes, with_, "o", color=style.blue, label="drawn with replacement")
    ax.loglog(sizes, without, "s", color=style.orange, markersize=5, label="without, as in an epoch")
    ax.set(xlabel="batch size B (samples)", ylabel="mean square error of\nthe gradient (no unit)")
    ax.legend()
    half = int(np.flatnonzero(sizes == N // 2)[0])
    return {
        "slope": float(np.polyfit(np.log(sizes), np.log(with_), 1)[0]),
        "half": N // 2,
        "without_over_with": float(without[half] / with_[half]),
    }


@figure(width=6.2, height=3.4)
def learning_rates(fig, style):
    """Loss curves of one network with four learning rates."""
    train, _ = split(*inputs_and_targets(), 0.8, np.random.default_rng(0))
    ((X, Y),), _ = scaled(train)
    start = random_parameters([9, 16, 1], np.random.default_rng(0))
    ax, facts = fig.subplots(), {"epochs": 30}
    for i, (lr, color) in enumerate(zip((0.001, 0.01, 0.1, 0.4), style.cycle)):
        _, history = fit(start, X, Y, lr=lr, batch_size=16, epochs=30, rng=np.random.default_rng(0),
                         hidden="tanh")  # fmt: skip
        ax.plot(history.train, color=color, label=f"{lr}")
        facts |= {f"lr_{i}": lr, f"loss_{i}": history.train[-1]}
    ax.set(xlabel="epoch", ylabel="training loss (no unit)", ylim=(0, 1.1))
    ax.legend(title="learning rate", loc="upper right")
    return facts


@figure(width=6.8, height=3.4)
def overfitting(fig, style):
    """A line, a good fit and an over-fit; the two loss curves."""
    rng = np.random.default_rng(1)
    few, many = noisy_sine(12, rng), noisy_sine(200, rng)
    start = random_parameters([1, 20, 20, 1], rng, weight_scale=0.5)
    state = rng.bit_generator.state
    run = dict(lr=0.03, batch_size=12, hidden="tanh")
    last, history = fit(start, *few, epochs=2000, rng=rng, validation=many, **run)
    rng.bit_generator.state = state
    best, _ = fit(start, *few, epochs=history.best_epoch, rng=rng, **run)
    x = np.linspace(-2, 2, 201)[None, :]
    left, right = fig.subplots(1, 2)
    left.plot(*(part[0] for part in few), "o", color=style.foreground, markersize=4)
    left.plot(x[0], forward(least_squares(*few), x).Y_hat[0], color=style.green, label="line")
    left.plot(x[0], forward(best, x, "tanh").Y_hat[0], color=style.blue, label="best epoch")
    left.plot(x[0], forward(last, x, "tanh").Y_hat[0], color=style.orange, label="last epoch")
    left.set(xlabel="x (no unit)", ylabel="y (no unit)", ylim=(-2.4, 2.6))
    left.legend(ncols=1, fontsize=8, loc="upper left")
    right.loglog(range(1, 2001), history.train[1:], color=style.green, label="training")
    right.loglog(range(1, 2001), history.validation[1:], color=style.orange, label="validation")
    right.axvline(history.best_epoch, color=style.muted, linewidth=1)
    right.set(xlabel="epoch", ylabel="loss (no unit)")
    right.legend(fontsize=8)
    growth = history.validation[-1] / min(history.validation)
    return {"best_epoch": history.best_epoch, "growth": growth}


@figure(width=6.0, height=3.2)
def against_the_line(fig, style):
    """Test errors of the line and the network on ten splits."""
    errors = []
    for seed in range(100, 110):
        rng = np.random.default_rng(seed)
        (known, test), mpg = scaled(*split(*inputs_and_targets(), 0.8, rng))
        train, validation = split(*known, 0.8, rng)
        start = random_parameters([9, 16, 1], rng)
        network, _ = fit(start, *train, lr=0.1, batch_size=16, epochs=60, rng=rng, hidden="tanh",
                         validation=validation, patience=15)  # fmt: skip
        predictions = (
            forward(least_squares(*known), test[0]).Y_hat,
            forward(network, test[0], "tanh").Y_hat,
        )
        errors.append([mpg * np.sqrt(mse(Y_hat, test[1])) for Y_hat in predictions])
    errors = np.array(errors)
    ax = fig.subplots()
    x = np.arange(1, 11)
    ax.vlines(x, errors.min(axis=1), errors.max(axis=1), color=style.muted, linewidth=1)
    ax.plot(x, errors[:, 0], "s", color=style.orange, label="line")
    ax.plot(x, errors[:, 1], "o", color=style.blue, label="network")
    ax.set(xlabel="split", ylabel="test error (mpg)", xticks=x, ylim=(2, None))
    ax.legend(ncols=2, loc="lower right")
    return {"wins": int((errors[:, 1] < errors[:, 0]).sum()), "splits": len(errors)}
