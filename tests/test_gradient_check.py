"""Promises of chapter docs/gradient_check.md."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfp.activations import ACTIVATIONS
from nnfp.backpropagation import Gradients, backward, loss_and_gradients
from nnfp.calculus import flatten, unflatten
from nnfp.forward_pass import Parameters, forward, random_parameters
from nnfp.gradient_check import central_difference, check_gradients, complex_step, relative_error
from nnfp.losses import mse, mse_gradient


def network(sizes=(3, 5, 2), B=7, seed=0):
    rng = np.random.default_rng(seed)
    W, b = random_parameters(list(sizes), rng, weight_scale=0.7)
    b = {l: 0.5 * rng.standard_normal(column.shape) for l, column in b.items()}
    X, Y = rng.standard_normal((sizes[0], B)), rng.standard_normal((sizes[-1], B))
    return Parameters(W, b), X, Y


PARAMETERS, X, Y = network()
_, RIGHT = loss_and_gradients(PARAMETERS, X, Y, hidden="tanh")


def smooth(theta):
    """Analytic, and its gradient is known."""
    return np.sum(np.exp(theta) * np.sin(theta))


def smooth_gradient(theta):
    return np.exp(theta) * (np.sin(theta) + np.cos(theta))


def column(*entries):
    return np.array(entries, dtype=float)[:, None]


def times(gradients, factor, only=None):
    """Gradients with dW and db (or one array of them) multiplied by a factor."""
    dW = {l: G * (factor if only in (None, f"dW[{l}]") else 1) for l, G in gradients.dW.items()}
    db = {l: G * (factor if only in (None, f"db[{l}]") else 1) for l, G in gradients.db.items()}
    dX = gradients.dX * (factor if only == "dX" else 1)
    return Gradients(dW, db, gradients.delta, dX)


def check(gradients, **options):
    return check_gradients(PARAMETERS, X, Y, gradients, hidden="tanh", **options)


# The two ways to measure


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=6))
def test_both_measures_give_the_gradient_of_a_smooth_function(entries):
    theta = column(*entries)
    exact = smooth_gradient(theta)
    np.testing.assert_allclose(central_difference(smooth, theta), exact, rtol=0, atol=1e-8)
    np.testing.assert_allclose(complex_step(smooth, theta), exact, rtol=0, atol=1e-14)


def test_any_matrix_gets_a_gradient_of_its_shape():
    theta = np.random.default_rng(0).standard_normal((2, 5))
    for measure in (central_difference, complex_step):
        assert measure(smooth, theta).shape == (2, 5)
        np.testing.assert_allclose(measure(smooth, theta), smooth_gradient(theta), atol=1e-8)


def test_the_error_of_the_central_difference_falls_with_h_squared():
    with mpmath.workdps(60):
        x, third = mpmath.mpf(1), mpmath.diff(lambda t: mpmath.exp(t) * mpmath.sin(t), 1, 3)
    errors = []
    for h in (1e-2, 1e-3):
        found = central_difference(smooth, column(1.0), h)[0, 0]
        errors.append(found - float(mpmath.exp(x) * (mpmath.sin(x) + mpmath.cos(x))))
        assert errors[-1] == pytest.approx(h**2 / 6 * float(third), rel=1e-3)
    assert errors[0] / errors[1] == pytest.approx(100, rel=1e-3)


def test_a_smaller_step_makes_the_central_difference_worse_and_the_complex_step_no_worse():
    theta, exact = column(1.0), smooth_gradient(column(1.0))
    errors = {h: abs(central_difference(smooth, theta, h) - exact).item() for h in (1e-2, 1e-5, 1e-12)}
    assert errors[1e-5] < 1e-9 < min(errors[1e-2], errors[1e-12])
    for h in (1e-10, 1e-30, 1e-200):
        assert abs(complex_step(smooth, theta, h) - exact) <= 4 * np.spacing(exact)


def test_the_complex_step_of_a_cube_is_exact_for_steps_whose_square_vanishes():
    assert complex_step(lambda t: np.sum(t * t * t), column(3.0)) == 27
    assert complex_step(lambda t: np.sum(t * t * t), column(3.0), 1e-3) == pytest.approx(27 - 1e-6)


def test_the_central_difference_takes_the_middle_of_the_two_slopes_at_a_kink():
    assert central_difference(lambda t: np.abs(t).sum(), column(0.0)) == 0
    assert central_difference(lambda t: np.maximum(t, 0).sum(), column(0.0)) == 0.5
    near = central_difference(lambda t: np.maximum(t, 0).sum(), column(-4e-6), h=1e-5)
    assert near[0, 0] == pytest.approx(0.3)


def test_a_function_that_drops_the_imaginary_part_is_refused_not_called_flat():
    for f in (lambda t: np.abs(t).sum(), lambda t: t.real.sum(), lambda t: np.linalg.norm(t)):
        with pytest.raises(ValueError, match="f\\(theta\\) is real where theta is complex"):
            complex_step(f, column(-3.0))


def test_a_conjugate_transpose_hides_from_the_complex_step_but_not_from_the_difference():
    def f(theta):
        return (theta.conj().T @ theta)[0, 0]

    theta = column(3.0, 4.0)
    np.testing.assert_allclose(central_difference(f, theta), 2 * theta, rtol=1e-9)
    assert not complex_step(f, theta).any()


@pytest.mark.parametrize("measure", [central_difference, complex_step])
def test_the_point_is_untouched_and_each_call_gets_its_own_copy(measure):
    theta = column(1.0, 2.0)

    def greedy(t):
        result = np.sum(t * t)
        t[:] = 0
        return result

    np.testing.assert_allclose(measure(greedy, theta), [[2.0], [4.0]], atol=1e-9)
    np.testing.assert_array_equal(theta, [[1.0], [2.0]])


def test_the_central_difference_calls_f_twice_for_each_entry_the_complex_step_once():
    calls = []

    def f(theta):
        calls.append(theta)
        return np.sum(theta * theta)

    for measure, number in ((central_difference, 6), (complex_step, 3)):
        calls.clear()
        measure(f, column(1.0, 2.0, 3.0))
        assert len(calls) == number


def test_the_slope_of_a_straight_line_is_exact_to_rounding_however_large_theta_is():
    for size in (1.0, 1e6, 1e10):
        np.testing.assert_allclose(central_difference(np.sum, column(size)), 1, rtol=1e-15)


def test_numpy_compares_i_h_as_positive_so_relu_by_hand_has_the_slope_1_at_0():
    for by_hand in (lambda t: np.maximum(t, 0), lambda t: np.where(t > 0, t, 0), lambda t: t * (t > 0)):
        assert complex_step(lambda t, f=by_hand: f(t).sum(), column(0.0)) == 1
    for relu in (lambda t: np.where(t.real > 0, t, 0), ACTIVATIONS["relu"].f):
        assert complex_step(lambda t, f=relu: f(t).sum(), column(0.0)) == 0


def test_the_complex_step_may_be_as_small_as_1e_300_but_not_as_the_last_float():
    exact = 0.3 * np.cos(2)
    assert complex_step(lambda t: np.sum(0.3 * np.sin(t)), column(2.0), 1e-300) == pytest.approx(exact, rel=1e-15)
    assert complex_step(lambda t: np.sum(0.3 * np.sin(t)), column(2.0), 1e-323) == 0


def test_a_direction_takes_two_forward_passes_and_shows_a_mistake():
    theta, d = flatten(PARAMETERS), np.random.default_rng(3).standard_normal((32, 1))
    calls = []

    def along(s):
        calls.append(s)
        return mse(forward(unflatten(theta + s[0, 0] * d, [3, 5, 2]), X, hidden="tanh").Y_hat, Y)

    for measure, passes, tolerance in ((central_difference, 2, 1e-7), (complex_step, 1, 1e-12)):
        calls.clear()
        slope = measure(along, column(0.0))
        assert len(calls) == passes
        right, wrong = (flatten(Parameters(g.dW, g.db)).T @ d for g in (RIGHT, times(RIGHT, 1.001, "db[1]")))
        assert relative_error(right, slope) < tolerance < relative_error(wrong, slope)


# The relative error


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5), st.floats(-5, 5))
def test_the_relative_error_knows_no_unit_and_no_order(entries, shift):
    a, b = column(*entries), column(*entries) + shift
    error = relative_error(a, b)
    assert 0 <= error <= 2
    assert relative_error(b, a) == error
    for scale in (2.0**-700, 2.0**700):
        if not 0 < min(np.abs(a).max(), np.abs(b).max()) < 1e-60:
            assert relative_error(scale * a, scale * b) == pytest.approx(error, rel=1e-12, abs=1e-300)


def test_equal_gradients_have_the_error_0_and_opposite_ones_2():
    a = column(3.0, -4.0)
    assert relative_error(a, a) == relative_error(0 * a, 0 * a) == 0
    assert relative_error(a, -a) == 2
    assert relative_error(a, 0 * a) == 1
    assert relative_error(a, -a / 2) == 1.5
    assert relative_error(column(1.0, 0.0), column(0.5, np.sqrt(0.75))) == pytest.approx(1)
    assert isinstance(relative_error(a, a), float)


@pytest.mark.parametrize("B", [4, 16, 64])
def test_a_division_by_the_batch_too_many_is_an_error_of_1_minus_1_over_B(B):
    a = column(3.0, -4.0)
    assert relative_error(a / B, a) == 1 - 1 / B


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_is_infinitely_wrong(bad):
    a = column(3.0, bad)
    assert relative_error(a, column(3.0, 1.0)) == relative_error(column(3.0, 1.0), a) == np.inf
    assert relative_error(a, a) == np.inf


# The whole check


@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("sizes", [(5, 3), (3, 5, 2), (2, 7, 5, 3), (2, 5, 3, 7, 2)])
def test_right_gradients_pass_with_either_measure(sizes, loss, hidden):
    parameters, X, Y = network(sizes, B=7)
    report = check_gradients(parameters, X, Y, loss=loss, hidden=hidden, tolerance=1e-6)
    assert report.ok, report
    exact = check_gradients(
        parameters, X, Y, loss=loss, hidden=hidden, tolerance=1e-12, measure=complex_step
    )
    assert exact.ok, exact


@pytest.mark.parametrize("only", ["dW[1]", "dW[2]", "db[1]", "db[2]", "dX"])
def test_one_wrong_array_fails_and_is_named(only):
    report = check(times(RIGHT, 1.001, only))
    assert not report.ok
    assert report.worst.startswith(only + "[")
    assert report.given == pytest.approx(1.001 * report.measured, rel=1e-6)


def test_one_wrong_entry_is_named_with_both_its_values():
    dW = {l: G.copy() for l, G in RIGHT.dW.items()}
    dW[1][3, 2] += 0.25
    report = check(RIGHT._replace(dW=dW))
    assert report.worst == "dW[1][3, 2]"
    assert report.given - report.measured == pytest.approx(0.25, abs=1e-8)


@pytest.mark.parametrize(
    "corrupt",
    [
        lambda g: times(g, -1),
        lambda g: times(g, 2),
        lambda g: times(g, 1 / 7),
        lambda g: times(g, 1 + 1e-6),
        lambda g: g._replace(db={l: 7 * b for l, b in g.db.items()}),
        lambda g: g._replace(dW={**g.dW, 1: g.delta[1] @ -X.T}),
        lambda g: g._replace(dX=np.flip(g.dX, axis=1)),
    ],
)
def test_every_planted_mistake_is_found(corrupt):
    assert not check(corrupt(RIGHT)).ok


def test_batch_1_hides_the_factor_of_the_batch_and_batch_3_shows_it():
    for B, found in ((1, False), (3, True)):
        parameters, X, Y = network(B=B)
        _, gradients = loss_and_gradients(parameters, X, Y, hidden="tanh")
        report = check_gradients(parameters, X, Y, times(gradients, 1 / B), hidden="tanh")
        assert report.ok is not found


def lost_transpose(parameters, X, Y):
    """The gradients of a backward pass that goes through W instead of its transpose; all sizes equal."""
    turned = Parameters({l: W.T for l, W in parameters.W.items()}, parameters.b)
    trace = forward(parameters, X, hidden="tanh")
    return backward(turned, trace, mse_gradient(trace.Y_hat, Y), hidden="tanh")


@pytest.mark.parametrize("seed", range(5))
def test_equal_sizes_hide_a_lost_transpose_from_the_shapes_but_not_from_the_check(seed):
    parameters, X, Y = network((4, 4, 4), seed=seed)
    report = check_gradients(parameters, X, Y, lost_transpose(parameters, X, Y), hidden="tanh")
    assert not report.ok and report.error > 0.1
    symmetric = Parameters({l: W + W.T for l, W in parameters.W.items()}, parameters.b)
    assert check_gradients(symmetric, X, Y, lost_transpose(symmetric, X, Y), hidden="tanh").ok


def test_zero_biases_and_a_sample_of_zeros_fail_with_every_seed_and_other_biases_with_none():
    for seed in range(10):
        parameters, X, Y = network(seed=seed)
        X[:, 2] = 0
        at_the_kink = Parameters(parameters.W, {l: 0 * b for l, b in parameters.b.items()})
        assert not check_gradients(at_the_kink, X, Y).ok
        assert check_gradients(parameters, X, Y).ok


def test_a_check_takes_two_forward_passes_for_each_parameter_and_each_entry_of_X(monkeypatch):
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return forward(*arguments)

    monkeypatch.setattr("nnfp.gradient_check.forward", counted)
    check(RIGHT)
    assert len(calls) == 2 * 32 + 2 * 3 * 7


def test_the_report_is_the_relative_error_of_the_central_differences():
    """eq-relative-error between the given gradients and eq-central-difference, all entries in one column."""
    wrong = times(RIGHT, 0.9)
    report = check_gradients(PARAMETERS, X, Y, wrong, hidden="tanh")

    def of_theta(theta):
        return mse(forward(unflatten(theta, [3, 5, 2]), X, hidden="tanh").Y_hat, Y)

    def of_X(X):
        return mse(forward(PARAMETERS, X, hidden="tanh").Y_hat, Y)

    ours = np.concatenate([flatten(Parameters(wrong.dW, wrong.db)).ravel(), wrong.dX.ravel()])
    measured = np.concatenate(
        [central_difference(of_theta, flatten(PARAMETERS)).ravel(), central_difference(of_X, X).ravel()]
    )
    np.testing.assert_allclose(report.error, relative_error(ours, measured), rtol=1e-12)


def test_nan_in_a_gradient_fails_and_is_named():
    dW = {l: G.copy() for l, G in RIGHT.dW.items()}
    dW[2][1, 4] = np.nan
    report = check(RIGHT._replace(dW=dW))
    assert report == (False, np.inf, "dW[2][1, 4]", pytest.approx(np.nan, nan_ok=True), report.measured)


def test_a_kink_inside_the_step_fails_the_difference_but_not_the_complex_step():
    parameters = Parameters({1: column(1.0), 2: column(1.0)}, {1: column(4e-6), 2: column(0.0)})
    x, y = np.array([[0.0]]), np.array([[1.0]])
    assert check_gradients(parameters, x, y).worst == "db[1][0, 0]"
    assert not check_gradients(parameters, x, y).ok
    assert check_gradients(parameters, x, y, measure=complex_step).ok


@pytest.mark.witness
def test_the_default_gradcheck_of_torch_passes_a_gradient_that_is_wrong_by_0_09_per_cent():
    torch = pytest.importorskip("torch")

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x**3).sum()

        @staticmethod
        def backward(ctx, upstream):
            return upstream * 3 * ctx.saved_tensors[0] ** 2 * 1.0009

    x = torch.linspace(1, 2, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Wrong.apply, (x,))
    with pytest.raises(RuntimeError):
        torch.autograd.gradcheck(Wrong.apply, (x,), atol=1e-9, rtol=1e-7)
    assert not check(times(RIGHT, 1.0009)).ok


@pytest.mark.witness
def test_the_central_difference_is_that_of_scipy():
    differentiate = pytest.importorskip("scipy.differentiate")
    theta = column(0.3, -1.2, 2.0)
    expected = differentiate.derivative(lambda t: np.exp(t) * np.sin(t), theta).df
    np.testing.assert_allclose(central_difference(smooth, theta), expected, rtol=1e-9, atol=1e-9)


def test_inputs_are_untouched():
    everything = [*PARAMETERS.W.values(), *PARAMETERS.b.values(), X, Y, *RIGHT.dW.values(), RIGHT.dX]
    before = [a.copy() for a in everything]
    check(RIGHT)
    for a, kept in zip(everything, before):
        np.testing.assert_array_equal(a, kept)


def test_the_measures_see_the_loss_that_the_network_has():
    sizes, theta = [3, 5, 2], flatten(PARAMETERS)

    def of_theta(theta):
        return mse(forward(unflatten(theta, sizes), X, "tanh").Y_hat, Y)

    ours = flatten(Parameters(RIGHT.dW, RIGHT.db))
    assert relative_error(complex_step(of_theta, theta), ours) < 1e-14
    assert relative_error(central_difference(of_theta, theta), ours) < 1e-9


@pytest.mark.parametrize("measure", [central_difference, complex_step])
@pytest.mark.parametrize(
    ("theta", "message"),
    [
        ([[1.0]], "theta must be a NumPy array"),
        (np.ones(3), "theta must be 2-D"),
        (np.ones((3, 1), int), "theta must hold float32 or float64, got int64"),
        (np.ones((3, 1), np.float32), "theta must hold float64 to be moved by a small step"),
        (np.ones((3, 1), complex), "theta must hold float64"),
        (np.ones((0, 1)), "theta must not be empty"),
        (np.array([[np.nan]]), "theta must be finite"),
    ],
)
def test_a_bad_point_is_refused_by_name(measure, theta, message):
    with pytest.raises(ValueError, match=message):
        measure(np.sum, theta)


@pytest.mark.parametrize("measure", [central_difference, complex_step])
def test_a_bad_step_or_function_is_refused_by_name(measure):
    for h in (0.0, -1e-5, np.inf, np.nan):
        with pytest.raises(ValueError, match="h must be"):
            measure(np.sum, np.ones((2, 1)), h)
    with pytest.raises(ValueError, match=r"f\(theta\) must be one number, got shape \(2, 1\)"):
        measure(np.exp, np.ones((2, 1)))
    wanted = "complex128" if measure is complex_step else "float64"
    for f, got in ((lambda t: None, "NoneType"), (lambda t: 3, "int64"), (lambda t: np.float32(1), "float32")):
        with pytest.raises(ValueError, match=rf"f\(theta\) must be a {wanted}, got {got}; return it unrounded"):
            measure(f, np.ones((2, 1)))


def test_a_step_that_vanishes_beside_an_entry_is_refused_not_called_flat():
    with pytest.raises(ValueError, match=r"h must move every entry of theta, got 1e-05, which vanishes beside 1000000000000\.0"):
        central_difference(np.sum, column(1.0, 1e12))
    with pytest.raises(ValueError, match=r"f\(theta\) must be a float64, got complex128"):
        central_difference(lambda t: np.sum(t) + 0j, column(1.0))
    assert complex_step(np.sum, column(1e12)) == 1


FLOAT32 = Parameters(*({l: a.astype(np.float32) for l, a in part.items()} for part in PARAMETERS))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: relative_error(np.ones((2, 1)), np.ones((1, 2))), "a has shape .*did you mean b.T"),
        (lambda: relative_error([1.0], [1.0]), "a must be a NumPy array"),
        (lambda: relative_error(np.ones(2), np.ones(2, int)), "b must hold float32 or float64"),
        (lambda: relative_error(np.ones((0, 1)), np.ones((0, 1))), "a and b must not be empty"),
        (lambda: check(RIGHT, tolerance=0.0), "tolerance must be"),
        (lambda: check(RIGHT.dW), "gradients must be Gradients"),
        (lambda: check(RIGHT._replace(dW={1: RIGHT.dW[1]})), r"gradients must hold \['dW\[1\]', 'dW\[2\]'"),
        (lambda: check(RIGHT._replace(db={l: b[:, 0] for l, b in RIGHT.db.items()})),
         r"db\[1\] must be 2-D"),
        (lambda: check(RIGHT._replace(dW={l: G.T for l, G in RIGHT.dW.items()})),
         r"dW\[1\] has shape \(3, 5\), the measured dW\[1\] has shape \(5, 3\)"),
        (lambda: check(RIGHT._replace(dX=None)), "dX must be a NumPy array, got NoneType"),
        (lambda: check(RIGHT, loss="rmse"), "no loss 'rmse'"),
        (lambda: check_gradients(PARAMETERS, X[:, 0], Y), "X must be 2-D"),
        (lambda: check_gradients(FLOAT32, X.astype(np.float32), Y.astype(np.float32)),
         "theta must hold float64"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_activations_that_are_asked_for_are_those_that_are_measured():
    for hidden, output in (("tanh", "sigmoid"), ("sigmoid", "tanh"), ("softplus", "identity")):
        assert check_gradients(PARAMETERS, X, Y, hidden=hidden, output=output).ok
        gradients = loss_and_gradients(PARAMETERS, X, Y, "mse", hidden, output)[1]
        other = "tanh" if output == "identity" else "identity"
        assert check_gradients(PARAMETERS, X, Y, gradients, hidden=hidden, output=output).ok
        assert not check_gradients(PARAMETERS, X, Y, gradients, hidden=hidden, output=other).ok


def test_an_error_as_large_as_the_tolerance_is_allowed():
    wrong = times(RIGHT, 1.001)
    error = check(wrong).error
    assert check(wrong, tolerance=error).ok and not check(wrong, tolerance=error * (1 - 1e-15)).ok


def test_infinity_on_both_sides_is_quiet_and_worse_than_any_difference():
    gradients = times(RIGHT, 1.0)
    gradients.dW[2][1, 3] = np.inf
    gradients.db[1][0, 0] = 1e300
    gradients.dX[2, 4] = -np.inf

    def measure(f, theta):
        measured = central_difference(f, theta)
        if theta.shape[1] == 1:  # the parameters
            numbers = unflatten(measured, [3, 5, 2])
            numbers.W[2][1, 3] = np.inf
            return flatten(numbers)
        return measured

    report = check(gradients, measure=measure)
    assert (report.ok, report.error, report.worst) == (False, np.inf, "dW[2][1, 3]")
    assert report.given == report.measured == np.inf
