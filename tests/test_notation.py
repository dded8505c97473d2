"""Promises of chapter docs/notation.md."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfp.notation import (
    check_entries,
    check_matrix,
    check_positive,
    check_product,
    check_same_dtype,
    check_same_shape,
)

DTYPES = [np.float32, np.float64, np.complex128]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 5), (2, 3, 5), (0,)])
def test_entries_of_the_three_dtypes_pass_whatever_the_shape(dtype, shape):
    check_entries("Z", np.zeros(shape, dtype))


@pytest.mark.parametrize("number", [0.5, 1 + 1e-30j, np.float32(1), np.float64(1), np.complex128(1j)])
def test_single_numbers_pass_as_entries(number):
    check_entries("Z", number)


@pytest.mark.parametrize(
    ("Z", "message"),
    [
        ([1.0, 2.0], r"Z must be a NumPy array, got list; write np\.array\(Z, dtype=float\)"),
        ((1.0,), r"Z must be a NumPy array, got tuple"),
        (3, r"Z must be a NumPy array, got int"),
        (None, r"Z must be a NumPy array, got NoneType"),
        ("1.0", r"Z must be a NumPy array, got str"),
        (np.array([1, 2]), r"Z must hold float32 or float64, got int64; write Z\.astype\(float\)"),
        (np.array([True]), r"Z must hold float32 or float64, got bool"),
        (np.array(["a"]), r"Z must hold float32 or float64, got <U1"),
        (np.array([1.0], dtype=object), r"Z must hold float32 or float64, got object"),
        (np.array([1.0], dtype=np.float16), r"Z must hold float32 or float64, got float16"),
        (np.array([1.0], dtype=np.complex64), r"Z must hold float32 or float64, got complex64"),
        (np.ones((1, 2)).view(type("matrix", (np.ndarray,), {"__mul__": np.ndarray.__matmul__})), r"Z must be a NumPy array, got matrix; write np\.array\(Z, dtype=float\)"),
        (np.ma.masked_array([1.0, np.nan], [False, True]), r"Z must be a NumPy array, got MaskedArray; write Z\.filled\(0\.0\)"),
        (np.int64(3), r"Z must be a NumPy array, got int64; write float\(Z\)"),
        (np.float16(1), r"Z must hold float32 or float64, got float16"),
    ],
)
def test_entries_that_are_no_floating_point_numbers_are_refused(Z, message):
    with pytest.raises(ValueError, match=message):
        check_entries("Z", Z)


@pytest.mark.parametrize("dtype", DTYPES)
@given(rows=st.integers(1, 6), columns=st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_a_matrix_of_the_stated_shape_passes(dtype, rows, columns):
    A = np.zeros((rows, columns), dtype)
    check_matrix("A", A)
    check_matrix("A", A, rows=rows)
    check_matrix("A", A, columns=columns)
    check_matrix("A", A, rows=rows, columns=columns, finite=True)
    check_matrix("A", A.T[::-1], rows=columns, columns=rows)


@pytest.mark.parametrize(
    ("A", "options", "message"),
    [
        ([[1.0]], {}, r"X must be a NumPy array, got list"),
        (1.0, {}, r"X must be a NumPy array, got float"),
        (np.float64(1.0), {}, r"X must be a NumPy array, got float64"),
        (np.array([[1, 2]]), {}, r"X must hold float32 or float64, got int64"),
        (np.zeros(4), {}, r"X must be 2-D .* got shape \(4,\); for one sample use X\[:, None\]$"),
        (np.zeros(()), {}, r"X must be 2-D \(features, batch\), got shape \(\)$"),
        (np.zeros((2, 3, 5)), {}, r"X must be 2-D \(features, batch\), got shape \(2, 3, 5\)$"),
        (np.zeros((0, 3)), {}, r"X must not be empty, got shape \(0, 3\); drop empty batches"),
        (np.zeros((3, 0)), {}, r"X must not be empty, got shape \(3, 0\)"),
        (np.zeros((5, 3)), {"rows": 2}, r"X must have shape \(2, any\), got \(5, 3\)$"),
        (np.zeros((5, 3)), {"columns": 2}, r"X must have shape \(any, 2\), got \(5, 3\)$"),
        (np.zeros((5, 3)), {"rows": 5, "columns": 1}, r"X must have shape \(5, 1\), got \(5, 3\)$"),
        (np.zeros((5, 3)), {"rows": 3}, r"X must have shape \(3, any\), got \(5, 3\); .* did you mean X\.T\?"),
        (np.zeros((1, 3)), {"columns": 1}, r"X must have shape \(any, 1\), got \(1, 3\); .* X\.T\?"),
        (np.zeros((5, 3)), {"rows": 3, "columns": 5}, r"did you mean X\.T\?"),
    ],
)
def test_what_is_no_matrix_of_that_shape_is_refused_with_a_fix(A, options, message):
    with pytest.raises(ValueError, match=message):
        check_matrix("X", A, **options)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_entry_that_is_not_finite_is_named(dtype, bad):
    X = np.zeros((3, 5), dtype)
    X[1, 4] = X[2, 0] = bad
    check_matrix("X", X)  # allowed where it is only passed on
    with pytest.raises(ValueError, match=r"X must be finite, got .* at row 1, column 4"):
        check_matrix("X", X, finite=True)


def test_the_largest_finite_numbers_are_finite():
    check_matrix("X", np.array([[np.finfo(float).max, -np.finfo(float).max, 5e-324]]), finite=True)


def test_a_product_needs_equal_inner_dimensions():
    check_product("W", np.zeros((5, 3)), "X", np.zeros((3, 7)))
    message = r"W @ X: W has shape \(5, 3\), X has 7 rows; the 3 columns of W must meet 3 rows"
    with pytest.raises(ValueError, match=message):
        check_product("W", np.zeros((5, 3)), "X", np.zeros((7, 3)))


def test_shapes_that_numpy_would_broadcast_are_refused():
    check_same_shape("Y_hat", np.zeros((2, 3)), "Y", np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"Y has shape \(3, 1\); they must be equal: did you mean Y\.T\?"):
        check_same_shape("Y_hat", np.zeros((1, 3)), "Y", np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"Y_hat has shape \(2, 3\), Y has shape \(2, 1\); they must be equal$"):
        check_same_shape("Y_hat", np.zeros((2, 3)), "Y", np.zeros((2, 1)))


def test_float32_beside_float64_is_refused_and_complex_beside_float64_is_not():
    double, single = np.zeros((2, 2)), np.zeros((2, 2), np.float32)
    check_same_dtype(W=double, X=double, b=double.astype(complex))
    check_same_dtype(W=single, X=single)
    with pytest.raises(ValueError, match=r"W is float64, b is float32; write b\.astype\(W\.dtype\)"):
        check_same_dtype(W=double, X=double, b=single)
    with pytest.raises(ValueError, match=r"W is float32, X is float64"):
        check_same_dtype(W=single, X=double)
    with pytest.raises(ValueError, match=r"W is float32, X is complex128"):
        check_same_dtype(W=single, X=double.astype(complex))


@pytest.mark.parametrize("value", [1, 0.1, 1e-300, np.float32(0.5), np.int64(3), 10**300])
def test_positive_numbers_pass(value):
    check_positive("lr", value)


@pytest.mark.parametrize("value", [0, -1, -0.0, np.nan, np.inf, -np.inf, pytest.param(10**400, id="beyond all floats"), True, "1", None, 1j, np.ones(1)])
def test_what_is_no_positive_number_is_refused(value):
    with pytest.raises(ValueError, match=r"lr must be a number greater than 0, got "):
        check_positive("lr", value)


def test_no_check_changes_or_returns_anything():
    X = np.arange(6.0).reshape(2, 3)
    before = X.copy()
    for outcome in (
        check_entries("X", X),
        check_matrix("X", X, finite=True),
        check_product("X", X, "X.T", X.T),
        check_same_shape("X", X, "X", X),
        check_same_dtype(X=X, Y=X),
    ):
        assert outcome is None
    np.testing.assert_array_equal(X, before)


def test_rows_and_columns_give_the_same_layer_in_every_convention():
    rng = np.random.default_rng(0)
    W, b, X = rng.standard_normal((5, 3)), rng.standard_normal((5, 1)), rng.standard_normal((3, 7))
    Z = W @ X + b
    np.testing.assert_allclose(X.T @ W.T + b[:, 0], Z.T, rtol=1e-13)


@pytest.mark.witness
def test_the_weights_of_pytorch_have_our_shape_and_those_of_scikit_learn_its_transpose():
    torch, neural = pytest.importorskip("torch"), pytest.importorskip("sklearn.neural_network")
    assert tuple(torch.nn.Linear(3, 5).weight.shape) == (5, 3)
    rng = np.random.default_rng(0)
    model = neural.MLPRegressor(hidden_layer_sizes=(5,), max_iter=1, solver="lbfgs")
    with pytest.warns(Warning, match="lbfgs failed to converge"):
        model.fit(rng.standard_normal((20, 3)), rng.standard_normal((20, 2)))
    assert [C.shape for C in model.coefs_] == [(3, 5), (5, 2)]
