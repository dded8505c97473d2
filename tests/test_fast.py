"""Promises of chapter docs/fast.md: the same numbers as the readable path, without its arrays."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfp import fast
from nnfp.backpropagation import backward
from nnfp.calculus import flatten, unflatten
from nnfp.classification import cross_entropy, cross_entropy_gradient
from nnfp.fast import SMALL, FastTraining, fast_fit
from nnfp.forward_pass import Parameters, forward, layer_sizes, random_parameters
from nnfp.losses import mse, mse_gradient
from nnfp.optimisers import optimiser
from nnfp.training import batches, fit

SIZES, B = [3, 7, 5, 2], 11
LOSSES = {"mse": (mse, mse_gradient), "cross_entropy": (cross_entropy, cross_entropy_gradient)}
RULES = ["sgd", "momentum", "adam"]


def problem(sizes=SIZES, batch=B, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    W, b = random_parameters(sizes, rng, 0.5)
    b = {l: rng.standard_normal(b[l].shape) for l in b}
    parameters = Parameters(*({l: a.astype(dtype) for l, a in d.items()} for d in (W, b)))
    X = rng.standard_normal((sizes[0], batch)).astype(dtype)
    Y = np.eye(sizes[-1])[:, rng.integers(0, sizes[-1], batch)].astype(dtype)
    return parameters, X, Y


def readable_step(parameters, X, Y, state, loss="mse", rule="sgd", lr=0.1):
    f, gradient = LOSSES[loss]
    trace = forward(parameters, X)
    gradients = backward(parameters, trace, gradient(trace.Y_hat, Y))
    g = flatten(Parameters(gradients.dW, gradients.db))
    theta, state = optimiser(rule)(flatten(parameters), g, state, lr=lr)
    return f(trace.Y_hat, Y), unflatten(theta, layer_sizes(parameters)), state


def distance(p, q):
    """The largest difference, in units of rounding of the largest parameter."""
    p, q = flatten(p), flatten(q)
    return np.abs(p - q).max() / (np.finfo(p.dtype).eps * np.abs(p).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ones_row", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rule", RULES)
def test_a_step_equals_the_readable_one_to_a_few_roundings(rule, loss, ones_row, dtype):
    parameters, X, Y = problem(dtype=dtype)
    training = FastTraining(parameters, 0.1, loss, rule, ones_row)
    value, expected, _ = readable_step(parameters, X, Y, None, loss, rule)
    assert training.step(X, Y) == pytest.approx(float(value), rel=8 * float(np.finfo(dtype).eps))
    assert distance(training.parameters, expected) < 6


@pytest.mark.parametrize("ones_row", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rule", RULES)
def test_fifty_steps_stay_together_through_changing_batches(rule, loss, ones_row):
    parameters, X, Y = problem(batch=29)
    training, state = FastTraining(parameters, 0.02, loss, rule, ones_row), None
    order = np.random.default_rng(1)
    for step in range(50):
        chosen = order.permutation(29)[: (11, 11, 7)[step % 3]]
        x, y = X[:, chosen], Y[:, chosen]
        value, parameters, state = readable_step(parameters, x, y, state, loss, rule, 0.02)
        assert training.step(x, y) == pytest.approx(value, rel=1e-12)
    assert distance(training.parameters, parameters) < 500


@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    batch=st.integers(1, 7),
    seed=st.integers(0, 99),
    ones_row=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_any_depth_width_and_batch(sizes, batch, seed, ones_row):
    parameters, X, Y = problem(sizes, batch, seed=seed)
    training = FastTraining(parameters, 0.1, ones_row=ones_row)
    value, expected, _ = readable_step(parameters, X, Y, None)
    assert training.step(X, Y) == pytest.approx(value, rel=1e-13, abs=1e-300)
    assert distance(training.parameters, expected) < 8


def test_the_sums_of_the_joined_layout_follow_their_equations():
    """eq-fast-joined, eq-fast-joined-gradient, eq-fast-rate: one step of one layer, written out."""
    parameters, X, Y = problem([3, 2])
    W, b, ones = parameters.W[1], parameters.b[1], np.ones((1, B))
    joined = np.hstack([W, b])
    delta = 2 / Y.size * (joined @ np.vstack([X, ones]) - Y)
    expected = joined - 0.1 * delta @ np.vstack([X, ones]).T
    for ones_row in (False, True):
        training = FastTraining(parameters, 0.1, ones_row=ones_row)
        training.step(X, Y)
        after = np.hstack([training.parameters.W[1], training.parameters.b[1]])
        np.testing.assert_allclose(after, expected, rtol=1e-13)


def test_adam_follows_its_equation_from_the_sums_of_all_gradients():
    """eq-fast-adam: the sums are written out, no running state."""
    parameters, X, Y = problem([3, 2])
    training, history = FastTraining(parameters, 0.1, optimiser="adam"), []
    for t in range(1, 6):
        theta = flatten(parameters)
        trace = forward(parameters, X)
        gradients = backward(parameters, trace, mse_gradient(trace.Y_hat, Y))
        history.append(flatten(Parameters(gradients.dW, gradients.db)))
        M = sum(0.9 ** (t - s) * g for s, g in enumerate(history, 1))
        V = sum(0.999 ** (t - s) * g * g for s, g in enumerate(history, 1))
        r = np.sqrt((1 - 0.999**t) / (1 - 0.999))
        a = 0.1 * r * (1 - 0.9) / (1 - 0.9**t)
        parameters = unflatten(theta - a * M / (np.sqrt(V) + 1e-8 * r), [3, 2])
        training.step(X, Y)
        np.testing.assert_allclose(flatten(training.parameters), flatten(parameters), rtol=1e-11)


@pytest.mark.parametrize("ones_row", [False, True])
def test_a_neuron_at_exactly_zero_is_off(ones_row):
    parameters = Parameters(
        {1: np.array([[1.0], [-1.0]]), 2: np.ones((1, 2))}, {1: np.zeros((2, 1)), 2: np.ones((1, 1))}
    )
    X, Y = np.zeros((1, 3)), np.zeros((1, 3))
    training = FastTraining(parameters, 0.1, ones_row=ones_row)
    training.step(X, Y)
    np.testing.assert_array_equal(training.parameters.b[1], np.zeros((2, 1)))
    np.testing.assert_allclose(training.parameters.b[2], [[0.8]], rtol=1e-15)


@pytest.mark.parametrize("ones_row", [False, True])
@pytest.mark.parametrize("rule", RULES)
def test_a_step_allocates_no_array(rule, ones_row):
    parameters, X, Y = problem([64, 128, 128, 10], 64)
    training = FastTraining(parameters, 1e-4, "cross_entropy", rule, ones_row)
    for _ in range(3):
        training.step(X, Y)
    tracemalloc.start()
    try:
        for _ in range(3):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            training.step(X, Y)
            assert tracemalloc.get_traced_memory()[1] - before < 8192  # bytes, NumPy 2.0 needs 6,024; W[1] has 65,536
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ones_row", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_not_even_a_number_for_each_sample_is_allocated(loss, ones_row):
    parameters, X, Y = problem([2, 3], 4096)
    training = FastTraining(parameters, 1e-4, loss, "sgd", ones_row)
    assert peak_of(lambda: training.step(X, Y)) < 8192 < 4096 * 8


def test_the_batches_of_an_epoch_allocate_little_more_than_their_order():
    parameters, X, Y = problem([256, 2, 256], 128)
    course = FastTraining(parameters, 1e-4).epochs(X, Y, 64, np.random.default_rng(0))
    assert peak_of(lambda: next(course)) < 16384 < 64 * 256 * 8  # bytes; a batch has the last number


def peak_of(call) -> int:
    """The bytes that a call allocates at one time, once everything it keeps is there."""
    for _ in range(2):
        call()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_cross_entropy_is_computed_in_the_precision_of_the_logits(dtype):
    """Bit for bit what the same sums give in plain NumPy, and of that dtype."""
    rng = np.random.default_rng(3)
    Z, Y = rng.standard_normal((7, 31)).astype(dtype), np.eye(7, dtype=dtype)[:, rng.integers(0, 7, 31)]
    D = Z - Z.max(axis=0)
    E = np.exp(D)
    sums = E.sum(axis=0)
    delta = np.empty_like(Z)
    value = fast._cross_entropy(Z, delta, 0.3)(Y)
    assert value == (np.log(sums).sum() - (Y * D).sum()) / 31 and value.dtype == dtype
    np.testing.assert_array_equal(delta, (E / sums - Y) * dtype(0.3 / 31))


@pytest.mark.parametrize("ones_row", [False, True])
def test_the_cross_entropy_takes_logits_of_any_size(ones_row):
    parameters = Parameters({1: np.array([[1000.0], [-1000.0], [999.0]])}, {1: np.zeros((3, 1))})
    X, Y = np.array([[1.0, -1.0]]), np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    training = FastTraining(parameters, 0.1, "cross_entropy", ones_row=ones_row)
    expected = cross_entropy(forward(parameters, X).Y_hat, Y)
    assert training.step(X, Y) == pytest.approx(expected, rel=1e-12)
    _, after, _ = readable_step(parameters, X, Y, None, "cross_entropy")
    assert distance(training.parameters, after) < 8


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("ones_row", [False, True])
def test_inputs_of_any_layout_are_read_and_left_alone(order, ones_row):
    parameters, X, Y = problem()
    X, Y = np.asarray(X, order=order), np.asarray(Y, order=order)
    before = X.copy(), Y.copy(), flatten(parameters)
    training = FastTraining(parameters, 0.1, ones_row=ones_row)
    training.step(X, Y)
    wide = np.repeat(X, 2, axis=1)
    training.step(wide[:, ::2], Y)
    for array, old in zip((X, Y, flatten(parameters)), before):
        np.testing.assert_array_equal(array, old)
    _, expected, _ = readable_step(parameters, X, Y, None)
    _, expected, _ = readable_step(expected, X, Y, None)
    assert distance(training.parameters, expected) < 8


def test_parameters_are_handed_out_as_copies():
    parameters, X, Y = problem()
    training = FastTraining(parameters, 0.1)
    training.step(X, Y)
    first = flatten(training.parameters)
    training.parameters.W[1][...] = 0
    np.testing.assert_array_equal(flatten(training.parameters), first)
    assert layer_sizes(training.parameters) == SIZES


def test_the_default_layout_follows_the_number_of_parameters():
    small, large = [64, 64, 10], [256, 256, 10]
    for sizes, joined in [(small, True), (large, False)]:
        assert (sum(m * (n + 1) for n, m in pairwise(sizes)) <= SMALL) == joined
        training = FastTraining(problem(sizes)[0], 0.1)
        assert training.parameters.W[1].flags["C_CONTIGUOUS"]
        assert (training._at.Wb[1] is not None) == joined
    at_the_limit = problem([127, 256])[0]
    assert flatten(at_the_limit).size == SMALL
    for ones_row, joined in [(None, True), (True, True), (False, False)]:
        training = FastTraining(at_the_limit, 0.1, ones_row=ones_row)
        assert (training._at.Wb[1] is not None) == joined
        assert training.theta.size == training.g.size == SMALL


# --- epochs --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [1, 7, 29, 40])
def test_epochs_take_the_batches_of_the_readable_loop(dtype, batch_size):
    parameters, X, Y = problem(batch=29, dtype=dtype)
    course = FastTraining(parameters, 0.01)
    losses = course.epochs(X, Y, batch_size, np.random.default_rng(5))
    rng = np.random.default_rng(5)
    for _ in range(3):
        total = 0.0
        for x, y in batches(X, Y, batch_size, rng):
            value, parameters, _ = readable_step(parameters, x, y, None, lr=0.01)
            total += float(value) * x.shape[1] / 29
        assert next(losses) == pytest.approx(total, rel=1e3 * float(np.finfo(dtype).eps))
    assert course.parameters.W[1].dtype == dtype
    assert distance(course.parameters, parameters) < 200


def test_epochs_refuse_bad_data_and_settings():
    parameters, X, Y = problem()
    training, rng = FastTraining(parameters, 0.1), np.random.default_rng(0)
    for bad, message in [
        ((X, Y[:, 1:], 4, rng), "X has 11 columns, Y has 10"),
        ((X * np.nan, Y, 4, rng), "X must be finite"),
        ((X, Y, 0, rng), "batch_size must be a whole number of at least 1"),
        ((X, Y, 4, 42), "rng must be a numpy Generator, got int"),
    ]:
        with pytest.raises(ValueError, match=message):
            training.epochs(*bad)  # at once, not at the first epoch
    with pytest.raises(ValueError, match=r"each column of Y must be a distribution, got a sum of 2"):
        FastTraining(parameters, 0.1, "cross_entropy").epochs(X, np.ones_like(Y), 4, rng)


def test_a_loss_that_is_not_finite_names_the_data_or_the_rate_and_counts_no_step():
    parameters, X, Y = problem()
    training = FastTraining(parameters, 0.1)
    training.step(X, Y)
    before = flatten(training.parameters)
    for bad, message in [
        ((np.full_like(X, np.nan), Y), "X must be finite, got nan at row 0, column 0"),
        ((X, np.full_like(Y, np.inf)), "Y must be finite, got inf at row 0, column 0"),
        ((X * 1e200, Y), r"the loss is inf at step 2: training diverged; try lr=0\.01"),
    ]:
        with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
            training.step(*bad)
    assert training.steps == 1
    np.testing.assert_array_equal(flatten(training.parameters), before)


def test_an_infinity_that_a_silent_neuron_hides_shows_a_step_later():
    parameters = Parameters({1: np.array([[-1.0]]), 2: np.array([[1.0]])}, {1: np.zeros((1, 1)), 2: np.zeros((1, 1))})
    X, Y = np.array([[np.inf, -1.0]]), np.array([[1.0, 1.0]])
    training = FastTraining(parameters, 0.1)
    with np.errstate(invalid="ignore"):
        assert np.isfinite(training.step(X, Y))
        with pytest.raises(ValueError, match="X must be finite, got inf at row 0, column 0"):
            training.step(X, Y)


def test_masks_and_complex_numbers_are_refused_also_after_a_first_step():
    parameters, X, Y = problem()
    training = FastTraining(parameters, 0.1)
    training.step(X, Y)
    with pytest.raises(ValueError, match="X must be a NumPy array, got MaskedArray"):
        training.step(np.ma.masked_array(X, X > 0), Y)
    turned = Parameters(*({l: a.astype(complex) for l, a in part.items()} for part in parameters))
    with pytest.raises(ValueError, match="parameters must be float32 or float64, got complex128"):
        FastTraining(turned, 0.1)


def test_the_arrays_of_few_batch_sizes_are_kept():
    parameters, X, Y = problem()
    training = FastTraining(parameters, 1e-3)
    for B in (1, 2, 3, 4, 5, 6, 5, 6):
        training.step(X[:, :B], Y[:, :B])
    assert [shape[1] for shape, _ in training._plans] == [3, 4, 5, 6]


# --- the loop ------------------------------------------------------------------------


def run_both(problem, **settings):
    parameters, X, Y = problem
    held_out = (X[:, :9], Y[:, :9]) if settings.pop("held_out", False) else None
    settings = dict(lr=0.05, batch_size=8, epochs=12, validation=held_out, progress=iter) | settings
    return [f(parameters, X, Y, rng=np.random.default_rng(3), **settings) for f in (fit, fast_fit)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("settings", [{}, {"held_out": True}, {"held_out": True, "patience": 2, "lr": 0.4}])
def test_fast_fit_is_fit_but_for_rounding(settings, dtype):
    """fast_fit takes the batches of fit, keeps its history, stops where it stops."""
    (slow, expected), (fast, got) = run_both(problem(batch=29, dtype=dtype), **settings)
    assert (got.steps, got.best_epoch) == (expected.steps, expected.best_epoch)
    tolerance = 1e3 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(got.train, expected.train, rtol=tolerance)
    np.testing.assert_allclose(got.validation, expected.validation, rtol=tolerance)
    assert distance(fast, slow) < 500


@pytest.mark.parametrize("patience", [None, 1, 3])
@pytest.mark.parametrize("improves", [True, False])
def test_fast_fit_returns_the_parameters_that_fit_returns(improves, patience):
    """Where the held-out targets are what the start predicts, nothing is better than the start."""
    parameters, X, Y = problem(batch=29)
    held_out = (X, Y if improves else forward(parameters, X).Y_hat)
    for epochs in (1, 4):
        settings = dict(lr=0.02, batch_size=29, epochs=epochs, progress=iter, patience=patience)
        (slow, expected), (fast, got) = (
            f(parameters, X, Y, rng=np.random.default_rng(3), validation=held_out, **settings) for f in (fit, fast_fit)
        )
        assert (got.steps, got.best_epoch) == (expected.steps, expected.best_epoch)
        assert got.best_epoch == (epochs if improves else 0)
        assert distance(fast, slow) < 50
        assert (distance(fast, parameters) == 0) == (patience is not None and not improves)


def test_of_equal_held_out_losses_the_first_is_the_best():
    """The bias does not move on these samples, and the held-out input sees nothing else."""
    line = Parameters({1: np.array([[0.0]])}, {1: np.array([[0.0]])})
    X, held_out = np.array([[-1.0, 1.0]]), (np.array([[0.0]]), np.array([[1.0]]))
    settings = dict(lr=0.1, batch_size=2, epochs=9, rng=np.random.default_rng(0), validation=held_out)
    best, history = fast_fit(line, X, 3 * X, patience=2, progress=iter, **settings)
    assert history.validation == [1.0, 1.0, 1.0] and history.best_epoch == 0
    assert best.W[1] == line.W[1] and best.b[1] == line.b[1]


def test_one_epoch_of_one_batch_is_one_step():
    """eq-training-step: all samples in one batch, parameters less lr times the gradient."""
    parameters, X, Y = problem()
    rng = np.random.default_rng(0)
    after, _ = fast_fit(parameters, X, Y, lr=0.1, batch_size=B, epochs=1, rng=rng, progress=iter)
    _, expected, _ = readable_step(parameters, X, Y, None)
    assert distance(after, expected) < 8


def test_fast_fit_is_decided_by_its_generator_and_changes_nothing_it_is_given():
    parameters, X, Y = problem(batch=29)
    before = flatten(parameters), X.copy(), Y.copy()
    settings = dict(lr=0.05, batch_size=8, epochs=3, progress=iter)
    one, two = (fast_fit(parameters, X, Y, rng=np.random.default_rng(7), **settings)[0] for _ in "ab")
    np.testing.assert_array_equal(flatten(one), flatten(two))
    for array, old in zip((flatten(parameters), X, Y), before):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("rule", RULES)
def test_fast_fit_lowers_the_cross_entropy_with_every_optimiser(rule):
    parameters, X, Y = problem(batch=29)
    settings = dict(lr=0.01, batch_size=8, epochs=40, progress=iter, loss="cross_entropy")
    _, history = fast_fit(parameters, X, Y, rng=np.random.default_rng(7), optimiser=rule, **settings)
    assert history.train[-1] < history.train[0] / 1.2 and history.steps == 160


def test_fast_fit_says_where_it_diverged():
    parameters, X, Y = problem(batch=29)
    settings = dict(batch_size=8, epochs=40, rng=np.random.default_rng(0), progress=iter)
    with pytest.raises(ValueError, match=r"at step \d+.*: training diverged; try lr=1e\+03 in place of 1e\+04"):
        fast_fit(parameters, X, Y, lr=1e4, **settings)


def test_a_run_that_cannot_begin_or_ends_beyond_the_range_says_where():
    settings = dict(batch_size=1, rng=np.random.default_rng(0), progress=iter)
    X, zeros = np.array([[1e10]]), {1: np.zeros((2, 1)), 2: np.zeros((1, 1))}
    wild = Parameters({1: np.full((2, 1), 1e300), 2: np.array([[1.0, -1.0]])}, zeros)  # infinity minus infinity
    message = r"^the loss is nan at step 0 \(epoch 0\): training diverged; try lr=0.01 in place of 0.1, and"
    with pytest.raises(ValueError, match=message):
        fast_fit(wild, X, X, lr=0.1, epochs=1, **settings)
    line, X = Parameters({1: np.array([[0.0]])}, {1: np.array([[0.0]])}), np.array([[1.0]])
    message = r"^the loss is inf at step 2 \(epoch 2\): training diverged; try lr=5e\+08 in place of 5e\+09, and"
    with pytest.raises(ValueError, match=message):
        fast_fit(line, X, 1e140 * X, lr=5e9, epochs=2, **settings)
    with pytest.raises(ValueError, match=r"^the loss is inf at step 1: training diverged; try lr=0.01 in place of 0.1,"):
        with np.errstate(over="ignore"):
            FastTraining(line, 0.1).step(X, 1e160 * X)


def test_fast_fit_refuses_bad_patience():
    parameters, X, Y = problem()
    settings = dict(lr=0.1, batch_size=4, epochs=1, rng=np.random.default_rng(0), progress=iter)
    with pytest.raises(ValueError, match="patience must be a whole number of at least 1, got 0"):
        fast_fit(parameters, X, Y, validation=(X, Y), patience=0, **settings)
    with pytest.raises(ValueError, match="patience needs held-out samples"):
        fast_fit(parameters, X, Y, patience=2, **settings)


# --- what is refused -----------------------------------------------------------------


def test_a_loss_that_is_not_finite_stops_before_the_update():
    parameters, X, Y = problem()
    training = FastTraining(parameters, 0.1)
    before = flatten(training.parameters)
    for value in (np.nan, np.inf):
        bad = X.copy()
        bad[1, 2] = value
        with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=f"X must be finite, got {value} at row 1, column 2"):
            training.step(bad, Y)
        np.testing.assert_array_equal(flatten(training.parameters), before)
    with pytest.raises(ValueError, match="training diverged"), np.errstate(all="ignore"):
        wild = FastTraining(parameters, 1e6)
        for _ in range(100):
            wild.step(X, Y)


def test_bad_input_is_refused_with_a_reason():
    parameters, X, Y = problem()
    training = FastTraining(parameters, 0.1)
    for x, y, message in [
        (X[:, 0], Y, r"^X must be 2-D \(features, batch\), got shape \(3,\)"),
        (X.T, Y, r"X must have shape \(3, any\), got \(11, 3\)"),
        (X, Y[:, :4], r"Y must have shape \(2, 11\), got \(2, 4\)"),
        (X[:, :0], Y[:, :0], "X must not be empty"),
        (X.astype(np.float32), Y, "X is float32, Y is float64, the parameters are float64"),
        (X, Y.astype(np.float32), "X is float64, Y is float32, the parameters are float64"),
        (X.astype(int), Y, "X is int64, Y is float64, the parameters are float64"),
        (X.tolist(), Y, "X must be a NumPy array, got list"),
        (X, Y.tolist(), "Y must be a NumPy array, got list"),
    ]:
        with pytest.raises(ValueError, match=message):
            training.step(x, y)
    with pytest.raises(ValueError, match="X must hold float32 or float64, got int64"):
        FastTraining(parameters, 0.1).step(X[:, :4].astype(int), Y[:, :4])


def test_unknown_names_and_bad_rates_are_refused():
    parameters = problem()[0]
    with pytest.raises(ValueError, match="no fast loss 'mae'; choose one of: mse, cross_entropy"):
        FastTraining(parameters, 0.1, loss="mae")
    with pytest.raises(ValueError, match="no fast optimiser 'lion'; choose one of: sgd, momentum"):
        FastTraining(parameters, 0.1, optimiser="lion")
    for lr in (0, -1, np.nan, "fast"):
        with pytest.raises(ValueError, match="lr must be a number greater than 0"):
            FastTraining(parameters, lr)
    with pytest.raises(ValueError, match="parameters must be Parameters"):
        FastTraining([3, 7, 2], 0.1)


@pytest.mark.witness
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rule", ["sgd", "adam"])
def test_pytorch_agrees_after_twenty_steps(rule, loss):
    torch = pytest.importorskip("torch")
    parameters, X, Y = problem()
    theirs = [torch.tensor(a[l].T.copy(), requires_grad=True) for l in (1, 2, 3) for a in parameters]
    step = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[rule](theirs, lr=0.01)
    criterion = {"mse": torch.nn.functional.mse_loss, "cross_entropy": torch.nn.functional.cross_entropy}
    training = FastTraining(parameters, 0.01, loss, rule)
    x, y = torch.tensor(X.T.copy()), torch.tensor(Y.T.copy())
    for _ in range(20):
        a = x
        for l in range(3):
            a = a @ theirs[2 * l] + theirs[2 * l + 1]
            a = torch.relu(a) if l < 2 else a
        value = criterion[loss](a, y)
        step.zero_grad()
        value.backward()
        step.step()
        assert training.step(X, Y) == pytest.approx(value.item(), rel=1e-12)
    for l in (1, 2, 3):
        ours = training.parameters.W[l].T
        np.testing.assert_allclose(ours, theirs[2 * l - 2].detach().numpy(), rtol=1e-9, atol=1e-12)
