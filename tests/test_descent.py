"""Promises of chapter docs/descent.md."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfp.descent import descend, quadratic, quadratic_iterate, quadratic_prime, stability_limit

starts = st.floats(-100, 100, allow_subnormal=False)


def distances(lr, steps=200, x_0=5.0):
    return np.array([x - 2 for x in descend(quadratic_prime, x_0, lr, steps)])


def spd(n, seed):
    """A symmetric positive definite matrix and its eigenvalues."""
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    eigenvalues = np.sort(rng.uniform(0.5, 9.0, n))
    H = Q @ np.diag(eigenvalues) @ Q.T
    return (H + H.T) / 2, eigenvalues


@given(x=starts)
def test_the_slope_of_the_parabola_is_its_central_difference(x):
    h = 1e-3  # exact for a parabola up to rounding
    assert quadratic_prime(x) == pytest.approx(
        (quadratic(x + h) - quadratic(x - h)) / (2 * h), abs=1e-7
    )


@given(x=starts)
def test_the_minimum_is_1_and_lies_at_2_alone(x):
    assert quadratic(2.0) == 1 and quadratic_prime(2.0) == 0
    assert quadratic(x) >= 1
    assert quadratic(x) == pytest.approx((x - 2) ** 2 + 1, rel=1e-12, abs=1e-12)


@given(x=starts, y=starts, s=st.floats(0, 1))
def test_the_parabola_is_convex_and_not_concave(x, y, s):
    chord = (1 - s) * quadratic(x) + s * quadratic(y)
    assert quadratic((1 - s) * x + s * y) <= chord + 1e-9 * (1 + abs(chord))
    assert quadratic(1.0) < (quadratic(0.0) + quadratic(2.0)) / 2


@given(x_0=starts, lr=st.floats(0.01, 1.2), t=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_the_closed_form_is_where_the_steps_lead(x_0, lr, t):
    walked = descend(quadratic_prime, x_0, lr, t)[-1]
    scale = (1 + abs(x_0)) * max(1, abs(1 - 2 * lr)) ** t
    assert quadratic_iterate(x_0, lr, t) == pytest.approx(walked, abs=1e-11 * scale)


def test_the_closed_form_keeps_its_digits_where_the_steps_diverge():
    mpmath.mp.dps = 60
    exact = 2 + (1 - 2 * mpmath.mpf(1.1)) ** 500 * (mpmath.mpf(0.0) - 2)
    assert quadratic_iterate(0.0, 1.1, 500) == pytest.approx(float(exact), rel=1e-12)


def test_below_a_half_the_distance_shrinks_on_one_side():
    d = distances(0.2, 40)
    assert (d > 0).all() and (np.diff(d) < 0).all()


def test_at_a_half_one_step_arrives():
    assert descend(quadratic_prime, 5.0, 0.5, 3) == [5.0, 2.0, 2.0, 2.0]


def test_between_a_half_and_1_it_changes_sides_and_still_arrives():
    d = distances(0.9, 40)
    assert (d[:-1] * d[1:] < 0).all() and (np.diff(np.abs(d)) < 0).all()
    assert abs(distances(0.9)[-1]) < 1e-15


def test_at_1_it_has_period_two_for_ever():
    assert descend(quadratic_prime, 5.0, 1.0, 5) == [5.0, -1.0, 5.0, -1.0, 5.0, -1.0]


def test_above_1_it_diverges_with_alternating_sides():
    d = distances(1.1, 50)
    assert (d[:-1] * d[1:] < 0).all() and (np.diff(np.abs(d)) > 0).all()
    assert descend(quadratic_prime, 0.0, 1.1, 50)[-1] == pytest.approx(2 - 2 * 1.2**50, rel=1e-9)


def test_a_path_that_diverges_for_long_ends_in_infinity_or_nan_and_does_not_raise():
    with np.errstate(all="ignore"):
        path = descend(lambda x: 2 * x, np.array([1.0]), 10.0, 400)
    assert not np.isfinite(path[-1]).any()


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_the_stability_limit_separates_descent_that_shrinks_from_descent_that_grows(n):
    H, eigenvalues = spd(n, seed=n)
    limit = stability_limit(H)
    assert limit == pytest.approx(2 / eigenvalues[-1], rel=1e-12)
    x_0 = np.ones((n, 1))
    for factor, shrinks in [(0.98, True), (1.02, False)]:
        end = descend(lambda x: H @ x, x_0, factor * limit, 600)[-1]
        assert (np.linalg.norm(end) < 1e-2) == shrinks


@pytest.mark.parametrize("n", [2, 5])
def test_the_best_rate_shrinks_the_error_by_kappa_minus_1_over_kappa_plus_1(n):
    H, eigenvalues = spd(n, seed=10 + n)
    low, high = eigenvalues[0], eigenvalues[-1]
    best = (high / low - 1) / (high / low + 1)
    radius = [np.abs(1 - lr * eigenvalues).max() for lr in np.linspace(0, 2 / high, 2001)[1:]]
    assert min(radius) == pytest.approx(best, abs=2e-3) and min(radius) >= best - 1e-12
    V = np.linalg.eigh(H)[1]
    path = descend(lambda x: H @ x, V[:, :1] + V[:, -1:], 2 / (low + high), 20)
    lengths = np.linalg.norm(path, axis=(1, 2))
    assert lengths[1:] / lengths[:-1] == pytest.approx(best, rel=1e-6)


def test_each_eigendirection_has_a_closed_form_of_its_own():
    H, eigenvalues = spd(3, seed=4)
    V = np.linalg.eigh(H)[1]
    x_0, lr, t = np.array([[1.0], [-2.0], [0.5]]), 0.1, 17
    end = descend(lambda x: H @ x, x_0, lr, t)[-1]
    expected = V @ ((1 - lr * eigenvalues[:, None]) ** t * (V.T @ x_0))
    np.testing.assert_allclose(end, expected, rtol=1e-11, atol=1e-13)


def test_descent_takes_points_of_any_shape():
    for shape in [(), (3,), (3, 1), (3, 5), (2, 3, 5)]:
        x_0 = np.full(shape, 5.0)
        end = descend(quadratic_prime, x_0, 0.25, 60)[-1]
        assert np.shape(end) == shape and np.allclose(end, 2)


def test_the_path_has_steps_plus_one_points_and_does_not_touch_the_start():
    x_0 = np.array([[5.0], [-3.0]])
    before = x_0.copy()
    path = descend(quadratic_prime, x_0, 0.25, 4)
    assert len(path) == 5 and len(descend(quadratic_prime, x_0, 0.25, 0)) == 1
    path[0] += 1
    np.testing.assert_array_equal(x_0, before)


def test_float32_stays_float32_even_with_a_float64_learning_rate():
    x_0 = np.ones((3, 1), np.float32)
    assert all(x.dtype == np.float32 for x in descend(quadratic_prime, x_0, np.float64(0.1), 3))
    assert quadratic(x_0).dtype == quadratic_iterate(x_0, np.float64(0.1), 3).dtype == np.float32


def test_a_complex_step_passes_through_a_path():
    def end(x_0):
        return descend(quadratic_prime, x_0, 0.1, 7)[-1]

    slope = end(np.array([3.0 + 1e-30j])).imag / 1e-30
    assert slope == pytest.approx(0.8**7, rel=1e-14)


def test_a_strided_start_gives_the_same_path():
    grid = np.arange(12.0).reshape(3, 4)
    for x, y in zip(
        descend(quadratic_prime, grid[:, ::2], 0.1, 3),
        descend(quadratic_prime, grid[:, ::2].copy(), 0.1, 3),
    ):
        np.testing.assert_array_equal(x, y)


def test_descent_on_a_constant_slope_hops_and_a_shrinking_step_mends_it():
    fixed = np.abs(descend(np.sign, 3.0, 0.4, 200))
    assert fixed[-20:] == pytest.approx(0.2)
    x, path = 3.0, []
    for t in range(400):
        x -= 0.4 / np.sqrt(t + 1) * np.sign(x)
        path.append(abs(x))
    assert max(path[-20:]) < 0.05


def test_the_two_layer_linear_loss_is_not_convex():
    def L(u, v):
        return (u * v - 1) ** 2

    assert L(1, 1) == L(-1, -1) == 0 and L(0, 0) == 1


@pytest.mark.parametrize("bad", [3, np.array([1, 2]), [1.0, 2.0], "a"])
def test_a_start_that_is_no_floating_point_array_is_refused(bad):
    with pytest.raises(ValueError, match="x_0 must"):
        descend(quadratic_prime, bad, 0.1, 3)
    with pytest.raises(ValueError, match="x must"):
        quadratic(bad)
    with pytest.raises(ValueError, match="x must"):
        quadratic_prime(bad)
    with pytest.raises(ValueError, match="x_0 must"):
        quadratic_iterate(bad, 0.1, 3)


@pytest.mark.parametrize("lr", [0, -0.1, np.nan, np.inf, "0.1", None, True])
def test_a_learning_rate_that_is_not_a_positive_number_is_refused(lr):
    with pytest.raises(ValueError, match="lr must be a number greater than 0"):
        descend(quadratic_prime, 1.0, lr, 3)
    with pytest.raises(ValueError, match="lr must be a number greater than 0"):
        quadratic_iterate(1.0, lr, 3)


@pytest.mark.parametrize("steps", [-1, 2.0, None, True])
def test_a_number_of_steps_that_is_no_count_is_refused(steps):
    with pytest.raises(ValueError, match="steps must be an integer of 0 or more"):
        descend(quadratic_prime, 1.0, 0.1, steps)
    with pytest.raises(ValueError, match="t must be an integer of 0 or more"):
        quadratic_iterate(1.0, 0.1, steps)


def test_a_gradient_of_another_shape_is_refused_instead_of_broadcast():
    with pytest.raises(ValueError, match=r"the shape of x, \(3, 1\), got \(1, 3\)"):
        descend(lambda x: x.T, np.ones((3, 1)), 0.1, 1)


@pytest.mark.parametrize(
    ("H", "message"),
    [
        (np.ones(3), "must be 2-D"),
        (np.ones((2, 3)), "must have shape"),
        (np.array([[1.0, 2.0], [0.0, 1.0]]), "symmetric"),
        (np.array([[1j]]), "real and symmetric"),
        (np.array([[np.nan]]), "must be finite"),
        (-np.eye(2), "largest eigenvalue of H must be a number greater than 0"),
        (np.array([[2]]), "must hold float32 or float64"),
        (2.0, "must be a NumPy array"),
    ],
)
def test_a_curvature_that_has_no_limit_is_refused(H, message):
    with pytest.raises(ValueError, match=message):
        stability_limit(H)


@pytest.mark.witness
def test_the_path_is_that_of_torch_sgd():
    torch = pytest.importorskip("torch")
    H, _ = spd(5, seed=1)
    x = torch.ones(5, 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([x], lr=0.07)
    for point in descend(lambda v: H @ v, np.ones((5, 1)), 0.07, 20):
        np.testing.assert_allclose(point, x.detach().numpy(), rtol=1e-12, atol=1e-14)
        optimiser.zero_grad()
        (0.5 * x.T @ torch.tensor(H) @ x).sum().backward()
        optimiser.step()
