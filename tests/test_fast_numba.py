"""Promises of nnfp/extras/fast_numba.py: every test of the plain path that applies, and what differs."""

import doctest
import runpy
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from nnfp.calculus import flatten
from nnfp.extras import fast_numba
from nnfp.extras.fast_numba import CompiledTraining
from nnfp.forward_pass import Parameters

PLAIN = runpy.run_path(str(Path(__file__).with_name("test_fast.py")))
LOSSES, RULES, distance = PLAIN["LOSSES"], PLAIN["RULES"], PLAIN["distance"]
problem, readable_step = PLAIN["problem"], PLAIN["readable_step"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rule", RULES)
def test_a_step_equals_the_readable_one_to_a_few_roundings(rule, loss, dtype):
    """eq-fast-rate, eq-fast-adam: CompiledTraining against the functions of the chapters."""
    parameters, X, Y = problem(dtype=dtype)
    training = CompiledTraining(parameters, 0.1, loss, rule)
    value, expected, _ = readable_step(parameters, X, Y, None, loss, rule)
    assert training.step(X, Y) == pytest.approx(float(value), rel=8 * float(np.finfo(dtype).eps))
    assert distance(training.parameters, expected) < 6


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rule", RULES)
def test_fifty_steps_stay_together_through_changing_batches(rule, loss):
    parameters, X, Y = problem(batch=29)
    training, state = CompiledTraining(parameters, 0.02, loss, rule), None
    order = np.random.default_rng(1)
    for step in range(50):
        chosen = order.permutation(29)[: (11, 11, 7)[step % 3]]
        x, y = X[:, chosen], Y[:, chosen]
        value, parameters, state = readable_step(parameters, x, y, state, loss, rule, 0.02)
        assert training.step(x, y) == pytest.approx(value, rel=1e-12)
    assert distance(training.parameters, parameters) < 500


def test_any_depth_and_a_neuron_at_exactly_zero():
    for sizes in ([1, 1], [2, 5], [4, 3, 2, 6, 1]):
        parameters, X, Y = problem(sizes, 5)
        training = CompiledTraining(parameters, 0.1)
        _, expected, _ = readable_step(parameters, X, Y, None)
        training.step(X, Y)
        assert distance(training.parameters, expected) < 8
    parameters, X, Y = problem([3, 4, 2])
    parameters.W[1][...], parameters.b[1][...] = 0, 0
    training = CompiledTraining(parameters, 0.1)
    training.step(X, Y)
    np.testing.assert_array_equal(training.parameters.W[1], np.zeros((4, 3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rule", RULES)
def test_blas_adds_in_place_however_the_samples_lie(rule, dtype):
    for sizes, batch in (([5, 7, 3], 11), ([1, 2], 1), ([3, 1, 1], 2)):
        parameters, X, Y = problem(sizes, batch, dtype=dtype)
        wide = np.zeros((2 * X.shape[0], 3 * X.shape[1]), dtype)
        wide[::2, ::3] = X
        results = []
        for x in (np.ascontiguousarray(X), np.asfortranarray(X), wide[::2, ::3]):
            training = CompiledTraining(parameters, 0.1, "mse", rule)
            theta = training.theta
            for _ in range(3):
                training.step(x, Y)
            assert training.theta is theta
            results.append(training.parameters)
            assert distance(training.parameters, results[0]) < 8
        state, expected = None, parameters
        for _ in range(3):
            _, expected, state = readable_step(expected, X, Y, state, "mse", rule)
        assert distance(results[0], expected) < 40


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_shift_takes_the_largest_biased_entry_of_each_column_away(dtype):
    rng = np.random.default_rng(1)
    for m, B in [(7, 5), (1, 3), (3, 1)]:
        Z, b = (100 * rng.standard_normal(shape).astype(dtype) for shape in [(m, B), (m, 1)])
        biased, column = Z + b, np.zeros(B, dtype)
        fast_numba._bias_shift(Z, b, column)
        np.testing.assert_array_equal(column, biased.max(axis=0))
        np.testing.assert_array_equal(Z, biased - biased.max(axis=0))


def test_the_cross_entropy_takes_logits_of_any_size():
    parameters = Parameters({1: np.array([[1000.0], [-1000.0], [999.0]])}, {1: np.array([[5.0], [9.0], [0.0]])})
    X, Y = np.array([[1.0, -1.0]]), np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    training = CompiledTraining(parameters, 0.1, "cross_entropy")
    expected, after, _ = readable_step(parameters, X, Y, None, "cross_entropy")
    assert training.step(X, Y) == pytest.approx(expected, rel=1e-12)
    assert distance(training.parameters, after) < 8


def test_sums_over_float32_are_sums_in_float32():
    """Each of the two small terms is lost beside 1 in float32, and would not be in float64."""
    parameters = Parameters({1: np.float32([[0.0], [-1.0], [-1.0]])}, {1: np.zeros((3, 1), np.float32)})
    X, Y = np.full((1, 2), 25 * np.log(2), np.float32), np.float32([[1, 1], [0, 0], [0, 0]])
    assert CompiledTraining(parameters, 0.1, "cross_entropy").step(X, Y) == 0


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("rule", RULES)
def test_a_step_allocates_no_array(rule, order):
    parameters, X, Y = problem([64, 128, 10], 64)
    X, training = np.asarray(X, order=order), CompiledTraining(parameters, 1e-4, "mse", rule)
    assert PLAIN["peak_of"](lambda: training.step(X, Y)) < 8192 < parameters.W[2].nbytes


def test_a_nan_reaches_the_loss_and_stops_before_the_update():
    for loss in LOSSES:
        parameters, X, Y = problem()
        training = CompiledTraining(parameters, 0.1, loss)
        before = flatten(training.parameters)
        X = X.copy()
        X[1, 2] = np.nan
        with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="X must be finite, got nan at row 1, column 2"):
            training.step(X, Y)
        np.testing.assert_array_equal(flatten(training.parameters), before)


def test_the_example_in_the_docstring():
    assert doctest.testmod(fast_numba).failed == 0
