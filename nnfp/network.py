"""The complete network as one object, chapter docs/network.md.

A thin shell: it remembers parameters, the last trace and the last gradients, and leaves all
mathematics to the pure functions. What it remembers is dropped as soon as it is out of date.
"""

import os

import numpy as np
from numpy import ndarray

from nnfp.backpropagation import Gradients, backward
from nnfp.classification import check_one_hot, cross_entropy, cross_entropy_gradient, softmax
from nnfp.fast import fast_fit
from nnfp.forward_pass import Parameters, Trace, forward, layer_sizes, random_parameters
from nnfp.losses import mse, mse_gradient
from nnfp.notation import check_matrix
from nnfp.training import History, sgd_step

__all__ = ["MLPClassifier", "MLPRegressor"]

LOSSES = {"mse": (mse, mse_gradient), "cross_entropy": (cross_entropy, cross_entropy_gradient)}


# --8<-- [start:regressor]
class MLPRegressor:
    """A multi-layer perceptron for regression: ReLU inside, no activation at the end, mse.

    Equation: eq-network-hidden, eq-network-output, eq-network-loss
    Shapes:   X (n[0], B), Y and Y_hat (n[L], B); .W[l] (n[l], n[l-1]), .b[l] (n[l], 1)
    Units:    X and Y as given; loss_mse those of Y squared
    Errors:   ValueError for bad input; RuntimeError for a call out of order

    >>> net = MLPRegressor([1, 8, 1])
    >>> X = np.linspace(-1, 1, 9)[None, :]
    >>> losses = [net.train_step(X, X**2, lr=0.3) for _ in range(200)]
    >>> losses[-1] < losses[0] / 50
    True
    """

    loss, format = "mse", "nnfp MLPRegressor 1"

    def __init__(self, layer_sizes: list[int], seed: int = 42, weight_scale: float | str = 0.1):
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(f"seed must be a whole number of at least 0, got {seed!r}")
        self.rng = np.random.default_rng(seed)
        self.W, self.b = random_parameters(layer_sizes, self.rng, weight_scale)
        self._trace: Trace | None = None
        self._gradients: Gradients | None = None

    @property
    def parameters(self) -> Parameters:
        """The weights and biases as the pure functions take them."""
        return Parameters(self.W, self.b)

    @property
    def layer_sizes(self) -> list[int]:
        """[n[0], ..., n[L]], read off the weights."""
        return layer_sizes(self.parameters)
# --8<-- [end:regressor]

    # --8<-- [start:forward-backward]
    def forward(self, X: ndarray) -> ndarray:
        """Predict, and remember every layer for backward."""
        self._trace = self._gradients = None
        trace = forward(self.parameters, X)
        self._trace = trace._replace(A=trace.A | {0: X.copy("K")})  # X is yours to change
        return trace.Y_hat.copy()

    def loss_mse(self, Y_hat: ndarray, Y: ndarray) -> float:
        """The mean of the squared errors over all entries."""
        return float(mse(Y_hat, Y))

    def backward(self, Y: ndarray) -> Gradients:
        """The gradients of the loss for the batch of the last forward."""
        self._gradients = None
        if self._trace is None:
            raise RuntimeError("backward needs a forward pass with these weights: call forward(X)")
        rows, columns = self._trace.Y_hat.shape
        self._check_targets(Y)
        if Y.shape[1] != columns:
            raise ValueError(
                f"Y has {Y.shape[1]} columns, the last forward had {columns}: "
                "call forward with the inputs of this Y"
            )
        check_matrix("Y", Y, rows=rows)
        dY_hat = LOSSES[self.loss][1](self._trace.Y_hat, Y)
        self._gradients = backward(self.parameters, self._trace, dY_hat)
        return self._gradients

    def step(self, lr: float = 1e-2) -> None:
        """Move all parameters against the gradients of the last backward, once."""
        if self._gradients is None:
            raise RuntimeError("step needs fresh gradients: call forward(X), then backward(Y)")
        self.W, self.b = sgd_step(self.parameters, self._gradients, lr)
        self._trace = self._gradients = None

    def train_step(self, X: ndarray, Y: ndarray, lr: float = 1e-2) -> float:
        """One forward, backward and step; the loss from before the step."""
        with np.errstate(over="ignore", invalid="ignore"):  # an error says more than a warning
            loss = float(LOSSES[self.loss][0](self.forward(X), Y))
        if not np.isfinite(loss):
            raise ValueError(f"the loss is {loss}: training diverged; try a smaller lr than {lr!r}")
        self.backward(Y)
        self.step(lr)
        return loss

    def _check_targets(self, Y: ndarray) -> None:
        check_matrix("Y", Y)
    # --8<-- [end:forward-backward]

    # --8<-- [start:fit-predict]
    def fit(
        self, X: ndarray, Y: ndarray, *, lr: float = 1e-2, batch_size: int = 32,
        epochs: int = 100, optimiser: str = "sgd", validation=None, patience: int | None = None,
        progress=None,
    ) -> History:  # fmt: skip
        """Train on shuffled batches, see nnfp.fast_fit.

        The shuffling goes on from the seed. Momentum and Adam begin without memory at every call.
        """
        self._check_targets(Y)
        (self.W, self.b), history = fast_fit(
            self.parameters, X, Y, lr=lr, batch_size=batch_size, epochs=epochs, rng=self.rng,
            validation=validation, patience=patience, loss=self.loss, optimiser=optimiser,
            progress=progress,
        )  # fmt: skip
        self._trace = self._gradients = None
        return history

    def predict(self, X: ndarray) -> ndarray:
        """Predict and remember nothing."""
        return forward(self.parameters, X).Y_hat
    # --8<-- [end:fit-predict]

    # --8<-- [start:save-load]
    def save(self, path: str | os.PathLike) -> None:
        """Write sizes, weights, biases and the state of the generator to one .npz file.

        No memory of an optimiser is in it: fit keeps none.
        """
        import json  # here, because `import nnfp` should not wait for it
        from pathlib import Path

        arrays = {"format": self.format, "layer_sizes": self.layer_sizes}
        arrays["generator"] = json.dumps(self.rng.bit_generator.state)
        arrays |= {f"W[{l}]": self.W[l] for l in self.W} | {f"b[{l}]": self.b[l] for l in self.b}
        path = Path(path)
        part = path.with_name(path.name + ".part")
        with part.open("wb") as file:
            np.savez(file, **arrays)
        part.replace(path)  # an interrupted save leaves the old file whole

    @classmethod
    def load(cls, path: str | os.PathLike) -> "MLPRegressor":
        """Read what save wrote; nothing in the file is ever executed."""
        import zipfile

        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except (ValueError, EOFError, OSError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
                raise
            raise ValueError(f"{path} is not a network saved by {cls.__name__}.save") from error
        return cls._from_arrays(path, arrays)
    # --8<-- [end:save-load]

    @classmethod
    def _from_arrays(cls, path: str | os.PathLike, arrays: dict[str, ndarray]) -> "MLPRegressor":
        import json

        version = str(arrays.get("format", "no format"))
        if version != cls.format:
            raise ValueError(f"{path} holds {version!r}, this version of nnfp reads {cls.format!r}")
        try:
            sizes = [int(n) for n in arrays["layer_sizes"]]
            layers = range(1, len(sizes))
            W = {l: arrays[f"W[{l}]"] for l in layers}
            b = {l: arrays[f"b[{l}]"] for l in layers}
            rng = np.random.default_rng()
            rng.bit_generator.state = json.loads(str(arrays["generator"]))
            for l in layers:
                check_matrix(f"W[{l}]", W[l], rows=sizes[l], columns=sizes[l - 1], finite=True)
                check_matrix(f"b[{l}]", b[l], finite=True)
            layer_sizes(Parameters(W, b))  # the shapes of b, and one dtype
            net = cls(sizes)
        except (KeyError, ValueError, TypeError) as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        net.W, net.b, net.rng = W, b, rng
        return net


# --8<-- [start:classifier]
class MLPClassifier(MLPRegressor):
    """The same network for classes: its outputs are logits, its loss is the cross-entropy.

    Equation: eq-network-hidden, eq-network-output
    Shapes:   X (n[0], B), Y (n[L], B) with one-hot columns -> logits (n[L], B)
    Units:    X as given; the loss in nat
    Errors:   as MLPRegressor; ValueError for fewer than two outputs, or a column of Y that is
              not a distribution; RuntimeError from loss_mse

    >>> net = MLPClassifier([1, 8, 2], seed=1)
    >>> X = np.linspace(-1, 1, 20)[None, :]
    >>> Y = np.vstack([X < 0, X >= 0]).astype(float)
    >>> history = net.fit(X, Y, lr=0.02, epochs=100, optimiser="adam")
    >>> int((net.classes(X) == (X >= 0)[0]).sum())
    20
    """

    loss, format = "cross_entropy", "nnfp MLPClassifier 1"

    def __init__(self, layer_sizes: list[int], seed: int = 42, weight_scale: float | str = 0.1):
        super().__init__(layer_sizes, seed, weight_scale)
        if layer_sizes[-1] < 2:
            raise ValueError(
                f"layer_sizes must end with 2 classes or more, got {layer_sizes!r}: "
                "a single output always has the probability 1; for yes or no take 2"
            )

    def loss_mse(self, Y_hat: ndarray, Y: ndarray) -> float:
        """Refused: squares say nothing about logits."""
        raise RuntimeError("a classifier has no loss_mse; write cross_entropy(net.predict(X), Y)")

    def _check_targets(self, Y: ndarray) -> None:
        check_one_hot(Y, self.layer_sizes[-1])

    def probabilities(self, X: ndarray) -> ndarray:
        """Softmax of the prediction: a column for each sample, with the sum 1."""
        return softmax(self.predict(X))

    def classes(self, X: ndarray) -> ndarray:
        """The row of the largest logit of each sample."""
        return self.predict(X).argmax(axis=0)
# --8<-- [end:classifier]
