"""Promises of chapter docs/descent.md."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfp.backpropagation import loss_and_gradients
from nnfp.descent import descend, quadratic, quadratic_iterate, quadratic_prime, stability_limit
from nnfp.forward_pass import Parameters, forward
from nnfp.training import sgd_step

rates = st.floats(0.001, 1.2)
places = st.floats(-100, 100, allow_subnormal=False)


def random_hessian(seed, n=5):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    H = (Q * rng.uniform(0.5, 20, n)) @ Q.T
    return (H + H.T) / 2


def test_the_worked_example_of_the_chapter():
    assert descend(quadratic_prime, 0.0, 0.25, 3) == [0, 1, 1.5, 1.75]


@given(x=places)
def test_the_slope_agrees_with_a_central_difference_and_a_complex_step(x):
    h = 1e-4
    central = (quadratic(x + h) - quadratic(x - h)) / (2 * h)
    assert quadratic_prime(x) == pytest.approx(central, abs=1e-6)
    assert quadratic(x + 1e-30j).imag / 1e-30 == pytest.approx(quadratic_prime(x), rel=1e-12)


@given(x=places, y=places)
def test_the_parabola_is_convex_and_two_is_its_only_minimum(x, y):
    assert quadratic((x + y) / 2) <= (quadratic(x) + quadratic(y)) / 2 + 1e-9
    assert quadratic(2.0) == 1 and quadratic_prime(2.0) == 0
    assert quadratic(x) >= 1 - 1e-12


@given(x_0=places, lr=rates, t=st.integers(0, 40))
def test_the_closed_form_is_where_the_walk_ends(x_0, lr, t):
    walked = descend(quadratic_prime, x_0, lr, t)[t]
    assert quadratic_iterate(x_0, lr, t) == pytest.approx(walked, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("lr", "kind"),
    [(0.1, "monotone"), (0.49, "monotone"), (0.5, "one step"), (0.51, "swings in"), (0.99, "swings in"),
     (1.0, "period two"), (1.01, "swings out"), (1.5, "swings out")],
)  # fmt: skip
def test_each_learning_rate_behaves_as_the_table_says(lr, kind):
    offset = np.array(descend(quadratic_prime, 5.0, lr, 9)) - 2
    distance, same_side = np.abs(offset), np.all(offset > 0)
    alternates = np.all(offset[1:] * offset[:-1] < 0)
    assert {
        "monotone": same_side and np.all(np.diff(distance) < 0),
        "one step": np.all(offset[1:] == 0),
        "swings in": alternates and np.all(np.diff(distance) < 0),
        "period two": np.all(offset[::2] == 3) and np.all(offset[1::2] == -3),
        "swings out": alternates and np.all(np.diff(distance) > 0),
    }[kind]


def test_at_the_rate_of_one_point_one_fifty_steps_end_at_minus_18199():
    assert descend(quadratic_prime, 0.0, 1.1, 50)[-1] == pytest.approx(-18198.876, abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_descent_converges_just_below_the_stability_limit_and_diverges_just_above(seed):
    H = random_hessian(seed)
    v = np.random.default_rng(seed).standard_normal((5, 1))
    for factor, smaller in [(0.98, True), (1.02, False)]:
        end = descend(lambda v: H @ v, v, factor * stability_limit(H), 600)[-1]
        assert (np.linalg.norm(end) < np.linalg.norm(v)) == smaller


def test_the_limit_of_the_parabola_is_one_as_number_and_as_matrix():
    assert stability_limit(2.0) == stability_limit(np.array(2.0)) == stability_limit(np.array([[2.0]])) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_the_best_rate_shrinks_the_distance_by_the_condition_number_formula(seed):
    H = random_hessian(seed)
    low, high = np.linalg.eigvalsh(H)[[0, -1]]
    kappa = high / low
    for direction in (0, -1):  # both extreme axes shrink equally fast
        v = np.linalg.eigh(H)[1][:, [direction]]
        path = descend(lambda v: H @ v, v, 2 / (low + high), 1)
        assert np.linalg.norm(path[1]) == pytest.approx((kappa - 1) / (kappa + 1), rel=1e-9)


@given(seed=st.integers(0, 999), share=st.floats(0.05, 0.95))
@settings(max_examples=30, deadline=None)
def test_below_the_limit_every_step_lowers_the_value_as_the_descent_lemma_says(seed, share):
    H = random_hessian(seed)
    lr, v = share * stability_limit(H), np.random.default_rng(seed).standard_normal((5, 1))
    beta = np.linalg.eigvalsh(H)[-1]
    path = descend(lambda v: H @ v, v, lr, 5)
    for here, there in itertools.pairwise(path):
        before, after = (float((p.T @ H @ p).item()) / 2 for p in (here, there))
        bound = before - lr * (1 - lr * beta / 2) * float(np.sum((H @ here) ** 2))
        assert after <= bound + 1e-9 * before


@given(seed=st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_no_direction_is_steeper_than_the_gradient(seed):
    rng = np.random.default_rng(seed)
    gradient = rng.standard_normal((7, 1))
    directions = rng.standard_normal((7, 500))
    directions /= np.linalg.norm(directions, axis=0)
    assert np.all(gradient.T @ directions <= np.linalg.norm(gradient) + 1e-12)
    assert gradient.T @ gradient / np.linalg.norm(gradient) == pytest.approx(np.linalg.norm(gradient))


def test_a_loss_of_two_layers_is_not_convex_and_descent_can_end_on_the_saddle():
    def slope(v):
        return 2 * (v[0] * v[1] - 1) * v[::-1]

    saddle = descend(slope, np.array([1.0, -1.0]), 0.05, 400)[-1]
    assert np.linalg.norm(saddle) < 1e-12
    np.testing.assert_array_equal(slope(np.zeros(2)), 0)
    for start, sign in [([2.0, 0.1], 1), ([-0.3, -1.5], -1)]:
        end = descend(slope, np.array(start), 0.05, 400)[-1]
        assert end[0] * end[1] == pytest.approx(1) and np.sign(end[0]) == sign


def test_a_constant_slope_hops_for_ever_and_a_shrinking_step_settles():
    fixed = np.abs(descend(np.sign, 1.0, 0.3, 400))[-50:]
    np.testing.assert_allclose(np.sort(fixed)[[0, -1]], [0.1, 0.2], atol=1e-9)
    x = 1.0
    for t in range(2000):
        x -= 0.3 / np.sqrt(t + 1) * np.sign(x)
    assert abs(x) < 0.01


def test_a_rate_below_2_over_K_promises_nothing_without_the_bound_K_or_a_floor():
    assert np.all(np.diff(descend(lambda x: np.ones_like(x), np.array(0.0), 0.5, 50)) == -0.5)  # g(x) = x
    np.testing.assert_allclose(descend(lambda x: 4 * x**3, 3.0, 0.1, 2), [3, -7.8, 182.0208])
    assert abs(descend(lambda x: 4 * x**3, 1.0, 0.1, 2000)[-1]) < 0.05  # the same rate from another start


def test_a_silent_unit_wakes_when_the_layer_below_changes_and_never_in_the_first_layer():
    one, two, quiet = np.ones((1, 1)), np.ones((2, 1)), np.array([[0.0], [-2.0]])
    deep = Parameters({1: one, 2: two, 3: two.T}, {1: 0 * one, 2: quiet, 3: 0 * one})
    flat = Parameters({1: two, 2: two.T}, {1: quiet, 2: 0 * one})
    X, Y = np.array([[1.0, 1.5]]), np.array([[5.0, 7.0]])
    for parameters, l, steps, wakes in ((deep, 2, 1, True), (flat, 1, 50, False)):
        assert (forward(parameters, X).Z[l][1] < 0).all()
        for _ in range(steps):
            parameters = sgd_step(parameters, loss_and_gradients(parameters, X, Y)[1], 0.02)
        assert (forward(parameters, X).Z[l][1] > 0).any() == wakes


@pytest.mark.witness
def test_pytorch_takes_the_same_steps():
    torch = pytest.importorskip("torch")
    H = random_hessian(1)
    start = np.random.default_rng(2).standard_normal((5, 1))
    v = torch.tensor(start, requires_grad=True)
    optimiser = torch.optim.SGD([v], lr=0.03)
    for _ in range(20):
        optimiser.zero_grad()
        (0.5 * v.T @ torch.tensor(H) @ v).sum().backward()
        optimiser.step()
    ours = descend(lambda v: H @ v, start, 0.03, 20)[-1]
    np.testing.assert_allclose(ours, v.detach().numpy(), rtol=1e-12)


def test_a_point_may_have_any_shape():
    for shape in [(), (3,), (3, 1), (3, 5), (2, 3, 5)]:
        end = descend(quadratic_prime, np.full(shape, 5.0), 0.25, 60)[-1]
        assert np.shape(end) == shape and np.allclose(end, 2)


def test_each_eigenvector_of_a_bowl_has_a_closed_form_of_its_own():
    H, start = random_hessian(4), np.ones((5, 1))
    values, V = np.linalg.eigh(H)
    expected = V @ ((1 - 0.05 * values[:, None]) ** 17 * (V.T @ start))
    end = descend(lambda v: H @ v, start, 0.05, 17)[-1]
    np.testing.assert_allclose(end, expected, rtol=1e-10, atol=1e-14)


def test_the_closed_form_keeps_its_digits_where_the_steps_diverge():
    mpmath.mp.dps = 60
    exact = 2 + (1 - 2 * mpmath.mpf(1.1)) ** 500 * (mpmath.mpf(0.0) - 2)
    assert quadratic_iterate(0.0, 1.1, 500) == pytest.approx(float(exact), rel=1e-12)


def test_the_closed_form_stays_at_the_minimum_when_the_factor_is_beyond_all_floats():
    assert quadratic_iterate(2.0, 1.1, 10_000) == quadratic_iterate(np.float32(2), 1.1, 1000) == 2
    ends = quadratic_iterate(np.array([2.0, 2.1, 1.9]), 1.1, 10_000)
    np.testing.assert_array_equal(ends, [2, np.inf, -np.inf])


def test_a_rate_of_few_digits_is_worked_with_in_all_digits():
    lr = np.float16(1.1)
    walked = descend(quadratic_prime, 0.0, lr, 100)[-1]
    assert quadratic_iterate(0.0, lr, 100) == pytest.approx(walked, rel=1e-12)


# --- what comes in and goes out ------------------------------------------------------


def test_the_path_has_the_start_and_each_step_and_the_start_is_untouched():
    start = np.ones((3, 2))
    path = descend(lambda v: v, start, 0.5, 4)
    assert len(path) == 5 and path[0] is start
    np.testing.assert_array_equal(start, 1)
    assert len(descend(quadratic_prime, 1.0, 0.1, 0)) == 1


def test_a_gradient_that_writes_to_its_point_changes_neither_path_nor_start():
    def doubled(v):
        v *= 2
        return v

    start = np.array([1.0, -3.0])
    path = descend(doubled, start, 0.1, 3)
    np.testing.assert_array_equal(start, [1, -3])
    np.testing.assert_allclose(path, [0.8**t * start for t in range(4)])


def test_a_strided_start_gives_the_same_path_and_a_complex_step_its_slope():
    start = np.arange(12.0).reshape(3, 4).T[::-1]
    again = descend(quadratic_prime, np.ascontiguousarray(start), 0.3, 3)[-1]
    np.testing.assert_array_equal(descend(quadratic_prime, start, 0.3, 3)[-1], again)
    slope = descend(quadratic_prime, 5.0 + 1e-30j, 0.3, 4)[-1].imag / 1e-30
    assert slope == pytest.approx(0.4**4, rel=1e-12)


def test_float32_stays_float32_even_with_a_float64_rate():
    start = np.ones((3, 1), np.float32)
    assert quadratic(start).dtype == quadratic_prime(start).dtype == np.float32
    assert descend(quadratic_prime, start, np.float64(0.1), 3)[-1].dtype == np.float32
    assert quadratic_iterate(start, np.float64(0.1), 3).dtype == np.float32


def test_divergence_ends_in_infinity_and_not_in_an_error():
    with np.errstate(over="ignore", invalid="ignore"):
        end = descend(quadratic_prime, np.array([0.0]), 10.0, 1000)[-1]
        far = quadratic_iterate(0.0, 10.0, 1001)
    assert not np.isfinite(end).any() and far == np.inf


@pytest.mark.parametrize("f", [quadratic, quadratic_prime])
@pytest.mark.parametrize("bad", [[1.0, 2.0], 3, "2", None, np.array([1, 2])])
def test_the_parabola_refuses_what_is_not_a_floating_point_number(f, bad):
    with pytest.raises(ValueError, match="x must"):
        f(bad)


@pytest.mark.parametrize("lr", [0, 0.0, -0.1, np.nan, np.inf, "0.1", None, True])
def test_a_learning_rate_that_is_not_positive_is_refused(lr):
    for call in (descend, lambda g, *rest: quadratic_iterate(*rest)):
        with pytest.raises(ValueError, match="lr must be a number greater than 0"):
            call(quadratic_prime, 0.0, lr, 3)


@pytest.mark.parametrize("count", [-1, 2.0, "3", None, True])
def test_a_count_of_steps_that_is_not_a_whole_number_is_refused(count):
    with pytest.raises(ValueError, match="steps must be a whole number from 0 on"):
        descend(quadratic_prime, 0.0, 0.1, count)
    with pytest.raises(ValueError, match="t must be a whole number from 0 on"):
        quadratic_iterate(0.0, 0.1, count)


@pytest.mark.parametrize("start", [0, [0.0], None, np.array([1, 2])])
def test_a_start_that_is_not_floating_point_is_refused(start):
    with pytest.raises(ValueError, match="x_0 must"):
        descend(quadratic_prime, start, 0.1, 3)
    with pytest.raises(ValueError, match="x_0 must"):
        quadratic_iterate(start, 0.1, 3)


def test_a_gradient_of_another_shape_never_broadcasts():
    with pytest.raises(ValueError, match=r"gradient\(x\) has shape \(2, 1\), x has shape \(1, 2\)"):
        descend(lambda v: np.ones((2, 1)), np.ones((1, 2)), 0.1, 3)


@pytest.mark.parametrize(
    ("slope", "message"),
    [
        ([1.0], r"gradient\(x\) must be a NumPy array, got list"),
        (np.array([1]), r"gradient\(x\) must hold float32 or float64, got int64"),
        (None, r"gradient\(x\) must be a NumPy array, got NoneType"),
        (np.ones(1), r"x is float32, gradient\(x\) is float64; write gradient\(x\).astype\(x.dtype\)"),
    ],
)
def test_a_gradient_that_is_no_array_of_the_dtype_of_the_point_is_refused(slope, message):
    with pytest.raises(ValueError, match=message):
        descend(lambda v: slope, np.ones(1, np.float32), 0.1, 1)


def test_a_flat_direction_is_no_negative_curvature_whatever_the_rounding():
    for seed in range(20):
        A = np.random.default_rng(seed).standard_normal((2, 7))
        H = 1e-9 * A.T @ A  # five eigenvalues are zero but for rounding
        assert stability_limit(H) == pytest.approx(2 / np.linalg.norm(H, 2), rel=1e-9)
        assert stability_limit(H.astype(np.float32)) == pytest.approx(stability_limit(H), rel=1e-4)


@pytest.mark.parametrize(
    ("H", "message"),
    [
        (np.array([[1.0, 2.0], [0.0, 1.0]]), "H must be real and symmetric"),
        (np.eye(2, dtype=complex), "H must be real and symmetric"),
        (np.ones((2, 3)), r"H must have shape"),
        (np.ones(3), "H must be 2-D"),
        ([[1.0]], "H must be a NumPy array"),
        (np.array([[1]]), "float32 or float64, got int"),
        (np.zeros((0, 0)), "must not be empty"),
        (np.array([[np.nan]]), "H must be finite"),
        (np.zeros((2, 2)), "largest eigenvalue of H must be a number greater than 0"),
        (-np.eye(2), "largest eigenvalue of H must be"),
        (0.0, "H must be a number greater than 0"),
        (-1.0, "H must be a number greater than 0"),
        (np.array(-1.0), "H must be a number greater than 0, got -1.0"),
        (np.diag([1.0, -1.0]), "H must have no negative eigenvalue, got -1: in that direction"),
        (np.diag([1.0, -1e-9]), "H must have no negative eigenvalue, got -1e-09"),
        (1e-9 * np.array([[1.0, 8.0], [0.0, 1.0]]), "H must be real and symmetric"),
    ],
)
def test_what_is_no_hessian_of_a_bowl_is_refused(H, message):
    with pytest.raises(ValueError, match=message):
        stability_limit(H)
