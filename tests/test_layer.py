"""Promises of chapter docs/layer.md."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nnfp.layer import affine
from nnfp.neuron import layer_by_loops

numbers = st.floats(-100, 100, allow_subnormal=False)
M, N, B = 5, 3, 7


def layer(seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in [(M, N), (N, B), (M, 1)]]


@given(data=st.data(), m=st.integers(1, 4), n=st.integers(1, 4), batch=st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_every_column_of_a_batch_equals_two_loops_over_that_sample(data, m, n, batch):
    W, X, b = (
        data.draw(arrays(np.float64, shape, elements=numbers))
        for shape in [(m, n), (n, batch), (m, 1)]
    )
    Z = affine(W, X, b)
    assert Z.shape == (m, batch)
    for k in range(batch):
        np.testing.assert_allclose(
            Z[:, k : k + 1], layer_by_loops(W, X[:, k : k + 1], b), rtol=1e-12, atol=1e-9
        )


def test_the_broadcast_bias_is_the_outer_product_with_a_row_of_ones():
    W, X, b = layer()
    np.testing.assert_array_equal(affine(W, X, b), W @ X + b @ np.ones((1, B)))


def test_a_batch_of_batch_size_equal_to_the_width_still_adds_the_bias_down_the_columns():
    # with a 1-D bias NumPy would add it along the rows here, without an error
    W, b = np.zeros((3, 2)), np.array([[1.0], [2.0], [3.0]])
    np.testing.assert_array_equal(affine(W, np.ones((2, 3)), b), [[1] * 3, [2] * 3, [3] * 3])


def test_rows_as_samples_give_the_transpose():
    W, X, b = layer()
    np.testing.assert_allclose((X.T @ W.T + b.T).T, affine(W, X, b), rtol=1e-14)


def test_a_permutation_of_the_samples_permutes_the_result():
    W, X, b = layer()
    order = np.random.default_rng(3).permutation(B)
    np.testing.assert_allclose(affine(W, X[:, order], b), affine(W, X, b)[:, order], rtol=1e-13)


def test_two_layers_without_activation_are_one():
    W, X, b = layer()
    rng = np.random.default_rng(4)
    U, d = rng.standard_normal((2, M)), rng.standard_normal((2, 1))
    np.testing.assert_allclose(
        affine(U, affine(W, X, b), d), affine(U @ W, X, U @ b + d), rtol=1e-12
    )


@pytest.mark.witness
def test_affine_is_the_linear_layer_of_pytorch_up_to_a_transpose():
    torch = pytest.importorskip("torch")
    W, X, b = layer()
    rows = torch.nn.functional.linear(
        torch.tensor(X.T.copy()), torch.tensor(W), torch.tensor(b[:, 0])
    )
    np.testing.assert_allclose(affine(W, X, b), rows.numpy().T, rtol=1e-13)


def test_complex_weights_pass_through():
    W, X, b = layer()
    step = np.zeros((M, N), complex)
    step[2, 1] = 1e-30j
    Z = affine(W + step, X, b)
    np.testing.assert_allclose(Z[2].imag / 1e-30, X[1], rtol=1e-14)
    assert not Z[[0, 1, 3, 4]].imag.any()


def test_float32_stays_float32():
    assert affine(*layer(dtype=np.float32)).dtype == np.float32


def test_nan_and_infinity_pass_through():
    Z = affine(np.ones((1, 1)), np.array([[np.nan, np.inf, 1.0]]), np.zeros((1, 1)))
    np.testing.assert_array_equal(Z, [[np.nan, np.inf, 1.0]])


def test_inputs_are_untouched_and_may_be_strided():
    W, X, b = layer()
    W = np.asfortranarray(W)[:, ::-1]
    before = [A.copy() for A in (W, X, b)]
    affine(W, X, b)
    for A, A_before in zip((W, X, b), before, strict=True):
        np.testing.assert_array_equal(A, A_before)


@pytest.mark.parametrize(
    ("position", "bad", "message"),
    [
        (0, [[1.0] * N] * M, r"W must be a NumPy array, got list"),
        (0, np.ones((N, M)), r"W @ X: W has shape \(3, 5\), X has 3 rows"),
        (0, np.ones((M, N), int), r"W must hold float32 or float64, got int64"),
        (1, np.ones(N), r"^X must be 2-D .* got shape \(3,\); .*X\[:, None\]"),
        (1, np.ones((B, N)), r"W @ X: W has shape \(5, 3\), X has 7 rows"),
        (1, np.ones((N, 0)), r"X must not be empty, got shape \(3, 0\)"),
        (1, np.ones((N, B), np.float32), r"W is float64, X is float32"),
        (2, np.ones(M), r"b must be 2-D"),
        (2, np.ones((1, M)), r"b must have shape \(5, 1\), got \(1, 5\).*b\.T"),
        (2, np.ones((M, B)), r"b must have shape \(5, 1\), got \(5, 7\)"),
        (2, np.ones((M, 1), np.float32), r"W is float64, b is float32"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(position, bad, message):
    arguments = layer()
    arguments[position] = bad
    with pytest.raises(ValueError, match=message):
        affine(*arguments)
