"""Promises of chapter docs/classification.md."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nnfp.backpropagation import backward
from nnfp.classification import (
    accuracy,
    cross_entropy,
    cross_entropy_gradient,
    log_softmax,
    softmax,
)
from nnfp.forward_pass import Parameters, forward, random_parameters

M, B = 3, 5
logits = arrays(np.float64, (M, B), elements=st.floats(-600, 600, allow_subnormal=False))


def labels(seed=0, m=M, batch=B, soft=False):
    rng = np.random.default_rng(seed)
    if soft:
        Y = rng.uniform(0.1, 1, (m, batch))
        return Y / Y.sum(axis=0)
    return np.eye(m)[:, rng.integers(0, m, batch)]


def problem(seed=0, soft=False):
    return np.random.default_rng(seed).standard_normal((M, B)) * 3, labels(seed, soft=soft)


def test_the_worked_example_of_the_chapter():
    Z = np.log(np.array([[1.0], [2.0], [5.0]]))
    Y = np.array([[0.0], [1.0], [0.0]])
    np.testing.assert_allclose(softmax(Z).T, [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-15)
    assert cross_entropy(Z, Y) == pytest.approx(math.log(4), rel=1e-15)
    np.testing.assert_allclose(cross_entropy_gradient(Z, Y).T, [[1 / 8, -6 / 8, 5 / 8]], rtol=1e-15)


@pytest.mark.parametrize("soft", [False, True])
def test_loops_over_samples_and_classes_agree(soft):
    Z, Y = problem(soft=soft)
    total = 0.0
    for k in range(B):
        norm = sum(math.exp(Z[j, k]) for j in range(M))
        for i in range(M):
            p = math.exp(Z[i, k]) / norm
            assert softmax(Z)[i, k] == pytest.approx(p, rel=1e-13)
            assert log_softmax(Z)[i, k] == pytest.approx(math.log(p), rel=1e-12)
            assert cross_entropy_gradient(Z, Y)[i, k] == pytest.approx((p - Y[i, k]) / B, rel=1e-12)
            total -= Y[i, k] * math.log(p) / B
    assert cross_entropy(Z, Y) == pytest.approx(total, rel=1e-13)


@pytest.mark.parametrize("soft", [False, True])
def test_the_gradient_matches_central_differences_and_complex_steps(soft):
    Z, Y = problem(soft=soft)
    G, h = cross_entropy_gradient(Z, Y), 1e-6
    for entry in np.ndindex(M, B):
        step = np.zeros((M, B))
        step[entry] = 1
        slope = (cross_entropy(Z + h * step, Y) - cross_entropy(Z - h * step, Y)) / (2 * h)
        assert G[entry] == pytest.approx(slope, rel=1e-6, abs=1e-9)
        assert G[entry] == pytest.approx(
            cross_entropy(Z + 1e-30j * step, Y).imag / 1e-30, rel=1e-13
        )


def test_backpropagation_starts_from_it_and_reaches_the_input():
    rng = np.random.default_rng(3)
    parameters = random_parameters([2, 7, M], rng, 0.7)
    X, Y = rng.standard_normal((2, B)), labels()
    trace = forward(parameters, X, hidden="tanh")
    g = backward(parameters, trace, cross_entropy_gradient(trace.Y_hat, Y), hidden="tanh")

    def value(W1, X):
        changed = Parameters({1: W1, 2: parameters.W[2]}, parameters.b)
        return cross_entropy(forward(changed, X, hidden="tanh").Y_hat, Y)

    for A, dA, f in [
        (parameters.W[1], g.dW[1], lambda A: value(A, X)),
        (X, g.dX, lambda A: value(parameters.W[1], A)),
    ]:
        for entry in np.ndindex(A.shape):
            step = np.zeros(A.shape)
            step[entry] = 1e-6
            assert dA[entry] == pytest.approx((f(A + step) - f(A - step)) / 2e-6, rel=1e-6, abs=1e-9)


@given(Z=logits, shift=st.floats(-50, 50))
@settings(max_examples=60, deadline=None)
def test_probabilities_are_a_distribution_and_a_common_shift_changes_nothing(Z, shift):
    probabilities = softmax(Z)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, rtol=1e-14)
    np.testing.assert_allclose(softmax(Z + shift), probabilities, rtol=1e-12)
    assert (log_softmax(Z) <= 0).all()
    np.testing.assert_allclose(np.exp(log_softmax(Z)), probabilities, rtol=1e-12, atol=1e-300)


@given(Z=logits, seed=st.integers(0, 20), soft=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_gradient_sums_to_zero_over_classes_and_the_loss_is_never_negative(Z, seed, soft):
    Y = labels(seed, soft=soft)
    assert cross_entropy(Z, Y) >= 0
    G = cross_entropy_gradient(Z, Y)
    np.testing.assert_allclose(G.sum(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(G, (softmax(Z) - Y) / B, atol=1e-15)


def test_the_loss_is_the_mean_over_samples_and_blind_to_their_order():
    Z, Y = problem()
    each = [cross_entropy(Z[:, [k]], Y[:, [k]]) for k in range(B)]
    assert cross_entropy(Z, Y) == pytest.approx(np.mean(each), rel=1e-14)
    order = np.array([4, 2, 0, 1, 3])
    G = cross_entropy_gradient(Z, Y)
    np.testing.assert_array_equal(cross_entropy_gradient(Z[:, order], Y[:, order]), G[:, order])
    half = cross_entropy_gradient(np.hstack([Z, Z]), np.hstack([Y, Y]))[:, :B]
    np.testing.assert_allclose(half, G / 2, rtol=1e-14)


def test_two_classes_are_the_sigmoid_of_the_difference():
    from nnfp.activations import sigmoid

    Z = np.random.default_rng(0).standard_normal((2, B)) * 20
    np.testing.assert_allclose(softmax(Z)[0], sigmoid(Z[0] - Z[1]), rtol=1e-13)


def test_without_knowledge_the_loss_is_the_logarithm_of_the_number_of_classes():
    assert cross_entropy(np.full((M, B), 7.0), labels()) == pytest.approx(math.log(M), rel=1e-15)


# --- the ends of the range -----------------------------------------------------------


def exact(z, c):
    """log-softmax, softmax and the gradient for class c of one column, to 60 digits."""
    with mpmath.workdps(60):
        e = [mpmath.exp(mpmath.mpf(float(v))) for v in z]
        norm = mpmath.fsum(e)
        rest = [mpmath.fsum(e[:i] + e[i + 1 :]) for i in range(len(z))]
        logs = [mpmath.log(a / norm) if a < r else -mpmath.log1p(r / a) for a, r in zip(e, rest)]
        slopes = [a / norm if i != c else -rest[i] / norm for i, a in enumerate(e)]
        return [float(v) for v in logs], [float(a / norm) for a in e], [float(v) for v in slopes]


COLUMNS = [
    [0.0, 40.0, -3.0], [0.0, 700.0, 0.0], [-1e-9, 0.0, 1e-9], [36.7, 0.0, 0.1], [5.0, 5.0, 5.0],
    [1000.0, 960.0, 1000.5], [-1e5, -1e5 + 30, -1e5 - 600], [0.0, -37.0, -38.0],
]  # fmt: skip


@pytest.mark.parametrize("z", COLUMNS)
def test_digits_survive_where_probabilities_are_near_0_or_1(z):
    for c in range(3):
        logs, probabilities, slopes = exact(z, c)
        Z, Y = np.array(z)[:, None], np.eye(3)[:, [c]]
        np.testing.assert_allclose(softmax(Z)[:, 0], probabilities, rtol=4e-15, atol=1e-320)
        np.testing.assert_allclose(log_softmax(Z)[:, 0], logs, rtol=1e-13)
        assert cross_entropy(Z, Y) == pytest.approx(logs[c] * -1, rel=1e-13)
        np.testing.assert_allclose(cross_entropy_gradient(Z, Y)[:, 0], slopes, rtol=4e-15, atol=1e-320)


@pytest.mark.parametrize(("dtype", "big"), [(np.float64, 1e308), (np.float32, 3e38)])
def test_no_finite_logit_is_too_large(dtype, big):
    Z = np.array([[big, -big], [-big, big], [0, 0]], dtype)
    Y = np.eye(3, dtype=dtype)[:, :2]
    np.testing.assert_array_equal(softmax(Z), Y)
    assert cross_entropy(Z, Y) == 0
    np.testing.assert_array_equal(cross_entropy_gradient(Z, Y), np.zeros((3, 2)))
    assert cross_entropy(Z, Y[:, ::-1].copy()) == np.inf  # twice the largest number


def test_a_logit_of_minus_infinity_is_a_class_that_is_out_of_the_question():
    Z = np.array([[0.0, 1.0], [-np.inf, 2.0], [0.0, np.nan]])
    np.testing.assert_array_equal(softmax(Z)[:, 0], [0.5, 0.0, 0.5])
    assert log_softmax(Z)[1, 0] == -np.inf
    assert np.isnan(softmax(Z)[:, 1]).all() and np.isnan(log_softmax(Z)[:, 1]).all()


# --- what comes in and goes out ------------------------------------------------------


@pytest.mark.parametrize("f", [cross_entropy, cross_entropy_gradient])
def test_float32_stays_float32_and_inputs_are_untouched(f):
    Z, Y = (A.astype(np.float32) for A in problem())
    before = Z.copy(), Y.copy()
    assert f(Z, Y).dtype == softmax(Z).dtype == log_softmax(Z).dtype == np.float32
    np.testing.assert_allclose(f(Z, Y), f(Z.astype(float), Y.astype(float)), rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal((Z, Y), before)


def test_non_contiguous_arrays_give_the_same():
    Z, Y = problem()
    turned = np.ascontiguousarray(Z.T).T
    np.testing.assert_array_equal(cross_entropy_gradient(turned, Y), cross_entropy_gradient(Z, Y))


@pytest.mark.parametrize("f", [cross_entropy, cross_entropy_gradient, accuracy])
def test_bad_input_is_refused_with_a_reason(f):
    Z, Y = problem()
    for bad, message in [
        ((Z[:, 0], Y), r"Z must be 2-D \(features, batch\), got shape \(3,\)"),
        ((Z[:, :0], Y[:, :0]), "must not be empty"),
        ((Z, Y.T.copy()), r"they must be equal: did you mean Y.T\?"),
        ((Z, Y.astype(int)), "Y must hold float32 or float64, got int64"),
        ((Z, Y.astype(np.float32)), "Z is float64, Y is float32"),
        ((Z * np.nan, Y), "Z must be finite, got nan at row 0, column 0"),
        ((Z, Y + np.diag([np.inf] * B)[:M]), "Y must be finite"),
        ((Z, 2 * Y), r"each column of Y must be a distribution, got a sum of 2 .* one_hot"),
        ((Z, Y - np.array([[1.0], [-1.0], [0.0]])), "each column of Y must be a distribution"),
    ]:
        with pytest.raises(ValueError, match=message):
            f(*bad)
    for g in (softmax, log_softmax):
        with pytest.raises(ValueError, match="Z must be 2-D"):
            g(Z[0])


def test_accuracy_counts_the_columns_whose_largest_logit_is_right():
    Z, Y = problem(2)
    right = sum(np.argmax(Z[:, k]) == np.argmax(Y[:, k]) for k in range(B))
    assert accuracy(Z, Y) == right / B
    assert accuracy(Y, Y) == 1.0


def test_a_column_that_infinity_spoils_is_quiet_and_leaves_the_others_alone():
    Z = np.array([[np.inf, 1.0], [0.0, 2.0], [np.inf, 3.0]])
    for f in (softmax, log_softmax):  # a warning would be an error here
        np.testing.assert_array_equal(np.isnan(f(Z)), [[True, False]] * 3)
        np.testing.assert_array_equal(f(Z)[:, 1:], f(Z[:, 1:]))


def test_the_column_that_is_no_distribution_is_named():
    Z, Y = problem()
    for k, column, what in [
        (3, [1.0, 1.0, -1.0], "a sum of 1 and a smallest entry of -1 in column 3"),
        (2, [0.5, 0.25, 0.0], "a sum of 0.75 and a smallest entry of 0 in column 2"),
    ]:
        bad = Y.copy()
        bad[:, k] = column
        with pytest.raises(ValueError, match=f"^each column of Y must be a distribution, got {what}; make"):
            cross_entropy(Z, bad)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sum_may_be_off_by_four_roundings_an_entry_and_no_more(dtype):
    eps = np.finfo(dtype).eps
    Z, Y = np.zeros((3, 2), dtype), np.array([[1, 0], [0, 1], [0, 0]], dtype)
    Y[0, 0] = 1 + 12 * eps
    cross_entropy(Z, Y)
    Y[0, 0] = 1 + 13 * eps
    with pytest.raises(ValueError, match="in column 0"):
        cross_entropy(Z, Y)


@pytest.mark.witness
@pytest.mark.parametrize("soft", [False, True])
def test_pytorch_agrees_in_value_and_gradient(soft):
    torch = pytest.importorskip("torch")
    Z, Y = problem(soft=soft)
    rows = torch.tensor(Z.T.copy(), requires_grad=True)
    value = torch.nn.functional.cross_entropy(rows, torch.tensor(Y.T.copy()))
    value.backward()
    assert cross_entropy(Z, Y) == pytest.approx(value.item(), rel=1e-14)
    np.testing.assert_allclose(cross_entropy_gradient(Z, Y), rows.grad.numpy().T, rtol=1e-12, atol=1e-17)
