"""Promises of chapter docs/calculus.md."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfp.activations import ACTIVATIONS
from nnfp.calculus import flatten, jacobian, unflatten, unvec, vec
from nnfp.forward_pass import Parameters, forward, random_parameters

M, N, P, B = 5, 3, 7, 2  # distinct primes: a transpose that is missing cannot fit
sizes = st.integers(1, 6)


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def close(a, b, tolerance=1e-8):
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@given(m=sizes, n=sizes)
def test_vec_stacks_columns_and_unvec_undoes_it(m, n):
    A = normal(m, n)
    by_loops = np.array([[A[i, j]] for j in range(n) for i in range(m)])
    np.testing.assert_array_equal(vec(A), by_loops)
    np.testing.assert_array_equal(unvec(vec(A), (m, n)), A)


@given(m=sizes, n=sizes, p=sizes, q=sizes)
@settings(max_examples=40, deadline=None)
def test_vec_of_a_product_is_a_kronecker_product_times_vec(m, n, p, q):
    A, X, C = normal(m, n), normal(n, p), normal(p, q)
    close(vec(A @ X @ C), np.kron(C.T, A) @ vec(X), 1e-12)


def test_the_jacobian_of_a_matrix_product_is_the_matrix():
    W = normal(M, N)
    close(jacobian(lambda x: W @ x, normal(N, 1)), W)


def test_the_jacobian_by_the_weights_is_x_transposed_kronecker_identity():
    x = normal(N, 1)
    close(jacobian(lambda w: unvec(w, (M, N)) @ x, normal(M * N, 1)), np.kron(x.T, np.eye(M)))


def test_the_gradient_by_the_weights_is_delta_times_x_transposed():
    x, delta = normal(N, 1), normal(M, 1)
    row = jacobian(lambda w: delta.T @ unvec(w, (M, N)) @ x, normal(M * N, 1))
    close(unvec(row.T, (M, N)), delta @ x.T)


def test_jacobians_of_a_composition_multiply_outer_first():
    W, x = normal(M, N), normal(N, 1)

    def inner(x):
        return np.tanh(W @ x)

    def outer(a):
        return normal(P, M) @ (a * a)

    product = jacobian(outer, inner(x)) @ jacobian(inner, x)
    close(jacobian(lambda x: outer(inner(x)), x), product)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_entrywise_function_has_a_diagonal_jacobian(name):
    f, f_prime = ACTIVATIONS[name]
    z = normal(M, 1)
    z[np.abs(z) < 0.01] = 0.5  # away from the kinks
    close(jacobian(f, z), np.diagflat(f_prime(z)))


def test_a_batch_has_the_kronecker_jacobians_of_its_product():
    W, X = normal(M, N), normal(N, B)
    by_X = jacobian(lambda x: vec(W @ unvec(x, (N, B))), vec(X))
    by_W = jacobian(lambda w: vec(unvec(w, (M, N)) @ X), vec(W))
    close(by_X, np.kron(np.eye(B), W))
    close(by_W, np.kron(X.T, np.eye(M)))


def test_the_bias_of_a_batch_has_row_sums_as_its_gradient():
    Delta = normal(M, B)
    row = jacobian(lambda b: np.sum(Delta * (b @ np.ones((1, B)))).reshape(1, 1), normal(M, 1))
    close(row.T, Delta.sum(axis=1, keepdims=True))


@given(layer_sizes=st.lists(sizes, min_size=2, max_size=5))
def test_flatten_and_unflatten_undo_each_other(layer_sizes):
    parameters = random_parameters(layer_sizes, np.random.default_rng(0))
    theta = flatten(parameters)
    assert theta.shape == (sum(m * (n + 1) for n, m in pairwise(layer_sizes)), 1)
    again = unflatten(theta, layer_sizes)
    for l in parameters.W:
        np.testing.assert_array_equal(again.W[l], parameters.W[l])
        np.testing.assert_array_equal(again.b[l], parameters.b[l])
    np.testing.assert_array_equal(flatten(again), theta)


def test_theta_lists_weights_before_biases_layer_by_layer():
    W = {1: normal(M, N), 2: normal(P, M)}
    b = {1: normal(M, 1), 2: normal(P, 1)}
    parts = [vec(W[1]), b[1], vec(W[2]), b[2]]
    np.testing.assert_array_equal(flatten(Parameters(W, b)), np.vstack(parts))
    reordered = Parameters({2: W[2], 1: W[1]}, {2: b[2], 1: b[1]})
    np.testing.assert_array_equal(flatten(reordered), np.vstack(parts))


def test_float32_and_complex_keep_their_type():
    parameters = random_parameters([N, M], np.random.default_rng(0))
    for dtype in (np.float32, np.complex128):
        W = {1: parameters.W[1].astype(dtype)}
        b = {1: parameters.b[1].astype(dtype)}
        theta = flatten(Parameters(W, b))
        assert theta.dtype == vec(W[1]).dtype == unflatten(theta, [N, M]).W[1].dtype == dtype


def test_results_share_no_memory_with_the_input():
    A = normal(M, N)
    v, before = vec(A), A.copy()
    v += 1
    unvec(v, (M, N))[:] = 0
    theta = flatten(random_parameters([N, M], np.random.default_rng(0)))
    kept = theta.copy()
    unflatten(theta, [N, M]).b[1][:] = 9
    x = normal(N, 1)
    x_before = x.copy()
    jacobian(np.tanh, x)
    np.testing.assert_array_equal(A, before)
    np.testing.assert_array_equal(theta, kept)
    np.testing.assert_array_equal(x, x_before)


def test_a_single_column_shares_no_memory_with_its_vec():
    a = normal(M, 1)
    vec(a)[:] = 0
    assert a.all()


def test_a_strided_matrix_has_the_vec_of_its_copy():
    A = normal(6, 8)[::2, ::3]
    np.testing.assert_array_equal(vec(A), vec(A.copy()))


def test_the_numeric_jacobian_meets_the_complex_step():
    W, x = normal(M, N), normal(N, 1)

    def f(x):
        return np.tanh(W @ x) * np.exp(W[:, :1])

    exact = np.hstack([f(x + 1e-30j * e[:, None]).imag / 1e-30 for e in np.eye(N)])
    close(jacobian(f, x), exact, 1e-9)


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6, 1e9])
def test_the_slope_of_a_straight_line_is_exact_however_large_x_is(size):
    x = size * normal(N, 1)
    np.testing.assert_array_equal(jacobian(lambda x: x, x), np.eye(N))


def test_weights_that_are_nudged_move_the_loss_by_the_gradient_of_the_page():
    Delta, X, A = normal(M, B), normal(N, B), normal(M, N, seed=1)
    by_definition = sum(Delta[i, k] * A[i, j] * X[j, k] for i in range(M) for j in range(N) for k in range(B))
    assert np.sum(Delta * (A @ X)) == pytest.approx(by_definition)
    assert np.sum((Delta @ X.T) * A) == pytest.approx(by_definition)


@pytest.mark.witness
def test_the_jacobian_of_a_network_by_all_its_parameters_is_that_of_torch():
    torch = pytest.importorskip("torch")
    layer_sizes = [N, M, 2]
    theta = flatten(random_parameters(layer_sizes, np.random.default_rng(3), weight_scale=1.0))
    X = normal(N, B)

    def network(theta):
        return vec(forward(unflatten(theta, layer_sizes), X, hidden="tanh").Y_hat)

    def in_torch(theta):
        split = torch.split(theta, [M * N, M, 2 * M, 2])
        W_1, W_2 = split[0].reshape(N, M).T, split[2].reshape(M, 2).T
        A = torch.tanh(W_1 @ torch.tensor(X) + split[1][:, None])
        return (W_2 @ A + split[3][:, None]).T.reshape(-1)

    expected = torch.autograd.functional.jacobian(in_torch, torch.tensor(theta[:, 0])).numpy()
    close(jacobian(network, theta), expected, 1e-8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vec([[1.0]]), "A must be a NumPy array"),
        (lambda: vec(np.ones(3)), "A must be 2-D"),
        (lambda: vec(np.ones((2, 2), int)), "A must hold float32 or float64"),
        (lambda: vec(np.ones((0, 2))), "A must not be empty"),
        (lambda: unvec(np.ones((6, 1)), (2, 2)), r"v must have shape \(4, 1\), got \(6, 1\)"),
        (lambda: unvec(np.ones((1, 6)), (2, 3)), "did you mean v.T"),
        (lambda: unvec(np.ones((6, 1)), (2, -3)), "shape must be at least two integers"),
        (lambda: unvec(np.ones((6, 1)), 6), "shape must be at least two integers"),
        (lambda: unvec(np.ones((6, 1)), (1, 2, 3)), r"shape must be \(rows, columns\)"),
        (lambda: flatten({1: np.ones((2, 2))}), "parameters must be Parameters"),
        (lambda: unflatten(np.ones((5, 1)), [2, 2]), r"theta must have shape \(6, 1\)"),
        (lambda: unflatten(np.ones(6), [2, 2]), "theta must be 2-D"),
        (lambda: unflatten(np.ones((6, 1)), [2]), "layer_sizes must be at least two integers"),
        (lambda: unflatten(np.ones((6, 1)), [2, 2.0]), "layer_sizes must be at least two integers"),
        (lambda: jacobian(np.tanh, np.ones((2, 3))), r"x must have shape \(any, 1\)"),
        (lambda: jacobian(np.tanh, np.ones(3)), "x must be 2-D"),
        (lambda: jacobian(np.tanh, np.array([[np.nan]])), "x must be finite"),
        (lambda: jacobian(np.tanh, np.ones((3, 1), np.float32)), "x must hold float64"),
        (lambda: jacobian(np.tanh, np.ones((3, 1)), h=0), "h must be a number greater than 0"),
        (lambda: jacobian(lambda x: x.T, np.ones((3, 1))), r"f\(x\) must have shape \(any, 1\)"),
        (lambda: jacobian(np.tanh, np.array([[1.0], [-1e11]])),
         "h must move every entry of x, got 1e-06, which vanishes beside -100000000000.0; take a larger h"),
        (lambda: jacobian(lambda x: x.astype(np.float32), np.ones((3, 1))), r"f\(x\) must hold float64"),
        (lambda: jacobian(lambda x: x if x[0] > 1 else x.T, np.ones((3, 1))), r"f\(x\) must have shape \(any, 1\)"),
        (
            lambda: jacobian(lambda x: float(x[0, 0]), np.ones((3, 1))),
            r"f\(x\) must be a NumPy array",
        ),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
