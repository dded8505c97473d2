"""Promises of chapter docs/losses.md."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nnfp.losses import (
    LOSSES,
    huber,
    huber_gradient,
    loss,
    mae,
    mae_gradient,
    mse,
    mse_gradient,
    residuals,
)

N, B = 3, 5
NAMES = list(LOSSES)
FUNCTIONS = [residuals, mae, mae_gradient, mse, mse_gradient, huber, huber_gradient]
NAMED = dict(ids=lambda f: getattr(f, "__name__", None))
numbers = st.floats(-100, 100, allow_subnormal=False)
matrices = arrays(np.float64, (N, B), elements=numbers)


def pair(seed=0, dtype=np.float64):
    """Predictions and targets; errors on both sides of Huber's 1, none near a kink."""
    rng = np.random.default_rng(seed)
    Y = rng.standard_normal((N, B))
    R = rng.uniform(0.1, 0.9, (N, B)) * rng.choice([-1, 1, 3, -3], (N, B))
    R[np.abs(np.abs(R) - 1) < 0.05] = 2
    return (Y + R).astype(dtype), Y.astype(dtype)


def test_the_worked_example_of_the_chapter():
    Y_hat, Y = np.array([[3.0, 1.0]]), np.array([[2.0, 5.0]])
    assert (mae(Y_hat, Y), mse(Y_hat, Y), huber(Y_hat, Y)) == (2.5, 8.5, 2.0)


def test_each_loss_is_the_mean_over_outputs_and_samples_of_an_entry_alone():
    Y_hat, Y = pair()
    for f, entry in [
        (mae, abs),
        (mse, lambda r: r * r),
        (huber, lambda r: r * r / 2 if abs(r) <= 1 else abs(r) - 0.5),
    ]:
        by_loops = sum(entry(Y_hat[i, k] - Y[i, k]) for i in range(N) for k in range(B)) / (N * B)
        assert f(Y_hat, Y) == pytest.approx(by_loops, rel=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_matches_central_differences_with_several_outputs_and_samples(name):
    f, gradient = loss(name)
    Y_hat, Y = pair()
    g, h = gradient(Y_hat, Y), 1e-6
    for i in range(N):
        for k in range(B):
            step = np.zeros((N, B))
            step[i, k] = h
            slope = (f(Y_hat + step, Y) - f(Y_hat - step, Y)) / (2 * h)
            assert g[i, k] == pytest.approx(slope, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@given(Y_hat=matrices, Y=matrices)
@settings(max_examples=30, deadline=None)
def test_a_complex_step_gives_the_gradient_at_kinks_too(name, Y_hat, Y):
    f, gradient = loss(name)
    g = gradient(Y_hat, Y)
    for i, k in [(0, 0), (1, 3), (2, 4)]:
        step = np.zeros((N, B), complex)
        step[i, k] = 1e-30j
        assert f(Y_hat + step, Y).imag / 1e-30 == pytest.approx(g[i, k], rel=1e-12, abs=1e-14)


def test_at_the_kink_of_mae_the_slope_is_zero_by_choice():
    Y = np.array([[1.0, -2.0], [0.0, 4.0]])
    np.testing.assert_array_equal(mae_gradient(Y, Y), np.zeros((2, 2)))
    np.testing.assert_array_equal(mae_gradient(Y + 1e-12, Y), np.full((2, 2), 0.25))
    np.testing.assert_array_equal(mae_gradient(Y - 1e-12, Y), np.full((2, 2), -0.25))


def test_huber_joins_its_parts_in_value_and_slope():
    Y = np.zeros((1, 1))
    for kappa in (0.25, 1.0, 3.0):
        for sign in (-1, 1):
            below, at, above = (np.array([[sign * kappa * (1 + d)]]) for d in (-1e-9, 0, 1e-9))
            assert huber(at, Y, kappa) == kappa**2 / 2
            assert huber(below, Y, kappa) == pytest.approx(huber(above, Y, kappa), rel=1e-8)
            assert huber_gradient(at, Y, kappa) == sign * kappa
            assert huber_gradient(below, Y, kappa) == pytest.approx(sign * kappa)
            assert huber_gradient(above, Y, kappa) == sign * kappa


@pytest.mark.parametrize("kappa", [0.25, 1.0, 3.0])
def test_the_joint_of_huber_belongs_to_the_square(kappa):
    """eq-huber-entry: a complex step there sees the slope kappa, and the slope 1 of that slope."""
    Y = np.zeros((1, 3))
    for sign in (-1, 1):
        at = np.full((1, 3), sign * kappa) + np.array([[0, 1e-30j, 0]])
        assert huber(at, Y, kappa).imag / 1e-30 == pytest.approx(sign * kappa / 3, rel=1e-14)
        np.testing.assert_allclose(huber_gradient(at, Y, kappa).imag / 1e-30, [[0, 1 / 3, 0]], rtol=1e-14)


@given(Y_hat=matrices, Y=matrices)
@settings(max_examples=50, deadline=None)
def test_huber_is_half_of_mse_for_large_kappa_and_kappa_mae_for_small(Y_hat, Y):
    assert huber(Y_hat, Y, 1000.0) == pytest.approx(mse(Y_hat, Y) / 2, rel=1e-12, abs=1e-12)
    assert huber(Y_hat, Y, 1e-9) / 1e-9 == pytest.approx(mae(Y_hat, Y), abs=1e-8)


@pytest.mark.parametrize("name", NAMES)
@given(Y_hat=matrices, Y=matrices, seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_loss_is_symmetric_never_negative_and_blind_to_order(name, Y_hat, Y, seed):
    f, gradient = loss(name)
    value, order = f(Y_hat, Y), np.random.default_rng(seed).permutation(B)
    assert value >= 0 and f(Y, Y) == 0
    assert f(Y, Y_hat) == value
    assert f(Y_hat[:, order], Y[:, order]) == pytest.approx(value, rel=1e-12)
    np.testing.assert_array_equal(gradient(Y_hat[:, order], Y[:, order]), gradient(Y_hat, Y)[:, order])
    np.testing.assert_array_equal(gradient(Y, Y_hat), -gradient(Y_hat, Y))


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_said_twice_has_the_same_loss_and_half_the_gradient_per_entry(name):
    f, gradient = loss(name)
    Y_hat, Y = pair()
    for axis in (0, 1):  # outputs count like samples
        twice = [np.concatenate([A, A], axis) for A in (Y_hat, Y)]
        assert f(*twice) == pytest.approx(f(Y_hat, Y), rel=1e-14)
        half = np.split(gradient(*twice), 2, axis)[0]
        np.testing.assert_allclose(half, gradient(Y_hat, Y) / 2, rtol=1e-14)


@pytest.mark.parametrize("outlier", [1e3, 1e6])
def test_the_mean_minimises_mse_and_the_median_mae(outlier):
    Y = np.append(np.random.default_rng(7).standard_normal(100), outlier)[None, :]
    grid = np.sort(np.r_[np.linspace(-3, 3, 301), Y[0], np.mean(Y)])
    best = {
        name: grid[np.argmin([loss(name).f(np.full_like(Y, c), Y) for c in grid])] for name in NAMES
    }
    assert best["mse"] == np.mean(Y)
    assert best["mse"] == pytest.approx(outlier / 101, rel=0.05)
    assert best["mae"] == np.median(Y)
    assert abs(best["huber"] - np.median(Y)) < 0.2


@pytest.mark.witness
@pytest.mark.parametrize("name", NAMES)
def test_pytorch_agrees_in_value_and_gradient(name):
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    theirs = {"mae": F.l1_loss, "mse": F.mse_loss, "huber": F.huber_loss}[name]
    Y_hat, Y = pair()
    Y_hat[0, 0] = Y[0, 0]  # the kink
    guess = torch.tensor(Y_hat, requires_grad=True)
    value = theirs(guess, torch.tensor(Y))
    value.backward()
    f, gradient = loss(name)
    assert f(Y_hat, Y) == pytest.approx(value.item(), rel=1e-13)
    np.testing.assert_allclose(gradient(Y_hat, Y), guess.grad.numpy(), rtol=1e-13)


@pytest.mark.witness
def test_pytorch_agrees_on_huber_with_another_threshold():
    torch = pytest.importorskip("torch")
    Y_hat, Y = pair()
    value = torch.nn.functional.huber_loss(torch.tensor(Y_hat), torch.tensor(Y), delta=0.4)
    assert huber(Y_hat, Y, 0.4) == pytest.approx(value.item(), rel=1e-13)


# --- the ends of the range -----------------------------------------------------------


def test_mse_overflows_to_infinity_with_a_warning_above_1e154():
    zero = np.zeros((1, 1))
    assert np.isfinite(mse(np.array([[1.3e154]]), zero))
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert mse(np.array([[1.4e154]]), zero) == np.inf
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert mse(np.array([[2e19]], np.float32), zero.astype(np.float32)) == np.inf
    assert np.isfinite(mse(np.array([[1.8e19]], np.float32), zero.astype(np.float32)))


def test_mae_huber_and_every_gradient_are_finite_where_mse_is_not():
    Y_hat, Y = np.array([[1e200, -1e200]]), np.zeros((1, 2))
    assert mae(Y_hat, Y) == 1e200
    assert huber(Y_hat, Y) == pytest.approx(1e200)
    np.testing.assert_array_equal(mse_gradient(Y_hat, Y), Y_hat)
    np.testing.assert_array_equal(huber_gradient(Y_hat, Y), [[0.5, -0.5]])


def test_the_square_of_a_tiny_error_is_lost_but_its_slope_is_not():
    Y_hat, Y = np.array([[1e-200]]), np.zeros((1, 1))
    assert mse(Y_hat, Y) == 0.0 and mse_gradient(Y_hat, Y) == 2e-200


# --- what comes in and goes out ------------------------------------------------------


@pytest.mark.parametrize("f", FUNCTIONS, **NAMED)
def test_float32_stays_float32_and_inputs_are_untouched(f):
    Y_hat, Y = pair(dtype=np.float32)
    before = Y_hat.copy(), Y.copy()
    assert f(Y_hat, Y).dtype == np.float32
    np.testing.assert_allclose(f(Y_hat, Y), f(Y_hat.astype(float), Y.astype(float)), rtol=1e-5)
    np.testing.assert_array_equal((Y_hat, Y), before)


@pytest.mark.parametrize("f", FUNCTIONS, **NAMED)
def test_a_gradient_has_the_shape_of_the_predictions_and_a_loss_none(f):
    assert f(*pair()).shape == (() if f in (mae, mse, huber) else (N, B))


@pytest.mark.parametrize("f", FUNCTIONS, **NAMED)
def test_strided_input_gives_the_same_numbers(f):
    Y_hat, Y = (A.T[::-1] for A in pair())
    again = f(np.ascontiguousarray(Y_hat), np.ascontiguousarray(Y))
    np.testing.assert_allclose(f(Y_hat, Y), again, rtol=1e-15)


GOOD = np.zeros((1, 3))
BAD = [
    (GOOD, np.zeros((3, 1)), r"Y_hat has shape \(1, 3\), Y has shape \(3, 1\).*did you mean Y\.T"),
    (GOOD, np.zeros((1, 1)), r"Y_hat has shape \(1, 3\), Y has shape \(1, 1\); they must be equal"),
    (GOOD, np.zeros((2, 3)), r"they must be equal"),
    (GOOD, np.zeros(3), r"Y must be 2-D \(features, batch\), got shape \(3,\)"),
    (np.zeros(3), GOOD, r"Y_hat must be 2-D"),
    (np.zeros((1, 1, 3)), GOOD, r"Y_hat must be 2-D .*\(1, 1, 3\)"),
    ([[0.0] * 3], GOOD, r"Y_hat must be a NumPy array, got list"),
    (GOOD, 0.0, r"Y must be a NumPy array, got float"),
    (GOOD, np.zeros((1, 3), int), r"Y must hold float32 or float64, got int64"),
    (GOOD, GOOD.astype(np.float32), r"Y_hat is float64, Y is float32"),
    (GOOD[:, :0], GOOD[:, :0], r"Y_hat must not be empty, got shape \(1, 0\)"),
    (np.array([[0, np.nan, 0]]), GOOD, r"Y_hat must be finite, got nan at row 0, column 1"),
    (GOOD, np.array([[0, 0, -np.inf]]), r"Y must be finite, got -inf at row 0, column 2"),
]


@pytest.mark.parametrize("f", FUNCTIONS, **NAMED)
@pytest.mark.parametrize(("Y_hat", "Y", "message"), BAD)
def test_what_does_not_fit_is_refused_with_a_reason(f, Y_hat, Y, message):
    with pytest.raises(ValueError, match=message):
        f(Y_hat, Y)


@pytest.mark.parametrize("f", [huber, huber_gradient])
@pytest.mark.parametrize("kappa", [0, -1.0, np.nan, np.inf, "1", None, True])
def test_a_threshold_that_is_not_positive_is_refused(f, kappa):
    with pytest.raises(ValueError, match="kappa must be a number greater than 0"):
        f(GOOD, GOOD, kappa)


def test_a_threshold_of_higher_precision_does_not_lift_float32():
    Y_hat, Y = pair(dtype=np.float32)
    assert huber(Y_hat, Y, np.float64(0.3)).dtype == np.float32


def test_an_unknown_name_is_refused_with_the_list_of_names():
    for bad in ("MSE", "", None, 3, ["mse"]):
        with pytest.raises(ValueError, match="choose one of: mae, mse, huber"):
            loss(bad)


def test_each_loss_is_listed_under_its_own_name_with_its_own_gradient():
    for name, (f, gradient) in LOSSES.items():
        assert (f.__name__, gradient.__name__) == (name, f"{name}_gradient")
