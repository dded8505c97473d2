"""Promises of chapter docs/activations.md."""

import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import nnfp.activations as module
from nnfp.activations import (
    ACTIVATIONS,
    activation,
    elu,
    elu_prime,
    exp_minus_abs,
    identity,
    leaky_relu,
    leaky_relu_prime,
    relu,
    relu_prime,
    sigmoid,
    sigmoid_prime,
    silu,
    silu_prime,
    softplus,
    softplus_prime,
    tanh,
    tanh_prime,
)

NAMES = list(ACTIVATIONS)
PAIRS = list(ACTIVATIONS.values())
FUNCTIONS = [exp_minus_abs, *(f for pair in PAIRS for f in pair)]
SMOOTH = ["identity", "sigmoid", "tanh", "softplus", "silu"]
EVERYTHING = dict(ids=lambda value: getattr(value, "__name__", None))

# What each function is, at 60 digits.
e = mpmath.exp
TRUTH = {
    "sigmoid": lambda z: 1 / (1 + e(-z)),
    "sigmoid_prime": lambda z: e(-abs(z)) / (1 + e(-abs(z))) ** 2,
    "tanh": mpmath.tanh,
    "tanh_prime": lambda z: mpmath.sech(z) ** 2,
    "leaky_relu": lambda z: z if z > 0 else z / 100,
    "elu": lambda z: z if z > 0 else mpmath.expm1(z),
    "elu_prime": lambda z: e(min(z, 0)),
    "softplus": lambda z: max(z, 0) + mpmath.log1p(e(-abs(z))),
    "softplus_prime": lambda z: 1 / (1 + e(-z)),
    "silu": lambda z: z / (1 + e(-z)),
    "exp_minus_abs": lambda z: e(-abs(z)),
}


def samples(dtype, seed=0):
    """Numbers of every size: near the tails, and all exponents, of both signs."""
    rng = np.random.default_rng(seed)
    info = np.finfo(dtype)
    tail = float(-np.log(info.smallest_normal))
    exponents = rng.uniform(np.log10(float(info.tiny)), np.log10(float(info.max)) - 0.01, 300)
    Z = np.concatenate([
        rng.uniform(-40, 40, 300), rng.uniform(-tail, tail, 300), rng.uniform(-1.2, -1, 100) * tail,
        rng.uniform(0.5, 0.6, 100) * tail, 10.0**exponents, -(10.0**exponents),
        [0.0, tail, -tail, float(info.max), -float(info.max)],
    ])  # fmt: skip
    return Z.astype(dtype)


def ulps(f, truth, Z):
    """Errors in units in the last place; results below the normal range count absolutely."""
    info = np.finfo(Z.dtype)
    with mpmath.workdps(60):
        exact = [truth(mpmath.mpf(float(z))) for z in Z]
        size = np.clip(np.abs([float(t) for t in exact]), info.smallest_normal, info.max / 2)
        spacing = np.spacing(size.astype(Z.dtype))
        return np.array([
            float(abs(mpmath.mpf(float(y)) - t) / mpmath.mpf(float(s)))
            for y, t, s in zip(f(Z), exact, spacing, strict=True)
        ])  # fmt: skip


# --- precision -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", TRUTH)
def test_the_error_stays_within_seven_units_in_the_last_place_at_any_input(name, dtype):
    Z = samples(dtype)
    if name == "silu":  # further out its sigmoid is subnormal: next test
        Z = Z[Z > np.log(np.finfo(dtype).smallest_normal)]
    error = ulps(getattr(module, name), TRUTH[name], Z)
    assert error.max() < 7, error.max()


@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-320), (np.float32, 1e-42)])
def test_silu_far_out_is_wrong_by_next_to_nothing(dtype, bound):
    Z = samples(dtype)
    Z = Z[Z < np.log(np.finfo(dtype).smallest_normal)]
    with mpmath.workdps(60):
        truth = np.array([float(TRUTH["silu"](mpmath.mpf(float(z)))) for z in Z])
    assert len(Z) > 50 and np.abs(silu(Z) - truth).max() < bound


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_slope_of_silu_is_exact_up_to_its_zero_crossing(dtype):
    # near z = -1.28 two terms cancel: there the error is measured against the terms
    def truth(z):
        s = 1 / (1 + e(-z))
        return s + z * e(-abs(z)) / (1 + e(-abs(z))) ** 2

    Z = samples(dtype)
    scale = np.maximum(np.abs(np.array([float(truth(mpmath.mpf(float(z)))) for z in Z])),
                       sigmoid(Z.astype(float)))  # fmt: skip
    with mpmath.workdps(60):
        exact = np.array([truth(mpmath.mpf(float(z))) for z in Z])
        error = np.array([float(abs(mpmath.mpf(float(y)) - t)) for y, t in zip(silu_prime(Z), exact)])
    info = np.finfo(dtype)
    normal = scale > 1e4 * info.smallest_normal
    assert (error[normal] < 16 * info.eps * scale[normal]).all()
    assert (error[~normal] < 1e4 * info.smallest_normal).all()


def test_softplus_is_the_logaddexp_of_zero():
    Z = samples(np.float64)
    np.testing.assert_allclose(softplus(Z), np.logaddexp(0, Z), rtol=2e-15)


def test_the_slope_of_sigmoid_survives_where_s_times_one_minus_s_is_lost():
    Z = np.array([[37.0, 100.0, 700.0]])
    s = sigmoid(Z)
    assert (s * (1 - s) == 0).all()
    np.testing.assert_allclose(sigmoid_prime(Z), np.exp(-Z), rtol=1e-14)
    np.testing.assert_array_equal(sigmoid_prime(Z), sigmoid_prime(-Z))


def test_the_slope_of_tanh_survives_where_one_minus_the_square_is_lost():
    Z = np.array([[20.0, 100.0, 350.0]])
    assert (1 - np.tanh(Z) ** 2 == 0).all()
    np.testing.assert_allclose(tanh_prime(Z), 4 * np.exp(-2 * Z), rtol=1e-13)


@pytest.mark.parametrize("f", FUNCTIONS, **EVERYTHING)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_no_finite_input_gives_a_warning_a_nan_or_an_infinity(f, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(f(samples(dtype))).all()


# --- slopes --------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_slope_matches_a_central_difference_away_from_kinks(name):
    f, f_prime = activation(name)
    Z = np.array([[-7.0, -3.0, -0.5, 0.5, 3.0], [-2.0, -0.1, 0.1, 1.0, 9.0]])
    h = 1e-5
    slope = (f(Z + h) - f(Z - h)) / (2 * h)
    np.testing.assert_allclose(f_prime(Z), slope, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
@given(Z=arrays(np.float64, (2, 3), elements=st.floats(-30, 30, allow_subnormal=False)))
@settings(max_examples=40, deadline=None)
def test_a_complex_step_gives_the_slope_at_kinks_too(name, Z):
    f, f_prime = activation(name)
    np.testing.assert_allclose(f(Z + 1e-30j).imag / 1e-30, f_prime(Z), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("z", [0.0, -0.0])
def test_a_complex_step_at_zero_gives_the_chosen_slope(name, z):
    f, f_prime = activation(name)
    assert f(np.array([complex(z, 1e-30)])).imag / 1e-30 == pytest.approx(f_prime(np.array([z])))


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "silu", "elu"])
def test_a_complex_step_through_the_slope_gives_its_slope(name):
    _, f_prime = activation(name)
    Z = np.array([[-3.0, -0.5, 0.5, 3.0]])
    difference = (f_prime(Z + 1e-5) - f_prime(Z - 1e-5)) / 2e-5
    np.testing.assert_allclose(f_prime(Z + 1e-30j).imag / 1e-30, difference, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("f", FUNCTIONS, **EVERYTHING)
def test_complex_input_without_imaginary_part_gives_the_real_result(f):
    Z = np.array([[-800.0, -3.0, -0.0, 0.0, 0.5, 800.0]])
    got = f(Z + 0j)
    assert got.dtype == np.complex128
    np.testing.assert_allclose(got.real, f(Z), rtol=1e-15, atol=1e-15)
    assert not got.imag.any()


@pytest.mark.parametrize("z", [0.0, -0.0])
def test_slopes_at_the_kinks_are_the_left_ones_by_choice(z):
    Z = np.array([[z]])
    assert relu_prime(Z) == 0.0
    assert leaky_relu_prime(Z) == 0.01
    assert elu_prime(Z) == 1.0  # no kink: the same from both sides


def test_the_slope_of_relu_jumps_at_the_smallest_numbers_there_are():
    tiny = np.nextafter(0.0, 1.0)
    np.testing.assert_array_equal(relu_prime(np.array([-tiny, tiny])), [0, 1])
    np.testing.assert_array_equal(leaky_relu_prime(np.array([-tiny, tiny])), [0.01, 1])
    np.testing.assert_array_equal(relu(np.array([-tiny, tiny])), [0, tiny])


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu"])
def test_one_sided_differences_at_zero_enclose_the_chosen_slope(name):
    f, f_prime = activation(name)
    zero, h = np.array([0.0]), 1e-8
    left, right = -f(zero - h) / h, f(zero + h) / h
    assert f_prime(zero) == pytest.approx(left, abs=1e-7)
    assert right == 1.0


# --- what the functions are ----------------------------------------------------------


def test_relu_cuts_negatives_and_keeps_positives():
    np.testing.assert_array_equal(relu(np.array([[-2.0, 0.0, 3.0]])), [[0.0, 0.0, 3.0]])


def test_leaky_relu_and_elu_keep_positives_and_shrink_negatives():
    Z = np.array([[-2.0, 3.0]])
    np.testing.assert_array_equal(leaky_relu(Z), [[-0.02, 3.0]])
    np.testing.assert_allclose(elu(Z), [[np.exp(-2) - 1, 3.0]])


@given(Z=arrays(np.float64, (3, 2), elements=st.floats(-600, 600)))
@settings(max_examples=50, deadline=None)
def test_identities_between_the_functions_hold(Z):
    np.testing.assert_allclose(sigmoid(Z) + sigmoid(-Z), 1, rtol=1e-15)
    np.testing.assert_allclose(tanh(Z), 2 * sigmoid(2 * Z) - 1, rtol=0, atol=1e-15)
    np.testing.assert_allclose(softplus(Z) - softplus(-Z), Z, rtol=1e-14, atol=1e-15)
    np.testing.assert_array_equal(silu(Z), Z * sigmoid(Z))
    np.testing.assert_array_equal(softplus_prime(Z), sigmoid(Z))
    np.testing.assert_allclose(relu(Z) - relu(-Z), Z)
    assert (softplus(Z) >= relu(Z)).all() and (silu(Z) > -0.279).all()


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "elu", "relu", "leaky_relu"])
def test_the_function_never_falls(name):
    Z = np.linspace(-50, 50, 2001)
    assert (np.diff(activation(name).f(Z)) >= 0).all()
    assert (activation(name).f_prime(Z) >= 0).all()


@pytest.mark.witness
@pytest.mark.parametrize("name", NAMES)
def test_pytorch_agrees_in_value_and_slope(name):
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    theirs = {"identity": lambda z: z * 1.0, "tanh": torch.tanh, "sigmoid": torch.sigmoid}
    Z = np.random.default_rng(2).normal(0, 4, (7, 5))
    z = torch.tensor(Z, requires_grad=True)
    value = theirs.get(name, getattr(F, name, None))(z)
    value.sum().backward()
    f, f_prime = activation(name)
    np.testing.assert_allclose(f(Z), value.detach().numpy(), rtol=1e-7 if name == "softplus" else 1e-12)
    np.testing.assert_allclose(f_prime(Z), z.grad.numpy(), rtol=1e-9, atol=1e-12)


# --- what comes in and goes out ------------------------------------------------------


@pytest.mark.parametrize("f", FUNCTIONS, **EVERYTHING)
@given(data=st.data(), dtype=st.sampled_from([np.float32, np.float64]))
@settings(max_examples=15, deadline=None)
def test_shape_and_dtype_are_kept_and_the_input_is_untouched(f, data, dtype):
    width = 8 * np.dtype(dtype).itemsize
    Z = data.draw(arrays(dtype, array_shapes(max_dims=3), elements=st.floats(width=width)))
    before = Z.copy()
    result = f(Z)
    assert result.shape == Z.shape and result.dtype == Z.dtype
    assert not np.shares_memory(result, Z)
    np.testing.assert_array_equal(Z, before)


@pytest.mark.parametrize("f", FUNCTIONS, **EVERYTHING)
def test_strided_and_transposed_input_gives_the_same_entries(f):
    Z = np.random.default_rng(1).normal(0, 3, (7, 5))
    np.testing.assert_array_equal(f(Z.T[::-1, ::2]), f(np.ascontiguousarray(Z.T[::-1, ::2])))
    np.testing.assert_allclose(f(Z)[2, 3], f(Z[2, 3]), rtol=1e-15)  # a single number will do


@pytest.mark.parametrize("f", FUNCTIONS, **EVERYTHING)
def test_a_nan_stays_a_nan_and_infinities_give_the_limit(f):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = f(np.array([np.nan, -np.inf, np.inf, 1.0]))
        far = f(np.array([-1e308, 1e308]))
    assert np.isnan(got[0]) or f.__name__ == "identity_prime"
    assert not np.isnan(got[1:]).any()
    ends = [np.copysign(np.inf, y) if abs(y) > 1e300 else y for y in far]
    if f is not leaky_relu:
        np.testing.assert_array_equal(got[1:3], ends)


@pytest.mark.parametrize("f", FUNCTIONS, **EVERYTHING)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([[1.0, 2.0]], r"Z must be a NumPy array, got list; write np\.array\(Z, dtype=float\)"),
        (3, r"Z must be a NumPy array, got int"),
        (None, r"Z must be a NumPy array, got NoneType"),
        (np.array([[1, 2]]), r"Z must hold float32 or float64, got int64; write Z\.astype\(float\)"),
        (np.array([True]), r"got bool"),
        (np.array(["1"]), r"Z must hold float32 or float64"),
        (np.array([1.0], np.float16), r"got float16"),
    ],
)
def test_what_is_no_array_of_floats_is_refused_with_a_reason(f, bad, message):
    with pytest.raises(ValueError, match=message):
        f(bad)


def test_an_unknown_name_is_refused_with_the_list_of_names():
    for bad in ("Relu", "", 3, None, ["relu"]):
        with pytest.raises(ValueError, match="choose one of: identity, sigmoid, tanh, relu, "):
            activation(bad)


def test_each_activation_is_listed_under_its_own_name_with_its_own_slope():
    for name, (f, f_prime) in ACTIVATIONS.items():
        assert (f.__name__, f_prime.__name__) == (name, f"{name}_prime")
    assert activation("identity").f is identity


def test_at_zero_the_slope_of_elu_has_the_slope_from_the_left():
    """Below zero the slope is e^z, whose slope is e^z again; above zero it is flat."""
    z = np.array([[-1.0, 0.0, 1.0]])
    np.testing.assert_allclose(elu_prime(z + 1e-30j).imag / 1e-30, [[np.exp(-1), 1, 0]], rtol=1e-14)
