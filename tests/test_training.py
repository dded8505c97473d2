"""Promises of chapter docs/training.md."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfp.backpropagation import Gradients, loss_and_gradients
from nnfp.data import load_cars, measure_scale, split, standardise
from nnfp.forward_pass import Parameters, forward, random_parameters
from nnfp.losses import mse
from nnfp.training import (
    History,
    batch_gradients,
    batches,
    fit,
    least_squares,
    progress_bar,
    sgd_step,
)

SIZES = [3, 7, 5, 2]
RUN = {"loss": "mse", "hidden": "tanh", "output": "identity"}


def rng(seed=0):
    return np.random.default_rng(seed)


def problem(N=23, seed=0, sizes=SIZES):
    g = rng(seed)
    parameters = random_parameters(sizes, g, 0.5)
    b = {l: g.standard_normal(b.shape) for l, b in parameters.b.items()}
    X = g.standard_normal((sizes[0], N))
    return Parameters(parameters.W, b), X, g.standard_normal((sizes[-1], N))


def gradients_as_parameters(gradients):
    return Parameters(gradients.dW, gradients.db)


def same(p, q):
    return all((p.W[l] == q.W[l]).all() and (p.b[l] == q.b[l]).all() for l in p.W)


# ---- one step


def test_a_step_subtracts_the_scaled_gradient_and_touches_nothing_else():
    parameters, X, Y = problem()
    _, gradients = batch_gradients(parameters, X, Y, **RUN)
    before = {l: parameters.W[l].copy() for l in parameters.W}
    new = sgd_step(parameters, gradients, 0.25)
    for l in parameters.W:
        np.testing.assert_array_equal(new.W[l], before[l] - 0.25 * gradients.dW[l])
        np.testing.assert_array_equal(new.b[l], parameters.b[l] - 0.25 * gradients.db[l])
        np.testing.assert_array_equal(parameters.W[l], before[l])


def test_a_small_step_lowers_the_loss_by_the_rate_times_the_squared_gradient():
    parameters, X, Y = problem()
    value, gradients = batch_gradients(parameters, X, Y, **RUN)
    square = sum((g**2).sum() for d in (gradients.dW, gradients.db) for g in d.values())
    lr = 1e-6
    after, _ = batch_gradients(sgd_step(parameters, gradients, lr), X, Y, **RUN)
    np.testing.assert_allclose((value - after) / lr, square, rtol=1e-4)


@pytest.mark.parametrize("lr", [0, -1, float("nan"), float("inf"), "fast", True, None])
def test_a_rate_that_is_not_positive_is_refused(lr):
    parameters, X, Y = problem()
    _, gradients = batch_gradients(parameters, X, Y, **RUN)
    with pytest.raises(ValueError, match="lr must be a number greater than 0"):
        sgd_step(parameters, gradients, lr)
    with pytest.raises(ValueError, match="lr must be a number greater than 0"):
        fit(parameters, X, Y, lr=lr, batch_size=5, epochs=1, rng=rng())


def test_gradients_of_another_network_are_refused():
    parameters = problem()[0]
    other, X_other, Y_other = problem(sizes=[3, 4, 2])
    _, gradients = batch_gradients(other, X_other, Y_other, **RUN)
    with pytest.raises(ValueError, match="belong to another network"):
        sgd_step(parameters, gradients, 0.1)
    with pytest.raises(ValueError, match="belong to another network"):
        sgd_step(parameters, Gradients({}, {}, {}, None), 0.1)


# ---- batches


@given(N=st.integers(1, 30), B=st.integers(1, 35), seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_an_epoch_hands_out_every_sample_once_with_its_target(N, B, seed):
    X = np.vstack([np.arange(N), -np.arange(N)]).astype(float)
    parts = list(batches(X, 2 * X[:1], B, rng(seed)))
    assert len(parts) == -(-N // B)
    assert [x.shape[1] for x, _ in parts[:-1]] == [B] * (len(parts) - 1)
    assert sorted(np.concatenate([x[0] for x, _ in parts])) == list(range(N))
    for x, y in parts:
        np.testing.assert_array_equal(y, 2 * x[:1])


def test_every_epoch_has_its_own_order():
    X = np.arange(50.0).reshape(1, 50)
    g = rng()
    orders = [next(batches(X, X, 50, g))[0][0].tolist() for _ in range(3)]
    assert orders[0] != orders[1] != orders[2] != list(range(50))


def test_batches_refuses_bad_settings_at_once_not_at_the_first_batch():
    X = np.ones((2, 5))
    with pytest.raises(ValueError, match="X has 5 columns, Y has 4"):
        batches(X, np.ones((1, 4)), 2, rng())
    with pytest.raises(ValueError, match="rng must be a numpy Generator, got int"):
        batches(X, np.ones((1, 5)), 2, 0)
    for bad in (0, -3, 2.0, True, "2"):
        with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1"):
            batches(X, np.ones((1, 5)), bad, rng())


@pytest.mark.parametrize("B", [1, 3, 6])
def test_the_mean_over_equal_batches_is_the_full_gradient(B):
    parameters, X, Y = problem(N=18)
    value, full = batch_gradients(parameters, X, Y, **RUN)
    parts = [batch_gradients(parameters, x, y, **RUN) for x, y in batches(X, Y, B, rng(1))]
    np.testing.assert_allclose(np.mean([v for v, _ in parts]), value, rtol=1e-13)
    for l in parameters.W:
        mean = np.mean([g.dW[l] for _, g in parts], axis=0)
        np.testing.assert_allclose(mean, full.dW[l], rtol=1e-11, atol=1e-14)
        mean = np.mean([g.db[l] for _, g in parts], axis=0)
        np.testing.assert_allclose(mean, full.db[l], rtol=1e-11, atol=1e-14)


def test_with_a_short_last_batch_the_mean_must_be_weighted():
    parameters, X, Y = problem(N=10)
    _, full = batch_gradients(parameters, X, Y, **RUN)
    parts = [(x.shape[1], batch_gradients(parameters, x, y, **RUN)[1].dW[1])
             for x, y in batches(X, Y, 4, rng(1))]  # fmt: skip
    weighted = sum(B * dW for B, dW in parts) / 10
    plain = sum(dW for _, dW in parts) / 3
    np.testing.assert_allclose(weighted, full.dW[1], rtol=1e-12)
    assert np.abs(plain - full.dW[1]).max() > 1e-3


def test_the_variance_of_a_batch_gradient_falls_as_one_over_the_batch_size():
    parameters, X, Y = problem(N=400)
    one_by_one = np.array([
        batch_gradients(parameters, X[:, [k]], Y[:, [k]], **RUN)[1].dW[1] for k in range(400)
    ])  # fmt: skip
    variance = one_by_one.var(axis=0).sum()
    g = rng(5)
    for B in (4, 25):
        draws = one_by_one[g.integers(0, 400, size=(4000, B))].mean(axis=1)
        np.testing.assert_allclose(draws.var(axis=0).sum(), variance / B, rtol=0.1)


# ---- fit


def test_fit_with_one_full_batch_is_plain_gradient_descent():
    parameters, X, Y = problem()
    trained, history = fit(parameters, X, Y, lr=0.1, batch_size=23, epochs=5, rng=rng(), hidden="tanh")
    by_hand = parameters
    for _ in range(5):
        by_hand = sgd_step(by_hand, batch_gradients(by_hand, X, Y, **RUN)[1], 0.1)
    for l in parameters.W:
        np.testing.assert_allclose(trained.W[l], by_hand.W[l], rtol=1e-12)
        np.testing.assert_allclose(trained.b[l], by_hand.b[l], rtol=1e-12)
    assert history.steps == 5


def test_the_history_begins_before_training_and_has_one_entry_an_epoch():
    """eq-training-batch-loss is what the history keeps."""
    parameters, X, Y = problem()
    held_out = problem(N=9, seed=1)[1:]
    trained, history = fit(
        parameters, X, Y, lr=0.1, batch_size=5, epochs=4, rng=rng(), validation=held_out
    )
    assert isinstance(history, History)
    assert len(history.train) == len(history.validation) == 5 and history.steps == 4 * 5
    assert history.train[0] == mse(forward(parameters, X).Y_hat, Y)
    assert history.train[-1] == mse(forward(trained, X).Y_hat, Y)
    assert history.validation[-1] == mse(forward(trained, held_out[0]).Y_hat, held_out[1])
    assert history.best_epoch == int(np.argmin(history.validation))


def test_the_same_generator_state_gives_the_same_bits_and_another_gives_others():
    parameters, X, Y = problem()
    runs = [fit(parameters, X, Y, lr=0.1, batch_size=4, epochs=3, rng=rng(s))[0] for s in (1, 1, 2)]
    assert same(runs[0], runs[1]) and not same(runs[0], runs[2])


def test_fit_changes_none_of_its_inputs():
    parameters, X, Y = problem()
    kept = [a.copy() for a in (X, Y, *parameters.W.values(), *parameters.b.values())]
    fit(parameters, X, Y, lr=0.1, batch_size=4, epochs=2, rng=rng())
    now = [X, Y, *parameters.W.values(), *parameters.b.values()]
    assert all((a == b).all() for a, b in zip(kept, now))


def test_float32_stays_float32():
    parameters, X, Y = problem()
    p32 = Parameters(*({l: a.astype(np.float32) for l, a in d.items()} for d in parameters))
    trained, _ = fit(p32, X.astype(np.float32), Y.astype(np.float32), lr=np.float64(0.1),
                     batch_size=4, epochs=2, rng=rng())  # fmt: skip
    assert {a.dtype for d in trained for a in d.values()} == {np.dtype(np.float32)}


def noisy(N, seed):
    g = rng(seed)
    X = g.uniform(-2, 2, (1, N))
    return X, np.sin(2 * X) + 0.4 * g.standard_normal((1, N))


def test_patience_returns_the_parameters_of_the_best_epoch_and_stops_after_it():
    X, Y = noisy(12, 0)
    held_out = noisy(50, 1)
    parameters = random_parameters([1, 20, 1], rng(2), 1.0)
    settings = dict(lr=0.1, batch_size=4, hidden="tanh", validation=held_out)
    stopped, history = fit(parameters, X, Y, epochs=3000, patience=25, rng=rng(3), **settings)
    epochs = len(history.train) - 1
    assert epochs == history.best_epoch + 25 < 3000
    assert history.validation[history.best_epoch] == min(history.validation)
    value = mse(forward(stopped, held_out[0], hidden="tanh").Y_hat, held_out[1])
    assert value == min(history.validation)
    replayed, _ = fit(parameters, X, Y, epochs=history.best_epoch, rng=rng(3), **settings)
    assert same(stopped, replayed)


def test_patience_counts_from_the_start_if_no_epoch_is_better():
    X, Y = noisy(12, 0)
    best = random_parameters([1, 5, 1], rng(2), 1.0)
    exact = (X, forward(best, X, "tanh").Y_hat)  # the start is already perfect here
    stopped, history = fit(best, X, Y, lr=0.1, batch_size=4, epochs=99, patience=3, rng=rng(),
                           hidden="tanh", validation=exact)  # fmt: skip
    assert same(stopped, best) and history.best_epoch == 0 and len(history.train) == 4


def test_without_patience_the_last_parameters_come_back():
    X, Y = noisy(12, 0)
    parameters = random_parameters([1, 20, 1], rng(2), 1.0)
    trained, history = fit(parameters, X, Y, lr=0.1, batch_size=4, epochs=400, rng=rng(3),
                           hidden="tanh", validation=noisy(50, 1))  # fmt: skip
    assert mse(forward(trained, X, hidden="tanh").Y_hat, Y) == history.train[-1]
    assert history.best_epoch < 400


def test_a_diverging_run_stops_and_says_where_and_what_to_try():
    cars = load_cars()
    parameters = random_parameters([6, 1], rng(), 0.1)
    with pytest.raises(ValueError, match=r"loss is (nan|inf) at step \d+ \(epoch \d\).*try lr=0.01"):
        fit(parameters, cars.X, cars.Y, lr=0.1, batch_size=32, epochs=5, rng=rng())


def test_an_overflowing_loss_is_caught_even_in_the_last_step(recwarn):
    X = np.array([[1.0]])
    line = Parameters({1: np.array([[0.0]])}, {1: np.array([[0.0]])})
    with pytest.raises(ValueError, match=r"the loss is (inf|nan) at step 1 \(epoch 1\)"):
        fit(line, X, np.array([[1e150]]), lr=1e10, batch_size=1, epochs=1, rng=rng())
    assert not recwarn.list


def test_a_loss_that_overflows_in_a_later_epoch_is_caught_there():
    """The error grows by 2e10 a step: its square leaves the range after the second."""
    line = Parameters({1: np.array([[0.0]])}, {1: np.array([[0.0]])})
    X, Y = np.array([[1.0]]), np.array([[1e140]])
    with pytest.raises(ValueError, match=r"^the loss is inf at step 2 \(epoch 2\): training diverged; try lr=5e\+08 in"):
        fit(line, X, Y, lr=5e9, batch_size=1, epochs=2, rng=rng())


def test_a_held_out_loss_that_overflows_in_a_later_epoch_is_caught_there():
    """The weight is 0.2 after one epoch and 0.32 after two; the square of 0.32 * 5.5e154 overflows."""
    line, X = Parameters({1: np.array([[0.0]])}, {1: np.array([[0.0]])}), np.array([[1.0]])
    settings = dict(lr=0.1, batch_size=1, rng=rng(), validation=(5.477e154 * X, 0 * X))
    fit(line, X, X, epochs=1, **settings)
    message = r"^the loss is inf at step 2 \(epoch 2\): training diverged; try lr=0.01 in place of 0.1,"
    with pytest.raises(ValueError, match=message):
        fit(line, X, X, epochs=2, **settings)


def test_infinity_minus_infinity_inside_is_an_error_and_no_warning():
    net = Parameters(
        {1: np.full((2, 1), 1e300), 2: np.array([[1.0, -1.0]])}, {1: np.zeros((2, 1)), 2: np.zeros((1, 1))}
    )
    X = np.full((1, 3), 1e10)
    with pytest.raises(ValueError, match=r"^the loss is nan at step 1 \(epoch 1\)"):
        fit(net, X, X, lr=0.1, batch_size=3, epochs=1, rng=rng())


def test_the_recorded_losses_are_those_of_the_chosen_activations():
    parameters, X, Y = problem()
    settings = dict(lr=0.1, batch_size=5, epochs=1, rng=rng(), hidden="sigmoid", output="tanh", loss="mae")
    trained, history = fit(parameters, X, Y, validation=(X[:, :4], Y[:, :4]), **settings)
    value, gradients = batch_gradients(parameters, X, Y, "mae", "sigmoid", "tanh")
    expected_value, expected = loss_and_gradients(parameters, X, Y, "mae", "sigmoid", "tanh")
    assert value == expected_value and same(gradients_as_parameters(gradients), gradients_as_parameters(expected))
    for e, p in enumerate((parameters, trained)):
        R = np.abs(forward(p, X, "sigmoid", "tanh").Y_hat - Y)
        assert history.train[e] == pytest.approx(R.mean(), rel=1e-14)
        assert history.validation[e] == pytest.approx(R[:, :4].mean(), rel=1e-14)


def test_of_equal_held_out_losses_the_first_is_the_best():
    """The bias does not move on these samples, and the held-out input sees nothing else."""
    line = Parameters({1: np.array([[0.0]])}, {1: np.array([[0.0]])})
    X, held_out = np.array([[-1.0, 1.0]]), (np.array([[0.0]]), np.array([[1.0]]))
    settings = dict(lr=0.1, batch_size=2, epochs=9, rng=rng(), validation=held_out)
    best, history = fit(line, X, 3 * X, patience=2, **settings)
    assert history.validation == [1.0, 1.0, 1.0] and history.best_epoch == 0 and same(best, line)


def test_nothing_runs_on_data_that_is_not_finite():
    parameters, X, Y = problem()
    for bad in (np.nan, np.inf):
        spoilt = X.copy()
        spoilt[1, 4] = bad
        with pytest.raises(ValueError, match=r"X must be finite, got (nan|inf) at row 1, column 4"):
            fit(parameters, spoilt, Y, lr=0.1, batch_size=5, epochs=1, rng=rng())
        with pytest.raises(ValueError, match="Y must be finite"):
            fit(parameters, X, spoilt[:2], lr=0.1, batch_size=5, epochs=1, rng=rng())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"epochs": 2.5}, "epochs must be a whole number"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"rng": 42}, "rng must be a numpy Generator, got int"),
        ({"patience": 3}, "patience needs held-out samples"),
        ({"patience": 0}, "patience must be a whole number"),
        ({"validation": np.ones((3, 4))}, r"validation must be a pair \(X, Y\)"),
        ({"validation": (np.ones((3, 4)), np.ones((2, 5)))}, "X has 4 columns, Y has 5"),
        ({"validation": (np.ones((4, 4)), np.ones((2, 4)))}, r"X must have shape \(3, any\)"),
        ({"validation": (np.ones((3, 4), np.float32), np.ones((2, 4), np.float32))},
         r"^X is float64, X_validation is float32; write X_validation\.astype\(X\.dtype\)$"),
        ({"validation": [np.ones((3, 4)), np.ones((2, 4))]}, r"^validation must be a pair \(X, Y\) of held-out samples$"),
        ({"validation": (np.ones((3, 4)), np.ones((2, 4)), None)}, r"^validation must be a pair \(X, Y\) of held-out samples$"),
        ({"patience": 3}, r"^patience needs held-out samples: give validation=\(X, Y\) too$"),
        ({"loss": "mpg"}, "mae"),
        ({"hidden": "sin"}, "relu"),
    ],
)
def test_bad_settings_are_refused_before_the_first_step(change, message):
    parameters, X, Y = problem()
    settings = dict(lr=0.1, batch_size=5, epochs=1, rng=rng()) | change
    with pytest.raises(ValueError, match=message):
        fit(parameters, X, Y, **settings)


def test_targets_of_another_shape_or_dtype_are_refused():
    parameters, X, Y = problem()
    settings = dict(lr=0.1, batch_size=5, epochs=1, rng=rng())
    with pytest.raises(ValueError, match=r"\(2, 23\)"):
        fit(parameters, X, Y[:1], **settings)
    with pytest.raises(ValueError, match=r"Y must be 2-D .* got shape \(23,\)"):
        fit(parameters, X, Y[0], **settings)
    with pytest.raises(ValueError, match="X is float64, Y is float32"):
        fit(parameters, X, Y.astype(np.float32), **settings)
    with pytest.raises(ValueError, match="must hold float32 or float64, got int"):
        fit(parameters, X, Y.astype(int), **settings)


# ---- the linear baseline


def test_least_squares_finds_an_exact_line_and_has_no_gradient_left():
    """eq-training-normal: both gradients vanish."""
    g = rng()
    X, W, b = g.standard_normal((3, 20)), g.standard_normal((2, 3)), g.standard_normal((2, 1))
    line = least_squares(X, W @ X + b)
    np.testing.assert_allclose(line.W[1], W, rtol=1e-10)
    np.testing.assert_allclose(line.b[1], b, rtol=1e-10)
    Y = g.standard_normal((2, 20))
    best = least_squares(X, Y)
    value, gradients = batch_gradients(best, X, Y, **RUN)
    assert np.abs(gradients.dW[1]).max() < 1e-14 and np.abs(gradients.db[1]).max() < 1e-14
    for _ in range(10):
        other = Parameters({1: best.W[1] + 0.1 * g.standard_normal((2, 3))}, best.b)
        assert mse(forward(other, X).Y_hat, Y) > value


def test_least_squares_of_float32_is_float32():
    X = rng().standard_normal((3, 20)).astype(np.float32)
    line = least_squares(X, X[:2])
    assert line.W[1].dtype == line.b[1].dtype == np.float32
    np.testing.assert_allclose(line.W[1], np.eye(2, 3), atol=1e-6)


def test_descent_on_one_layer_arrives_at_least_squares():
    g = rng()
    X, Y = g.standard_normal((3, 20)), g.standard_normal((2, 20))
    start = random_parameters([3, 2], g)
    trained, _ = fit(start, X, Y, lr=0.3, batch_size=20, epochs=400, rng=g)
    np.testing.assert_allclose(trained.W[1], least_squares(X, Y).W[1], rtol=1e-8)


def test_the_network_beats_the_line_on_cars_it_has_not_seen():
    wins = 0
    for seed in range(3):
        g, cars = rng(seed), load_cars()
        train, test = split(cars.X, cars.Y, 0.8, g)
        X, Y = (measure_scale(part) for part in train)
        train, test = (((standardise(x, X), standardise(y, Y))) for x, y in (train, test))
        start = random_parameters([6, 16, 1], g, 0.3)
        net, _ = fit(start, *train, lr=0.1, batch_size=16, epochs=30, rng=g, hidden="tanh")
        line = least_squares(*train)
        net_loss = mse(forward(net, test[0], "tanh").Y_hat, test[1])
        wins += net_loss < mse(forward(line, test[0]).Y_hat, test[1])
    assert wins == 3


# ---- the bar


def test_the_bar_passes_everything_on_and_is_silent_in_short_runs(capsys):
    assert list(progress_bar(range(5))) == [0, 1, 2, 3, 4]
    assert capsys.readouterr() == ("", "")


def test_the_bar_shows_how_far_a_long_run_is_and_ends_its_line():
    stream = io.StringIO()
    list(progress_bar(range(7), delay=0.0, stream=stream))
    last = stream.getvalue().split("\r")[-1]
    assert "7/7 epochs" in last and "#" * 30 in last and last.endswith("\n")


def bar_by_clock(monkeypatch, times, begin=100.0, **settings):
    """What is drawn, each line apart, when the epochs end at these times."""
    clock = iter([begin, *(begin + t for t in times)])
    monkeypatch.setattr("nnfp.training.time", SimpleNamespace(monotonic=lambda: next(clock)))
    stream = io.StringIO()
    assert list(progress_bar(range(len(times)), stream=stream, **settings)) == list(range(len(times)))
    return stream.getvalue().split("\r")[1:]


def test_the_bar_begins_after_two_seconds_and_then_says_what_is_left(monkeypatch):
    drawn = bar_by_clock(monkeypatch, [1.0, 1.9375, 2.0, 4.0, 5.0])
    assert drawn == [
        f"[{'#' * 18:<30}] 3/5 epochs, 1 s left ",
        f"[{'#' * 24:<30}] 4/5 epochs, 1 s left ",
        f"[{'#' * 30}] 5/5 epochs, 0 s left \n",
    ]


def test_the_time_left_is_that_of_the_epochs_to_come(monkeypatch):
    drawn = bar_by_clock(monkeypatch, [4.0, 10.0, 12.0, 16.0], delay=3.0)
    assert [line.split("epochs, ")[1] for line in drawn] == ["12 s left ", "10 s left ", "4 s left ", "0 s left \n"]
    assert [line.count("#") for line in drawn] == [7, 15, 22, 30]


def test_the_bar_is_drawn_ten_times_a_second_and_at_the_end(monkeypatch):
    drawn = bar_by_clock(monkeypatch, [0.05, 0.1, 0.15, 0.25, 1.0, 1.05], begin=0.0, delay=0.0)
    assert [line.split(" epochs")[0].split("] ")[1] for line in drawn] == ["2/6", "4/6", "5/6", "6/6"]


def test_another_bar_can_be_passed_in():
    parameters, X, Y = problem()
    seen = []

    def bar(epochs):
        for epoch in epochs:
            seen.append(epoch)
            yield epoch

    fit(parameters, X, Y, lr=0.1, batch_size=5, epochs=3, rng=rng(), progress=bar)
    assert seen == [1, 2, 3]
