"""Promises of chapter docs/neuron.md."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nnfp.layer import affine
from nnfp.neuron import layer_by_loops, neuron

numbers = st.floats(-100, 100, allow_subnormal=False)


def column(*values, dtype=np.float64):
    return np.array(values, dtype)[:, None]


@given(data=st.data(), n=st.integers(1, 7))
@settings(max_examples=50, deadline=None)
def test_a_neuron_is_the_dot_product_plus_the_bias(data, n):
    w, x = (data.draw(arrays(np.float64, (n, 1), elements=numbers)) for _ in "wx")
    b = data.draw(numbers)
    assert neuron(w, x, b) == pytest.approx((w.T @ x).item() + b, rel=1e-12, abs=1e-9)


def test_the_hand_worked_layer_gives_6_10_14():
    W = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]])
    z = layer_by_loops(W, column(1, 2), column(1, 2, 3))
    np.testing.assert_array_equal(z, [[6.0], [10.0], [14.0]])


def test_a_layer_is_its_neurons_one_under_the_other():
    rng = np.random.default_rng(1)
    W, x, b = rng.standard_normal((5, 3)), rng.standard_normal((3, 1)), rng.standard_normal((5, 1))
    z = layer_by_loops(W, x, b)
    for i in range(5):
        assert z[i, 0] == neuron(W[i : i + 1].T, x, b[i, 0])


@given(data=st.data(), m=st.integers(1, 5), n=st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_two_loops_equal_the_matrix_product(data, m, n):
    W, x, b = (
        data.draw(arrays(np.float64, shape, elements=numbers)) for shape in [(m, n), (n, 1), (m, 1)]
    )
    np.testing.assert_allclose(layer_by_loops(W, x, b), affine(W, x, b), rtol=1e-12, atol=1e-9)


def test_the_bias_moves_the_result_by_exactly_itself():
    w, x = column(1, 2), column(3, 4)
    assert neuron(w, x, 2.5) - neuron(w, x, 0.0) == 2.5


def test_the_weights_are_the_slope_with_respect_to_the_inputs():
    rng = np.random.default_rng(2)
    w, x = rng.standard_normal((4, 1)), rng.standard_normal((4, 1))
    for j in range(4):
        step = 1e-30j * np.eye(4)[:, j : j + 1]
        assert neuron(w, x + step, 0.5).imag / 1e-30 == pytest.approx(w[j, 0], rel=1e-14)


def test_complex_weights_and_bias_pass_through():
    W = np.array([[1.0 + 1e-30j, 2.0]])
    z = layer_by_loops(W, column(3, 4), column(1))
    assert z.dtype == np.complex128
    assert z[0, 0].imag == pytest.approx(3e-30)
    assert neuron(column(1, 2), column(3, 4), 1e-30j).imag == 1e-30


def test_float32_stays_float32():
    W, x, b = (np.ones(shape, np.float32) for shape in [(3, 2), (2, 1), (3, 1)])
    assert layer_by_loops(W, x, b).dtype == np.float32
    assert neuron(W[:1].T, x, np.float32(1)).dtype == np.float32


def test_nan_and_infinity_pass_through():
    assert np.isnan(neuron(column(np.nan, 1), column(1, 1), 0.0))
    assert layer_by_loops(np.ones((1, 1)), column(np.inf), column(0))[0, 0] == np.inf


def test_inputs_are_untouched_and_may_be_strided():
    W, x, b = np.arange(12.0).reshape(3, 4)[:, ::2], column(1, 2), column(1, 2, 3)
    before = [A.copy() for A in (W, x, b)]
    z = layer_by_loops(W, x, b)
    np.testing.assert_array_equal(z, W @ x + b)
    for A, A_before in zip((W, x, b), before, strict=True):
        np.testing.assert_array_equal(A, A_before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], column(1, 2), 1.0), r"w must be a NumPy array, got list"),
        ((np.array([[1], [2]]), column(1, 2), 1.0), r"w must hold float32 or float64, got int64"),
        ((np.ones(2), column(1, 2), 1.0), r"w must be 2-D .* got shape \(2,\).*w\[:, None\]"),
        ((column(1, 2).T, column(1, 2), 1.0), r"w must have shape \(any, 1\), got \(1, 2\).*w\.T"),
        ((column(1, 2), column(1, 2, 3), 1.0), r"x must have shape \(2, 1\), got \(3, 1\)"),
        ((np.ones((0, 1)), np.ones((0, 1)), 1.0), r"w must not be empty, got shape \(0, 1\)"),
        ((column(1), column(1, dtype=np.float32), 1.0), r"w is float64, x is float32"),
        ((column(1), column(1), np.float32(1)), r"w is float64, b is float32"),
        ((column(1), column(1), column(1)), r"b must be one number, got shape \(1, 1\)"),
        ((column(1), column(1), "1"), r"b must be a NumPy array, got str"),
    ],
)
def test_a_neuron_refuses_what_does_not_fit_and_says_why(arguments, message):
    with pytest.raises(ValueError, match=message):
        neuron(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0, 2.0]], column(1, 2), column(1)), r"W must be a NumPy array, got list"),
        ((np.ones((3, 2)), np.ones(2), np.ones((3, 1))), r"x must be 2-D .* got shape \(2,\)"),
        ((np.ones((3, 2)), np.ones((1, 2)), np.ones((3, 1))), r"x must have shape \(any, 1\)"),
        ((np.ones((3, 2)), np.ones((3, 1)), np.ones((3, 1))), r"W @ x: W has shape \(3, 2\)"),
        ((np.ones((3, 2)), np.ones((2, 1)), np.ones(3)), r"b must be 2-D"),
        ((np.ones((3, 2)), np.ones((2, 1)), np.ones((2, 1))), r"b must have shape \(3, 1\)"),
        ((np.ones((3, 2), np.float32), np.ones((2, 1)), np.ones((3, 1))), r"W is float32, x is float64"),
    ],
)
def test_a_layer_refuses_what_does_not_fit_and_says_why(arguments, message):
    with pytest.raises(ValueError, match=message):
        layer_by_loops(*arguments)


def test_a_complex_step_passes_from_each_of_the_three():
    rng = np.random.default_rng(3)
    shapes = [(5, 3), (3, 1), (5, 1)]
    for which in range(3):
        arrays = [rng.standard_normal(shape) for shape in shapes]
        moved = arrays.copy()
        moved[which] = arrays[which] + 1e-30j
        slopes = layer_by_loops(*moved).imag / 1e-30
        W, x, _ = arrays
        expected = [np.full((5, 1), x.sum()), W.sum(axis=1, keepdims=True), np.ones((5, 1))][which]
        np.testing.assert_allclose(slopes, expected, rtol=1e-13)


@pytest.mark.parametrize("which", range(3))
def test_float32_beside_float64_is_refused_wherever_it_is(which):
    arrays = [np.ones(shape) for shape in [(5, 3), (3, 1), (5, 1)]]
    arrays[which] = arrays[which].astype(np.float32)
    with pytest.raises(ValueError, match=r"^W is float(32|64), [xb] is float(32|64)"):
        layer_by_loops(*arrays)
