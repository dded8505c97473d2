"""What the errors say, to the letter: a reader acts on the text, so a slip in it is a slip of the package."""

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

import nnfp
from nnfp import MLPRegressor, Parameters
from nnfp.backpropagation import Gradients, backward
from nnfp.forward_pass import forward

ONE, ROW, COLUMN = np.ones((2, 3)), np.ones((1, 3)), np.ones((3, 1))
SINGLE = np.ones((2, 3), np.float32)
NET = Parameters({1: np.ones((5, 3)), 2: np.ones((2, 5))}, {1: np.zeros((5, 1)), 2: np.zeros((2, 1))})
X, Y = np.ones((3, 7)), np.ones((2, 7))
TRACE = forward(NET, X)
RIGHT = backward(NET, TRACE, Y)


def after_forward():
    net = MLPRegressor([3, 5, 2])
    net.forward(X)
    return net


ARRAY = "must be a NumPy array, got list; write np.array({0}, dtype=float)"
SAID = {
    # notation
    "a list": (lambda: nnfp.check_entries("Z", [1.0]), "Z " + ARRAY.format("Z")),
    "integers": (lambda: nnfp.check_entries("Z", np.ones(3, np.int32)), "Z must hold float32 or float64, got int32; write Z.astype(float)"),
    "a list for a matrix": (lambda: nnfp.check_matrix("W", [1.0]), "W " + ARRAY.format("W")),
    "one row of numbers": (
        lambda: nnfp.check_matrix("X", np.ones(3)), "X must be 2-D (features, batch), got shape (3,); for one sample use X[:, None]"),
    "one feature of many samples": (
        lambda: nnfp.check_matrix("Y", np.ones(3), rows=1), "Y must be 2-D (features, batch), got shape (3,); for one feature use Y[None, :]"),
    "a whole number": (lambda: nnfp.relu(3), "Z must be a NumPy array, got int; write float(Z)"),
    "numbers behind a mask": (
        lambda: nnfp.mse(np.ma.masked_array(ROW, ROW > 0), ROW), "Y_hat must be a NumPy array, got MaskedArray; write Y_hat.filled(0.0), or leave masked samples out"),
    "three axes": (lambda: nnfp.check_matrix("X", np.ones((2, 3, 5))), "X must be 2-D (features, batch), got shape (2, 3, 5)"),
    "nothing": (lambda: nnfp.check_matrix("X", np.ones((3, 0))), "X must not be empty, got shape (3, 0); drop empty batches"),
    "other rows": (lambda: nnfp.check_matrix("X", ONE, rows=5), "X must have shape (5, any), got (2, 3)"),
    "other columns": (lambda: nnfp.check_matrix("X", ONE, columns=5), "X must have shape (any, 5), got (2, 3)"),
    "turned": (
        lambda: nnfp.check_matrix("X", ONE, 3, 2), "X must have shape (3, 2), got (2, 3); a sample is a column: did you mean X.T?"),
    "not finite": (
        lambda: nnfp.check_matrix("X", np.array([[1.0, 2, 3], [4, 5, np.nan]]), finite=True),
        "X must be finite, got nan at row 1, column 2; clean the data, or lower the learning rate if training produced it"),
    "no product": (
        lambda: nnfp.check_product("W", ONE, "X", np.ones((5, 7))),
        "W @ X: W has shape (2, 3), X has 5 rows; the 3 columns of W must meet 3 rows"),
    "a factor with one axis": (
        lambda: nnfp.check_product("W", ONE, "X", np.ones(3)),
        "X must be 2-D (features, batch), got shape (3,); for one sample use X[:, None]"),
    "a list to compare": (lambda: nnfp.check_same_shape("A", ROW, "B", [1.0]), "B " + ARRAY.format("B")),
    "a list beside an array": (lambda: nnfp.check_same_dtype(A=ROW, B=[1.0]), "B " + ARRAY.format("B")),
    "a number beside an array": (lambda: nnfp.check_same_shape("A", ROW, "B", 1.0), "A has shape (1, 3), B has shape (); they must be equal"),
    "a row beside a column": (
        lambda: nnfp.check_same_shape("A", ROW, "B", COLUMN), "A has shape (1, 3), B has shape (3, 1); they must be equal: did you mean B.T?"),
    "another shape": (lambda: nnfp.check_same_shape("A", ROW, "B", ONE), "A has shape (1, 3), B has shape (2, 3); they must be equal"),
    "another dtype": (lambda: nnfp.check_same_dtype(A=ONE, B=SINGLE), "A is float64, B is float32; write B.astype(A.dtype)"),
    "not positive": (lambda: nnfp.check_positive("lr", 0), "lr must be a number greater than 0, got 0"),
    # neuron, layer
    "a bias that is a column": (
        lambda: nnfp.neuron(COLUMN, COLUMN, np.ones((1, 1))), "b must be one number, got shape (1, 1); write b.item()"),
    "a bias of float64 without axes": (
        lambda: nnfp.neuron(COLUMN.astype(np.float32), COLUMN.astype(np.float32), np.array(1.0)), "w is float32, b is float64; write b.astype(w.dtype)"),
    "a bias that is a whole number": (lambda: nnfp.neuron(COLUMN, COLUMN, 1), "b must be a NumPy array, got int; write float(b)"),
    "a bias of float32": (lambda: nnfp.neuron(COLUMN, COLUMN, np.float32(1)), "w is float64, b is float32; write b.astype(w.dtype)"),
    "inputs of another length": (lambda: nnfp.neuron(COLUMN, np.ones((5, 1)), 1.0), "x must have shape (3, 1), got (5, 1)"),
    "weights in a row": (
        lambda: nnfp.neuron(ROW, COLUMN, 1.0), "w must have shape (any, 1), got (1, 3); a sample is a column: did you mean w.T?"),
    "a layer of inputs in a row": (
        lambda: nnfp.affine(ONE, np.ones(3), np.ones((2, 1))),
        "X must be 2-D (features, batch), got shape (3,); for one sample use X[:, None]"),
    # activations, losses, optimisers
    "an activation": (
        lambda: nnfp.activation("sin"),
        "no activation 'sin'; choose one of: identity, sigmoid, tanh, relu, leaky_relu, elu, softplus, silu"),
    "a loss": (lambda: nnfp.loss("mpg"), "no loss 'mpg'; choose one of: mae, mse, huber"),
    "an optimiser": (lambda: nnfp.optimiser("lion"), "no optimiser 'lion'; choose one of: sgd, momentum, adam"),
    "a beta": (lambda: nnfp.momentum(ONE, ONE, beta=1), "beta must be a number of at least 0 and below 1, got 1"),
    # forward pass
    "no parameters": (
        lambda: forward([3, 2], X),
        "parameters must be Parameters(W, b), got list; make them with random_parameters(layer_sizes, rng)"),
    "layers that are not counted from 1": (
        lambda: forward(Parameters({0: ONE}, {0: ROW}), X),
        "W and b must be dicts with the keys 1..L, got [0] and [0]; layer 0 is the input and has no weights"),
    "biases that are no dict": (
        lambda: forward(Parameters({1: ONE}, [1]), X),
        "W and b must be dicts with the keys 1..L, got [1] and a list; layer 0 is the input and has no weights"),
    "no weights at all": (
        lambda: forward(Parameters(None, None), X),
        "W and b must be dicts with the keys 1..L, got a NoneType and a NoneType; layer 0 is the input and has no weights"),
    "sizes in an array": (
        lambda: nnfp.random_parameters(np.array([3, 2]), np.random.default_rng(0)),
        "layer_sizes must be at least two integers of 1 or more, got array([3, 2]); write layer_sizes.tolist()"),
    "a weight scale of that name": (
        lambda: nnfp.random_parameters([3, 2], np.random.default_rng(0), "xavier"),
        "weight_scale must be a number greater than 0 or \"he\", got 'xavier'"),
    "layers that do not meet": (
        lambda: forward(Parameters({1: ONE, 2: np.ones((5, 7))}, {1: np.ones((2, 1)), 2: np.ones((5, 1))}), X),
        "W[2] must have shape (any, 2), got (5, 7)"),
    "a bias of another length": (
        lambda: forward(Parameters({1: ONE}, {1: COLUMN}), X), "b[1] must have shape (2, 1), got (3, 1)"),
    "a layer of float32": (
        lambda: forward(Parameters({1: ONE, 2: SINGLE[:, :2].copy()}, {1: np.ones((2, 1)), 2: np.ones((2, 1))}), X),
        "W[1] is float64, W[2] is float32; write W[2].astype(W[1].dtype)"),
    "an input of float32": (
        lambda: forward(NET, X.astype(np.float32)), "W[1] is float64, X is float32; write X.astype(W[1].dtype)"),
    "sizes": (
        lambda: nnfp.random_parameters([3], np.random.default_rng(0)),
        "layer_sizes must be at least two integers of 1 or more, got [3]; write [inputs, neurons of layer 1, ..., outputs]"),
    "a seed": (
        lambda: nnfp.random_parameters([3, 2], 42), "rng must be a numpy Generator, got int; write rng=np.random.default_rng(42)"),
    # backpropagation
    "no trace": (lambda: backward(NET, (X, Y), Y), "trace must be a Trace, got tuple; write forward(parameters, X)"),
    "a trace of another network": (
        lambda: backward(NET, forward(Parameters({1: ONE}, {1: np.ones((2, 1))}), X), Y),
        "trace has layers [1], parameters have [1, 2]; use the trace that forward made with these parameters"),
    "a trace that begins with float32": (
        lambda: backward(NET, TRACE._replace(A={**TRACE.A, 0: X.astype(np.float32)}), Y),
        "W[1] is float64, A[0] is float32; write A[0].astype(W[1].dtype)"),
    "half a trace": (
        lambda: backward(NET, SimpleNamespace(Z=TRACE.Z), Y),
        "trace must be a Trace, got SimpleNamespace; write forward(parameters, X)"),
    "an input of another batch in the trace": (
        lambda: backward(NET, TRACE._replace(A={**TRACE.A, 0: X[:, :5]}), Y), "A[1] must have shape (5, 5), got (5, 7)"),
    "an input that is one row in the trace": (
        lambda: backward(NET, TRACE._replace(A={**TRACE.A, 0: X[0]}), Y),
        "A[0] must be 2-D (features, batch), got shape (7,); for one sample use A[0][:, None]"),
    "another batch": (lambda: backward(NET, TRACE, Y[:, :5]), "dY_hat must have shape (2, 7), got (2, 5)"),
    "a gradient of float32": (
        lambda: backward(NET, TRACE, Y.astype(np.float32)),
        "W[1] is float64, dY_hat is float32; write dY_hat.astype(W[1].dtype)"),
    "a size that is no integer": (
        lambda: nnfp.multiplications([3, 2.5], 7), "layer_sizes and B must be integers of 1 or more, got 2.5"),
    "one size": (lambda: nnfp.multiplications([3], 7), "layer_sizes must be at least two integers, got [3]"),
    # calculus, gradient check
    "a shape": (lambda: nnfp.unvec(COLUMN, (3, 1, 1)), "shape must be (rows, columns), got (3, 1, 1)"),
    "a shape of zeros": (lambda: nnfp.unvec(COLUMN, (3, 0)), "shape must be at least two integers of 1 or more, got (3, 0)"),
    "a column of another length": (lambda: nnfp.unflatten(COLUMN, [1, 1]), "theta must have shape (2, 1), got (3, 1)"),
    "differences of float32": (
        lambda: nnfp.jacobian(lambda x: x, COLUMN.astype(np.float32)),
        "x must hold float64 for differences, got float32; use x.astype(float)"),
    "differences of a number": (
        lambda: nnfp.jacobian(lambda x: x[:, 0], COLUMN),
        "f(x) must be 2-D (features, batch), got shape (3,); for one sample use f(x)[:, None]"),
    "a step that vanishes": (
        lambda: nnfp.jacobian(lambda x: x, 1e11 * COLUMN),
        "h must move every entry of x, got 1e-06, which vanishes beside 100000000000.0; take a larger h"),
    "a result of float32": (
        lambda: nnfp.jacobian(lambda x: x.astype(np.float32), COLUMN),
        "f(x) must hold float64 for differences, got float32; use f(x).astype(float)"),
    "a rounded number": (
        lambda: nnfp.central_difference(lambda t: int(t.sum()), COLUMN),
        "f(theta) must be a float64, got int64; return it unrounded, with all its digits"),
    "steps of float32": (
        lambda: nnfp.central_difference(np.sum, COLUMN.astype(np.float32)),
        "theta must hold float64 to be moved by a small step, got float32; write theta.astype(float)"),
    "a real function": (
        lambda: nnfp.complex_step(lambda t: np.abs(t).sum(), COLUMN),
        "f(theta) is real where theta is complex: does it use abs, .real, float()? Use central_difference"),
    "many numbers": (
        lambda: nnfp.central_difference(lambda t: t, COLUMN), "f(theta) must be one number, got shape (3, 1); sum or mean it"),
    "nothing to compare": (
        lambda: nnfp.relative_error(np.ones((0, 2)), np.ones((0, 2))), "a and b must not be empty, got shape (0, 2)"),
    "other gradients": (
        lambda: nnfp.check_gradients(NET, X, Y, gradients={"dW": 1}),
        "gradients must be Gradients(dW, db, delta, dX), got dict"),
    "gradients of a layer too few": (
        lambda: nnfp.check_gradients(NET, X, Y, gradients=Gradients({1: RIGHT.dW[1]}, {1: RIGHT.db[1]}, {}, RIGHT.dX)),
        "gradients must hold ['dW[1]', 'dW[2]', 'db[1]', 'db[2]', 'dX'], got ['dW[1]', 'db[1]', 'dX']"),
    "a gradient that is turned": (
        lambda: nnfp.check_gradients(NET, X, Y, gradients=RIGHT._replace(dX=RIGHT.dX.T)),
        "dX has shape (7, 3), the measured dX has shape (3, 7); they must be equal: did you mean the measured dX.T?"),
    # descent
    "a slope of another shape": (
        lambda: nnfp.descend(lambda x: 1.0, COLUMN, 0.1, 1), "gradient(x) has shape (), x has shape (3, 1); they must be equal"),
    "steps": (lambda: nnfp.descend(lambda x: x, 1.0, 0.1, -1), "steps must be a whole number from 0 on, got -1"),
    "a slope of another dtype": (
        lambda: nnfp.descend(lambda x: COLUMN, COLUMN.astype(np.float32), 0.1, 1),
        "x is float32, gradient(x) is float64; write gradient(x).astype(x.dtype)"),
    "downhill in one direction": (
        lambda: nnfp.stability_limit(np.diag([1.0, -0.5])),
        "H must have no negative eigenvalue, got -0.5: in that direction descent runs away at every learning rate"),
    "no Hessian": (
        lambda: nnfp.stability_limit(np.array([[1.0, 2.0], [0.0, 1.0]])),
        "H must be real and symmetric, as a Hessian is; write (H + H.T) / 2"),
    "downhill everywhere": (
        lambda: nnfp.stability_limit(-np.eye(2)), "the largest eigenvalue of H must be a number greater than 0, got -1.0"),
    # data
    "a feature": (
        lambda: nnfp.load_cars(["colour"]),
        "features must be some of cylinders, displacement, horsepower, weight, acceleration, year, got ('colour',)"),
    "a side without samples": (
        lambda: nnfp.split(X, Y, 1.0, np.random.default_rng(0)),
        "fraction must leave samples on both sides, got 1.0 of 7 samples; 0.8 keeps 80 % for the first part"),
    "samples without a partner": (
        lambda: nnfp.split(X, Y[:, :5], 0.5, np.random.default_rng(0)), "X has 7 columns, Y has 5: one column a sample in both"),
    "a constant row": (
        lambda: nnfp.measure_scale(np.array([[1.0, 2.0], [0.5, 0.5]])),
        "row 1 of X is 0.5 in every sample: it has no deviation to divide by and tells the network nothing; leave it out"),
    "no scale": (lambda: nnfp.standardise(X, (0, 1)), "scale must be a Scale, got tuple; see measure_scale"),
    "no matrix to scale": (
        lambda: nnfp.measure_scale(X[0]), "X must be 2-D (features, batch), got shape (7,); for one sample use X[:, None]"),
    "no labels": (lambda: nnfp.one_hot([], ["a"]), "labels must be some of ['a'], got 'no label at all'"),
    "a label": (lambda: nnfp.one_hot(["a", "c"], ["a"]), "labels must be some of ['a'], got 'c'"),
    "a category twice": (lambda: nnfp.one_hot(["a"], ["a", "a"]), "categories must differ from one another, got ['a', 'a']"),
    # classification
    "logits of another shape": (
        lambda: nnfp.cross_entropy(X, Y), "Z has shape (3, 7), Y has shape (2, 7); they must be equal"),
    "no distribution": (
        lambda: nnfp.accuracy(Y, np.array([[0.0, 1, 0, 1, 2, 1, 1], [1, 0, 1, 0, 0, 0, 0]])),
        "each column of Y must be a distribution, got a sum of 2 and a smallest entry of 0 in column 4; make labels with one_hot"),
    # training
    "a step of another network": (
        lambda: nnfp.sgd_step(NET, Gradients({1: ONE}, {1: ROW}, {}, X), 0.1),
        "gradients have shapes [(2, 3)], the weights [(5, 3), (2, 5)]: they belong to another network"),
    "a bias of another network": (
        lambda: nnfp.sgd_step(NET, RIGHT._replace(db={1: COLUMN, 2: RIGHT.db[2]}), 0.1),
        "gradients have shapes [(5, 3), (2, 5)], the weights [(5, 3), (2, 5)]: they belong to another network"),
    "a batch size": (
        lambda: nnfp.batches(X, Y, 0, np.random.default_rng(0)), "batch_size must be a whole number of at least 1, got 0"),
    # fast
    "no fast loss": (lambda: nnfp.FastTraining(NET, 0.1, loss="mae"), "no fast loss 'mae'; choose one of: mse, cross_entropy"),
    "no fast optimiser": (
        lambda: nnfp.FastTraining(NET, 0.1, optimiser="lion"), "no fast optimiser 'lion'; choose one of: sgd, momentum, adam"),
    "a fast batch of float32": (
        lambda: nnfp.FastTraining(NET, 0.1).step(X, Y.astype(np.float32)), "X is float64, Y is float32, the parameters are float64"),
    # network
    "a seed below 0": (lambda: MLPRegressor([3, 2], seed=-1), "seed must be a whole number of at least 0, got -1"),
    "targets of another batch": (
        lambda: after_forward().backward(Y[:, :5]),
        "Y has 5 columns, the last forward had 7: call forward with the inputs of this Y"),
    "targets in a row": (
        lambda: after_forward().backward(Y[0]), "Y must be 2-D (features, batch), got shape (7,); for one sample use Y[:, None]"),
    "targets of another output": (lambda: after_forward().backward(X), "Y must have shape (2, any), got (3, 7)"),
    "targets that are not finite": (
        lambda: after_forward().backward(np.full((2, 7), np.inf)),
        "Y must be finite, got inf at row 0, column 0; clean the data, or lower the learning rate if training produced it"),
}  # fmt: skip
CALLED_TOO_EARLY = {
    "backward": (
        lambda: MLPRegressor([3, 2]).backward(Y), "backward needs a forward pass with these weights: call forward(X)"),
    "step": (lambda: after_forward().step(), "step needs fresh gradients: call forward(X), then backward(Y)"),
}  # fmt: skip


@pytest.mark.parametrize("what", SAID)
def test_a_value_that_does_not_fit_is_refused_in_these_words(what):
    call, text = SAID[what]
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == text


@pytest.mark.parametrize("what", CALLED_TOO_EARLY)
def test_a_call_out_of_order_is_refused_in_these_words(what):
    call, text = CALLED_TOO_EARLY[what]
    with pytest.raises(RuntimeError) as error:
        call()
    assert str(error.value) == text


def test_a_missing_package_is_named_in_these_words(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as error:
        nnfp.load_cars()
    assert str(error.value) == "load_cars reads a file of vega_datasets: pip install vega_datasets"


def test_a_loss_that_is_not_finite_is_reported_in_these_words():
    line = Parameters({1: np.zeros((1, 1))}, {1: np.zeros((1, 1))})
    with pytest.raises(ValueError) as error:
        nnfp.fit(line, np.ones((1, 1)), np.full((1, 1), 1e150), lr=1e10, batch_size=1, epochs=1, rng=np.random.default_rng(0))
    assert str(error.value) == (
        "the loss is inf at step 1 (epoch 1): training diverged; "
        "try lr=1e+09 in place of 1e+10, and standardise X and Y"
    )
