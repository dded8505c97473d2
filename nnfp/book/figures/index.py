"""The figure of docs/index.md."""

import numpy as np

from nnfp.book.figures import figure
from nnfp.data import load_cars, measure_scale, split, standardise, unstandardise
from nnfp.network import MLPRegressor


@figure(width=7.0, height=3.2)
def first_network(fig, style):
    """Loss curve and prediction of a small network on the cars."""
    cars = load_cars(["horsepower"])
    train, test = split(cars.X, cars.Y, 0.8, np.random.default_rng(0))
    X_scale, Y_scale = measure_scale(train[0]), measure_scale(train[1])
    net, epochs = MLPRegressor([1, 8, 1]), 40
    X, Y = standardise(train[0], X_scale), standardise(train[1], Y_scale)
    history = net.fit(X, Y, lr=0.1, batch_size=32, epochs=epochs)
    left, right = fig.subplots(1, 2)
    left.plot(history.train, color=style.blue)
    left.set(xlabel="epoch", ylabel="training loss (no unit)", ylim=(0, None))
    x = np.linspace(45, 232, 200)[None, :]
    right.plot(*(part[0] for part in train), "o", color=style.muted, markersize=3, alpha=0.5,
               label="trained on")  # fmt: skip
    right.plot(*(part[0] for part in test), "o", color=style.orange, markersize=4, label="held back")
    y = unstandardise(net.predict(standardise(x, X_scale)), Y_scale)
    right.plot(x[0], y[0], color=style.blue, linewidth=2.5, label="network")
    right.set(xlabel="power (hp)", ylabel="fuel economy (mpg)")
    right.legend()
    return {"first_loss": history.train[0], "last_loss": history.train[-1], "epochs": epochs}
