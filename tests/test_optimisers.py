"""Promises of chapter docs/optimisers.md."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nnfp.optimisers import OPTIMISERS, AdamState, adam, momentum, optimiser, sgd

NAMES = list(OPTIMISERS)
P = 7
columns = arrays(np.float64, (P, 1), elements=st.floats(-100, 100, allow_subnormal=False))


def gradients(steps, seed=0, shape=(P, 1)):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for _ in range(steps)]


def run(rule, theta, gs, **options):
    state = None
    for g in gs:
        theta, state = rule(theta, g, state, **options)
    return theta, state


def test_each_rule_is_a_loop_over_single_parameters():
    gs = gradients(5)
    theta = np.linspace(-1, 1, P)[:, None]
    got = {name: run(rule, theta, gs, lr=0.1)[0] for name, rule in OPTIMISERS.items()}
    for i in range(P):
        x = dict.fromkeys(NAMES, theta[i, 0])
        q = m = v = 0.0
        for t, g in enumerate((g[i, 0] for g in gs), start=1):
            q = 0.9 * q + g
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            x["sgd"] -= 0.1 * g
            x["momentum"] -= 0.1 * q
            x["adam"] -= 0.1 * m / (1 - 0.9**t) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)
        for name in NAMES:
            assert got[name][i, 0] == pytest.approx(x[name], rel=1e-12, abs=1e-13)


@given(theta=columns, g=columns)
@settings(max_examples=40, deadline=None)
def test_momentum_without_memory_is_sgd(theta, g):
    got = run(momentum, theta, [g, g], lr=0.1, beta=0)[0]
    np.testing.assert_array_equal(got, run(sgd, theta, [g, g], lr=0.1)[0])


def test_a_velocity_is_the_faded_sum_of_all_gradients():
    gs = gradients(6)
    velocity = run(momentum, np.zeros((P, 1)), gs, beta=0.7)[1]
    summed = sum(0.7 ** (6 - s) * g for s, g in enumerate(gs, start=1))
    np.testing.assert_allclose(velocity, summed, rtol=1e-13)


def test_under_a_constant_gradient_the_velocity_settles_at_ten_times_it():
    g = np.full((P, 1), 3.0)
    velocity = run(momentum, np.zeros((P, 1)), [g] * 400)[1]
    np.testing.assert_allclose(velocity, 10 * g, rtol=1e-14)


@given(g=columns)
@settings(max_examples=40, deadline=None)
def test_the_first_step_of_adam_has_the_size_of_the_rate_whatever_the_gradient(g):
    g = np.where(np.abs(g) < 1e-3, 1.0, g)
    step = adam(np.zeros((P, 1)), g, lr=0.25)[0]
    np.testing.assert_allclose(step, -0.25 * np.sign(g), rtol=1e-4)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_adam_does_not_notice_the_unit_of_the_loss(factor):
    gs = gradients(9)
    theta = np.ones((P, 1))
    plain = run(adam, theta, gs, lr=0.1, epsilon=1e-15)[0]
    scaled = run(adam, theta, [factor * g for g in gs], lr=0.1, epsilon=1e-15)[0]
    np.testing.assert_allclose(scaled, plain, rtol=1e-10)
    assert not np.allclose(run(sgd, theta, [factor * g for g in gs])[0], run(sgd, theta, gs)[0])


def test_the_corrected_means_of_a_constant_gradient_are_the_gradient_at_once():
    g = np.full((P, 1), -2.0)
    for steps in (1, 2, 50):
        m, v, t = run(adam, np.zeros((P, 1)), [g] * steps)[1]
        assert t == steps
        np.testing.assert_allclose(m / (1 - 0.9**t), g, rtol=1e-13)
        np.testing.assert_allclose(v / (1 - 0.999**t), g * g, rtol=1e-12)


@pytest.mark.witness
@pytest.mark.parametrize("name", NAMES)
def test_pytorch_agrees_after_fifty_steps(name):
    torch = pytest.importorskip("torch")
    gs, theta = gradients(50), np.linspace(-1, 1, P)[:, None]
    weight = torch.nn.Parameter(torch.tensor(theta))
    optimisers = {
        "sgd": lambda: torch.optim.SGD([weight], lr=0.01),
        "momentum": lambda: torch.optim.SGD([weight], lr=0.01, momentum=0.9),
        "adam": lambda: torch.optim.Adam([weight], lr=0.01),
    }
    theirs = optimisers[name]()
    for g in gs:
        weight.grad = torch.tensor(g)
        theirs.step()
    ours = run(optimiser(name), theta, gs, lr=0.01)[0]
    np.testing.assert_allclose(ours, weight.detach().numpy(), rtol=1e-12, atol=1e-15)


def test_the_default_rates_are_those_of_the_chapter():
    gs, theta = gradients(3), np.linspace(-1, 1, P)[:, None]
    for name, lr in (("sgd", 0.01), ("momentum", 0.01), ("adam", 0.001)):
        np.testing.assert_array_equal(run(optimiser(name), theta, gs)[0], run(optimiser(name), theta, gs, lr=lr)[0])


# --- what comes in and goes out ------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (3,), (5, 1), (2, 3)])
def test_float32_stays_float32_in_any_shape_and_inputs_are_untouched(name, shape):
    theta = np.ones(shape, np.float32)
    gs = [np.float32(g) if shape == () else g.astype(np.float32) for g in gradients(3, 0, shape)]
    state = None
    for g in gs:
        kept = [] if state is None else [state] if name == "momentum" else list(state)
        before = np.copy(theta), np.copy(g), [np.copy(part) for part in kept]
        new, after = optimiser(name)(theta, g, state, lr=np.float64(0.1))
        assert new.dtype == np.float32 and new.shape == shape
        np.testing.assert_array_equal(theta, before[0])
        np.testing.assert_array_equal(g, before[1])
        for part, old in zip(kept, before[2]):
            np.testing.assert_array_equal(part, old)
        theta, state = new, after
    if name == "adam":
        assert state.m.dtype == state.v.dtype == np.float32
        assert isinstance(state, AdamState) and state.t == 3


@pytest.mark.parametrize("name", NAMES)
def test_bad_input_is_refused_with_a_reason(name):
    rule, theta = optimiser(name), np.ones((P, 1))
    with pytest.raises(ValueError, match=r"theta has shape \(7, 1\), g has shape \(1, 7\)"):
        rule(theta, theta.T)
    with pytest.raises(ValueError, match="theta is float64, g is float32"):
        rule(theta, theta.astype(np.float32))
    with pytest.raises(ValueError, match="g must be a NumPy array, got list"):
        rule(theta, [1.0] * P)
    with pytest.raises(ValueError, match="theta must hold float32 or float64, got int64"):
        rule(np.ones((P, 1), np.int64), theta)
    for lr in (0, -1.0, np.nan, np.inf, "fast", True):
        with pytest.raises(ValueError, match="lr must be a number greater than 0"):
            rule(theta, theta, lr=lr)


@pytest.mark.parametrize("beta", [-0.1, 1, 1.0, np.nan, "0.9", True])
def test_a_beta_outside_zero_to_one_is_refused(beta):
    theta, message = np.ones((P, 1)), "must be a number of at least 0 and below 1"
    for rule, name in [(momentum, "beta"), (adam, "beta_1"), (adam, "beta_2")]:
        with pytest.raises(ValueError, match=f"{name} {message}"):
            rule(theta, theta, **{name: beta})
    with pytest.raises(ValueError, match="epsilon must be a number greater than 0"):
        adam(theta, theta, epsilon=0)


def test_the_memory_of_another_network_is_refused():
    theta, other = np.ones((P, 1)), np.ones((P + 1, 1))
    for rule, name in ((momentum, "state"), (adam, r"state\.m")):
        message = rf"^g has shape \(7, 1\), {name} has shape \(8, 1\); they must be equal$"
        with pytest.raises(ValueError, match=message):
            rule(theta, theta, rule(other, other)[1])


def test_a_memory_of_another_shape_or_dtype_or_rule_is_refused():
    theta, single = np.ones((2, 1)), np.ones((2, 1), np.float32)
    velocity, memory = (rule(theta, theta)[1] for rule in (momentum, adam))
    kind = "must be what the step before returned, or None, got"
    for call, text in [
        (lambda: adam(theta, theta, memory._replace(v=memory.v.T)),
         "g has shape (2, 1), state.v has shape (1, 2); they must be equal: did you mean state.v.T?"),
        (lambda: adam(single, single, memory), "g is float32, state.m is float64; write state.m.astype(g.dtype)"),
        (lambda: adam(single, single, memory._replace(m=single)),
         "g is float32, state.v is float64; write state.v.astype(g.dtype)"),
        (lambda: momentum(single, single, velocity), "g is float32, state is float64; write state.astype(g.dtype)"),
        (lambda: momentum(theta, theta, memory), f"state {kind} AdamState"),
        (lambda: momentum(theta, theta, velocity.astype(int)), "state must hold float32 or float64, got int64; write state.astype(float)"),
        (lambda: adam(theta, theta, velocity), f"state {kind} ndarray"),
        (lambda: adam(theta, theta, memory._replace(v=[1, 2])), f"state.v {kind} list"),
    ]:  # fmt: skip
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == text


@pytest.mark.parametrize("name", NAMES)
def test_plain_numbers_are_a_column_of_one(name):
    rule = optimiser(name)
    number, column = (1.0, None), (np.ones((1, 1)), None)
    for _ in range(3):
        number, column = rule(number[0], 0.5, number[1]), rule(column[0], np.array([[0.5]]), column[1])
    assert np.ndim(number[0]) == 0 and number[0] == column[0].item()


def test_the_memory_of_plain_numbers_may_be_plain():
    assert momentum(1.0, 0.5, 2.0, lr=0.1, beta=0.5) == (0.85, 1.5)
    theta, state = adam(1.0, 0.5, AdamState(0.5, 0.25, 10**6), lr=0.1)
    assert theta == pytest.approx(0.9) and state == (0.5, 0.25, 10**6 + 1)


def test_a_square_that_overflows_says_so():
    with pytest.warns(RuntimeWarning, match="overflow"):
        theta, state = adam(np.zeros((1, 1)), np.full((1, 1), 1e200))
    assert state.v[0, 0] == np.inf and theta[0, 0] == 0


def test_an_unknown_name_lists_those_that_exist():
    with pytest.raises(ValueError, match="no optimiser 'rmsprop'; choose one of: sgd, momentum, adam"):
        optimiser("rmsprop")
    assert [optimiser(name) for name in NAMES] == [sgd, momentum, adam]
