"""Figures of chapter docs/data.md."""

import numpy as np

from nnfp.book.figures import figure
from nnfp.data import load_cars, measure_scale, split, standardise
from nnfp.forward_pass import forward
from nnfp.losses import mse
from nnfp.training import least_squares


@figure(width=6.4, height=3.6)
def weight_and_mileage(fig, style):
    """Mileage against weight, by origin."""
    cars = load_cars(["weight"])
    ax = fig.subplots()
    marks = (("USA", "o", style.blue), ("Europe", "s", style.orange), ("Japan", "^", style.green))
    for origin, marker, color in marks:
        k = np.array(cars.origin) == origin
        ax.plot(cars.X[0, k], cars.Y[0, k], marker, color=color, label=origin, markersize=4, alpha=0.75)
    ax.set(xlabel="weight (lb)", ylabel="mileage (mpg)")
    ax.legend()
    return {
        "cars": cars.X.shape[1],
        "correlation": float(np.corrcoef(cars.X[0], cars.Y[0])[0, 1]),
    }


@figure(width=6.8, height=3.4)
def before_and_after(fig, style):
    """The six features of the training cars in raw units and standardised."""
    cars = load_cars()
    (X, _), _ = split(cars.X, cars.Y, 0.8, np.random.default_rng(0))
    scaled = standardise(X, measure_scale(X))
    left, right = fig.subplots(1, 2)
    jitter = np.random.default_rng(1).uniform(-0.28, 0.28, X.shape)
    rows = np.arange(len(X))[:, None] + jitter
    for ax, values in ((left, X), (right, scaled)):
        ax.plot(values.T, rows.T, ".", color=style.blue, markersize=2.2, alpha=0.6)
        ax.set_ylim(5.6, -0.6)
    left.set_yticks(range(6), cars.features)
    right.set_yticks(range(6), [])
    left.set(title="as measured", xlabel="value (each in its own unit)")
    right.set(title="standardised", xlabel="deviations from the mean (no unit)")
    sizes, after = (np.sqrt((values**2).mean(axis=1)) for values in (X, scaled))
    return {"largest_over_smallest": float(sizes.max() / sizes.min()), "after": float(after.max() / after.min())}


@figure(width=5.6, height=3.4)
def leak(fig, style):
    """Test error on noise, features chosen with and without the test samples."""
    ratios = {True: [], False: []}
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X, Y = rng.standard_normal((500, 40)), rng.standard_normal((1, 40))
        (X_train, Y_train), (X_test, Y_test) = split(X, Y, 0.5, rng)
        for leaks in ratios:
            X_seen, Y_seen = (X, Y) if leaks else (X_train, Y_train)
            score = np.abs((X_seen - X_seen.mean(axis=1, keepdims=True)) @ Y_seen.T)[:, 0]
            best = np.argsort(score)[-5:]
            Y_hat = forward(least_squares(X_train[best], Y_train), X_test[best]).Y_hat
            ratios[leaks].append(np.sqrt(mse(Y_hat, Y_test)) / Y_test.std())
    ax = fig.subplots()
    shift = np.random.default_rng(1).uniform(-0.12, 0.12, 30)
    for place, leaks, color in ((0, False, style.blue), (1, True, style.orange)):
        ax.plot(place + shift, ratios[leaks], "o", color=color, markersize=5, alpha=0.8)
    ax.axhline(1, color=style.foreground, linewidth=1)
    ax.set_xticks([0, 1], ["chosen on the\ntraining half", "chosen on\nall samples"])
    ax.set(xlim=(-0.5, 1.5), ylabel="test error / deviation (no unit)")
    return {
        "leaking_below_1": sum(ratio < 1 for ratio in ratios[True]),
        "honest_below_1": sum(ratio < 1 for ratio in ratios[False]),
    }
