"""Promises of chapter docs/backpropagation.md."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfp.activations import ACTIVATIONS, activation
from nnfp.backpropagation import Gradients, backward, loss_and_gradients, multiplications
from nnfp.calculus import flatten, unflatten
from nnfp.forward_pass import Parameters, Trace, forward, random_parameters
from nnfp.gradient_check import central_difference, complex_step, relative_error
from nnfp.losses import LOSSES
from nnfp.losses import loss as loss_by_name

# Distinct primes and a batch above 1: no transpose and no factor can hide.
NETWORKS = [([5, 3], 7), ([5, 7, 3], 2), ([2, 5, 7, 3], 11), ([3, 7, 5, 2, 11], 13)]


def network(sizes, B, seed=0):
    """Parameters with biases, inputs and targets; pre-activations and errors away from kinks."""
    rng = np.random.default_rng([seed, B, *sizes])
    W, b = random_parameters(sizes, rng, weight_scale=0.8)
    b = {l: 0.5 * rng.standard_normal(column.shape) for l, column in b.items()}
    X, Y = rng.standard_normal((sizes[0], B)), rng.standard_normal((sizes[-1], B))
    return Parameters(W, b), X, Y


def value(parameters, X, Y, loss, hidden, output):
    return loss_by_name(loss).f(forward(parameters, X, hidden, output).Y_hat, Y)


def flat(gradients):
    return flatten(Parameters(gradients.dW, gradients.db))


def away_from_kinks(parameters, X, Y, hidden, output="identity"):
    """A step of 1e-5 in one parameter changes no pre-activation by more than 1e-4 here."""
    trace = forward(parameters, X, hidden, output)
    R = trace.Y_hat - Y
    values = [np.abs(Z).min() for Z in trace.Z.values()] + [np.abs(R).min(), np.abs(abs(R) - 1).min()]
    return min(values) > 1e-3


def smooth_network(sizes, B, hidden, output="identity"):
    for seed in range(100):
        parameters, X, Y = network(sizes, B, seed)
        if away_from_kinks(parameters, X, Y, hidden, output):
            return parameters, X, Y
    raise AssertionError("no seed keeps away from the kinks")


def agree(a, b, tolerance):
    assert a.shape == b.shape
    assert relative_error(a, b) <= tolerance


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize(("sizes", "B"), NETWORKS)
def test_gradients_match_the_complex_step_to_1e_12(sizes, B, hidden, loss):
    parameters, X, Y = network(sizes, B)
    _, gradients = loss_and_gradients(parameters, X, Y, loss, hidden)
    by_theta = complex_step(
        lambda theta: value(unflatten(theta, sizes), X, Y, loss, hidden, "identity"),
        flatten(parameters),
    )
    by_X = complex_step(lambda X: value(parameters, X, Y, loss, hidden, "identity"), X)
    agree(flat(gradients), by_theta, 1e-12)
    agree(gradients.dX, by_X, 1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_gradients_match_central_differences_to_1e_9(hidden, loss):
    sizes = [2, 5, 3]
    parameters, X, Y = smooth_network(sizes, 7, hidden)
    _, gradients = loss_and_gradients(parameters, X, Y, loss, hidden)

    def of_theta(theta):
        return value(unflatten(theta, sizes), X, Y, loss, hidden, "identity")

    # Two steps, combined so that the error of order h^2 cancels (Richardson).
    theta = flatten(parameters)
    coarse, fine = (central_difference(of_theta, theta, h) for h in (2e-4, 1e-4))
    agree(flat(gradients), (4 * fine - coarse) / 3, 1e-9)
    coarse, fine = (
        central_difference(lambda X: value(parameters, X, Y, loss, hidden, "identity"), X, h)
        for h in (2e-4, 1e-4)
    )
    agree(gradients.dX, (4 * fine - coarse) / 3, 1e-9)


@pytest.mark.parametrize("output", ACTIVATIONS)
def test_the_output_activation_is_differentiated_too(output):
    sizes = [3, 5, 2]
    parameters, X, Y = network(sizes, 7)
    _, gradients = loss_and_gradients(parameters, X, Y, "mse", "tanh", output)
    measured = complex_step(
        lambda theta: value(unflatten(theta, sizes), X, Y, "mse", "tanh", output),
        flatten(parameters),
    )
    agree(flat(gradients), measured, 1e-12)


@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    B=st.integers(1, 6),
    hidden=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
)
def test_any_shape_gets_gradients_of_its_shape_that_match_the_complex_step(sizes, B, hidden, loss):
    parameters, X, Y = network(sizes, B, seed=1)
    _, gradients = loss_and_gradients(parameters, X, Y, loss, hidden)
    for l in parameters.W:
        assert gradients.dW[l].shape == parameters.W[l].shape
        assert gradients.db[l].shape == parameters.b[l].shape
        assert gradients.delta[l].shape == (sizes[l], B)
    assert gradients.dX.shape == X.shape
    measured = complex_step(
        lambda theta: value(unflatten(theta, sizes), X, Y, loss, hidden, "identity"),
        flatten(parameters),
    )
    agree(flat(gradients), measured, 1e-11)


def test_the_matrix_form_is_the_sum_over_samples_neurons_and_weights():
    sizes, B = [3, 5, 2], 7
    parameters, X, Y = network(sizes, B)
    value_, gradients = loss_and_gradients(parameters, X, Y, hidden="tanh")
    W, trace = parameters.W, forward(parameters, X, "tanh")
    dW, db, dX = {1: np.zeros((5, 3)), 2: np.zeros((2, 5))}, {1: np.zeros(5), 2: np.zeros(2)}, 0 * X
    total = 0.0
    for k in range(B):
        for i in range(2):
            error = trace.Y_hat[i, k] - Y[i, k]
            total += error**2 / (2 * B)
            slope = 2 * error / (2 * B)
            db[2][i] += slope
            for j in range(5):
                dW[2][i, j] += slope * trace.A[1][j, k]
                back = slope * W[2][i, j] * (1 - np.tanh(trace.Z[1][j, k]) ** 2)
                db[1][j] += back
                for q in range(3):
                    dW[1][j, q] += back * X[q, k]
                    dX[q, k] += back * W[1][j, q]
    assert value_ == pytest.approx(total, rel=1e-14)
    for l in (1, 2):
        agree(gradients.dW[l], dW[l], 1e-14)
        agree(gradients.db[l][:, 0], db[l], 1e-14)
    agree(gradients.dX, dX, 1e-14)


def test_the_worked_example_has_the_numbers_of_the_page():
    parameters = Parameters(
        {1: np.array([[1.0, 2.0], [3.0, -1.0]]), 2: np.array([[2.0, -1.0]])},
        {1: np.array([[1.0], [-3.0]]), 2: np.array([[1.0]])},
    )
    X, Y = np.array([[1.0, 2.0], [1.0, -1.0]]), np.array([[8.0, 1.0]])
    loss, gradients = loss_and_gradients(parameters, X, Y)
    assert loss == 2.5
    np.testing.assert_array_equal(gradients.delta[2], [[1, -2]])
    np.testing.assert_array_equal(gradients.delta[1], [[2, -4], [0, 2]])
    np.testing.assert_array_equal(gradients.dW[2], [[2, -8]])
    np.testing.assert_array_equal(gradients.db[2], [[-1]])
    np.testing.assert_array_equal(gradients.dW[1], [[-6, 6], [4, -2]])
    np.testing.assert_array_equal(gradients.db[1], [[-2], [2]])
    np.testing.assert_array_equal(gradients.dX, [[2, 2], [4, -10]])


@pytest.mark.parametrize(("sizes", "B"), NETWORKS)
def test_a_batch_is_the_mean_of_its_samples(sizes, B):
    parameters, X, Y = network(sizes, B)
    _, together = loss_and_gradients(parameters, X, Y, hidden="tanh")
    alone = [
        loss_and_gradients(parameters, X[:, k : k + 1], Y[:, k : k + 1], hidden="tanh")[1]
        for k in range(B)
    ]
    agree(flat(together), sum(flat(g) for g in alone) / B, 1e-13)
    agree(together.dX, np.hstack([g.dX for g in alone]) / B, 1e-13)


def test_nothing_in_backward_divides_twice_the_slope_gives_twice_the_gradients():
    parameters, X, _ = network([3, 5, 2], 7)
    trace = forward(parameters, X, "tanh")
    dY_hat = np.random.default_rng(1).standard_normal((2, 7))
    once, twice = (backward(parameters, trace, c * dY_hat, "tanh") for c in (1.0, 2.0))
    np.testing.assert_array_equal(flat(twice), 2 * flat(once))
    np.testing.assert_array_equal(twice.dX, 2 * once.dX)


def test_a_value_used_twice_gets_the_sum_of_both_gradients():
    W, b, X = np.array([[0.3, -0.2], [0.5, 0.7]]), np.zeros((2, 1)), np.array([[1.0, 2.0], [3.0, -1.0]])
    Y = np.ones((2, 2))

    def tied(theta):
        V = theta.reshape(2, 2)
        return value(Parameters({1: V, 2: V}, {1: b, 2: b}), X, Y, "mse", "tanh", "identity")

    _, gradients = loss_and_gradients(Parameters({1: W, 2: W}, {1: b, 2: b}), X, Y, hidden="tanh")
    measured = complex_step(tied, W.reshape(4, 1)).reshape(2, 2)
    agree(gradients.dW[1] + gradients.dW[2], measured, 1e-13)


def test_a_sample_that_stands_twice_in_the_batch_counts_twice():
    parameters, X, Y = network([3, 5, 2], 2)
    X3, Y3 = X[:, [0, 0, 1]], Y[:, [0, 0, 1]]
    _, three = loss_and_gradients(parameters, X3, Y3, hidden="tanh")
    _, first = loss_and_gradients(parameters, X[:, :1], Y[:, :1], hidden="tanh")
    _, second = loss_and_gradients(parameters, X[:, 1:], Y[:, 1:], hidden="tanh")
    agree(flat(three), (2 * flat(first) + flat(second)) / 3, 1e-14)


@pytest.mark.parametrize(("hidden", "slope"), [("relu", 0.0), ("leaky_relu", 0.01), ("elu", 1.0)])
def test_at_a_kink_the_chosen_slope_is_used(hidden, slope):
    parameters = Parameters(
        {1: np.array([[1.0]]), 2: np.array([[3.0]])}, {1: np.array([[-2.0]]), 2: np.array([[0.0]])}
    )
    trace = forward(parameters, np.array([[2.0]]), hidden)
    assert trace.Z[1] == 0
    gradients = backward(parameters, trace, np.array([[1.0]]), hidden)
    assert gradients.delta[1] == 3 * slope == 3 * activation(hidden).f_prime(np.zeros((1, 1)))
    assert gradients.dW[1] == 6 * slope


def test_a_sample_whose_relu_are_all_off_sends_nothing_back():
    parameters, X, Y = network([3, 5, 2], 7)
    parameters.b[1][:] = -100.0
    _, gradients = loss_and_gradients(parameters, X, Y)
    assert not gradients.dW[1].any() and not gradients.db[1].any() and not gradients.dX.any()
    assert not gradients.dW[2].any() and gradients.db[2].any()


def test_one_small_step_against_the_gradients_lowers_the_loss_by_the_square_of_their_length():
    parameters, X, Y = network([3, 5, 2], 7)
    before, gradients = loss_and_gradients(parameters, X, Y, hidden="tanh")
    g, lr = flat(gradients), 1e-6
    after = value(unflatten(flatten(parameters) - lr * g, [3, 5, 2]), X, Y, "mse", "tanh", "identity")
    assert (before - after) / lr == pytest.approx(float(np.sum(g * g)), rel=1e-4)


@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_float32_stays_float32(hidden):
    parameters, X, Y = network([3, 5, 2], 7)
    small = Parameters(*({l: a.astype(np.float32) for l, a in part.items()} for part in parameters))
    _, narrow = loss_and_gradients(small, X.astype(np.float32), Y.astype(np.float32), hidden=hidden)
    _, wide = loss_and_gradients(parameters, X, Y, hidden=hidden)
    for part in (narrow.dW, narrow.db, narrow.delta):
        assert all(a.dtype == np.float32 for a in part.values())
    assert narrow.dX.dtype == np.float32
    agree(flat(narrow).astype(float), flat(wide), 1e-5)


def test_huge_and_tiny_gradients_pass_unharmed():
    parameters, X, _ = network([3, 5, 2], 7)
    trace = forward(parameters, X, "tanh")
    dY_hat = np.ones((2, 7))
    usual = flat(backward(parameters, trace, dY_hat, "tanh"))
    for scale in (2.0**-900, 2.0**900):
        scaled = flat(backward(parameters, trace, scale * dY_hat, "tanh"))
        np.testing.assert_array_equal(scaled, scale * usual)


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "softplus", "silu", "elu", "relu"])
def test_saturated_layers_give_finite_gradients_and_no_warning(hidden):
    parameters, X, Y = network([3, 5, 2], 7)
    parameters.W[1][:] *= 1e5
    _, gradients = loss_and_gradients(parameters, X, Y, hidden=hidden)
    assert np.isfinite(flat(gradients)).all()


def test_inputs_are_untouched_and_results_are_new():
    parameters, X, _ = network([3, 5, 2], 7)
    trace = forward(parameters, X, "tanh")
    dY_hat = np.ones((2, 7))
    everything = [*parameters.W.values(), *parameters.b.values(), *trace.Z.values(),
                  *trace.A.values(), dY_hat]  # fmt: skip
    before = [a.copy() for a in everything]
    gradients = backward(parameters, trace, dY_hat, "tanh")
    for a in (*gradients.dW.values(), *gradients.db.values(), *gradients.delta.values(), gradients.dX):
        a[:] = 9.0
    for a, kept in zip(everything, before):
        np.testing.assert_array_equal(a, kept)


def test_the_order_of_the_keys_does_not_matter():
    parameters, X, Y = network([2, 5, 7, 3], 11)
    turned = Parameters(*({l: part[l] for l in (3, 1, 2)} for part in parameters))
    _, a = loss_and_gradients(parameters, X, Y)
    _, b = loss_and_gradients(turned, X, Y)
    assert list(b.dW) == [1, 2, 3]
    np.testing.assert_array_equal(flat(a), flat(b))


def test_strided_arrays_give_the_gradients_of_their_copies():
    parameters, X, Y = network([3, 5, 2], 14)
    _, strided = loss_and_gradients(parameters, X[:, ::2], Y[:, ::2])
    _, copied = loss_and_gradients(parameters, X[:, ::2].copy(), Y[:, ::2].copy())
    agree(flat(strided), flat(copied), 1e-15)


class Counting(np.ndarray):
    """Counts the multiplications of @ and * that touch it."""

    count = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [np.asarray(a) for a in inputs]
        if ufunc is np.matmul:
            Counting.count += plain[0].shape[0] * plain[0].shape[1] * plain[1].shape[1]
        result = getattr(ufunc, method)(*plain, **kwargs)
        if ufunc is np.multiply:
            Counting.count += result.size
        return result.view(Counting) if isinstance(result, np.ndarray) else result


@pytest.mark.parametrize(("sizes", "B"), NETWORKS)
def test_the_multiplications_counted_are_those_of_the_formula(sizes, B):
    parameters, X, _ = network(sizes, B)
    counted = Parameters(*({l: a.view(Counting) for l, a in part.items()} for part in parameters))
    expected = multiplications(sizes, B)
    Counting.count = 0
    trace = forward(counted, X.view(Counting))
    assert Counting.count == expected[0]
    Counting.count = 0
    backward(counted, trace, np.ones((sizes[-1], B)).view(Counting))
    assert Counting.count == expected[1]


def in_torch(torch, name):
    F = torch.nn.functional
    return {
        "identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu,
        "leaky_relu": F.leaky_relu, "elu": F.elu, "softplus": F.softplus, "silu": F.silu,
    }[name]  # fmt: skip


@pytest.mark.witness
@pytest.mark.equations("eq-backprop-delta")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize(("sizes", "B"), NETWORKS)
def test_gradients_are_those_of_torch(sizes, B, hidden, loss):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    parameters, X, Y = network(sizes, B)
    W, b = (
        {l: torch.tensor(a, requires_grad=True) for l, a in part.items()} for part in parameters
    )
    A = X_torch = torch.tensor(X, requires_grad=True)
    for l in W:
        Z = W[l] @ A + b[l]
        A = Z if l == len(W) else in_torch(torch, hidden)(Z)
    f = {"mae": torch.nn.L1Loss(), "mse": torch.nn.MSELoss(), "huber": torch.nn.HuberLoss()}[loss]
    result = f(A, torch.tensor(Y))
    result.backward()
    ours, gradients = loss_and_gradients(parameters, X, Y, loss, hidden)
    assert ours == pytest.approx(result.item(), rel=1e-13)
    for l in W:
        agree(gradients.dW[l], W[l].grad.numpy(), 1e-9)
        agree(gradients.db[l], b[l].grad.numpy(), 1e-9)
    agree(gradients.dX, X_torch.grad.numpy(), 1e-9)


@pytest.mark.witness
@pytest.mark.equations("eq-backprop-delta")
def test_gradients_are_those_of_jax():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    with jax.enable_x64(True):
        for name in ("relu", "elu", "silu", "tanh"):
            f = jnp.tanh if name == "tanh" else getattr(jax.nn, name)
            parameters, X, Y = network([2, 5, 7, 3], 11)

            def loss(W, b, X, f=f, Y=Y):
                A = X
                for l in W:
                    Z = W[l] @ A + b[l]
                    A = f(Z) if l < len(W) else Z
                return jnp.mean((A - Y) ** 2)

            dW, db, dX = jax.grad(loss, (0, 1, 2))(*parameters, X)
            _, gradients = loss_and_gradients(parameters, X, Y, hidden=name)
            for l in dW:
                agree(gradients.dW[l], np.asarray(dW[l]), 1e-9)
                agree(gradients.db[l], np.asarray(db[l]), 1e-9)
            agree(gradients.dX, np.asarray(dX), 1e-9)


GOOD, X_GOOD, Y_GOOD = network([3, 5, 2], 7)
TRACE = forward(GOOD, X_GOOD)
OTHER = forward(network([3, 4, 2], 7)[0], X_GOOD)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: backward(GOOD, TRACE, [[1.0]]), "dY_hat must be a NumPy array"),
        (lambda: backward(GOOD, TRACE, np.ones(7)), "dY_hat must be 2-D"),
        (lambda: backward(GOOD, TRACE, np.ones((2, 7), int)), "dY_hat must hold float32 or float64"),
        (lambda: backward(GOOD, TRACE, np.ones((7, 2))), "did you mean dY_hat.T"),
        (lambda: backward(GOOD, TRACE, np.ones((2, 6))), r"must have shape \(2, 7\), got \(2, 6\)"),
        (lambda: backward(GOOD, TRACE, np.ones((2, 0))), "dY_hat must not be empty"),
        (lambda: backward(GOOD, TRACE, np.ones((2, 7), np.float32)), r"W\[1\] is float64, dY_hat is"),
        (lambda: backward(GOOD, OTHER, np.ones((2, 7))), r"A\[1\] must have shape \(5, 7\), got \(4, 7\)"),
        (lambda: backward(GOOD, X_GOOD, np.ones((2, 7))), "trace must be a Trace, got ndarray"),
        (lambda: backward(GOOD, Trace({}, {}), np.ones((2, 7))), r"trace has layers \[\]"),
        (lambda: backward(GOOD, forward(network([3, 2], 7)[0], X_GOOD), np.ones((2, 7))),
         r"trace has layers \[1\], parameters have \[1, 2\]"),
        (lambda: backward(GOOD, Trace({**TRACE.Z, 1: TRACE.Z[1][:, :3]}, TRACE.A), np.ones((2, 7))),
         r"Z\[1\] must have shape \(5, 7\), got \(5, 3\)"),
        (lambda: backward(GOOD.W, TRACE, np.ones((2, 7))), "parameters must be Parameters"),
        (lambda: backward(GOOD, TRACE, np.ones((2, 7)), hidden="tahn"), "no activation 'tahn'"),
        (lambda: backward(GOOD, TRACE, np.ones((2, 7)), output="none"), "no activation 'none'"),
        (lambda: loss_and_gradients(GOOD, X_GOOD, Y_GOOD, loss="rmse"), "no loss 'rmse'"),
        (lambda: loss_and_gradients(GOOD, X_GOOD, Y_GOOD[:1]), "they must be equal"),
        (lambda: loss_and_gradients(GOOD, X_GOOD.T, Y_GOOD), "did you mean X.T"),
        (lambda: loss_and_gradients(GOOD, X_GOOD * np.nan, Y_GOOD), "X must be finite"),
        (lambda: loss_and_gradients(GOOD, X_GOOD, Y_GOOD * np.inf), "Y must be finite"),
        (lambda: multiplications([3], 2), "at least two integers"),
        (lambda: multiplications([3, 0], 2), "integers of 1 or more, got 0"),
        (lambda: multiplications([3, 2.5], 2), "integers of 1 or more, got 2.5"),
        (lambda: multiplications([3, 2], 0), "integers of 1 or more, got 0"),
        (lambda: multiplications([True, 2], 1), "integers of 1 or more, got True"),
        (lambda: multiplications([3, 2], True), "integers of 1 or more, got True"),
        (lambda: multiplications(3, 2), "layer_sizes must be at least two integers, got 3"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_count_that_is_too_large_for_the_integers_given_is_right():
    assert multiplications(np.array([100_000, 50_000], np.int32), np.int32(3)) == (15 * 10**9, 30_000_150_000)


def test_a_backward_pass_costs_between_two_and_three_forward_passes():
    assert multiplications([1, 1, 1], 5)[1] == 3 * multiplications([1, 1, 1], 5)[0]
    for sizes in ([1, 8, 1], [3, 5, 2], [64, 128, 128, 10]):
        ahead, back = multiplications(sizes, 32)
        assert 2 < back / ahead < 3


def test_the_gradients_can_be_taken_apart_by_name():
    gradients = backward(GOOD, TRACE, np.ones((2, 7)))
    assert isinstance(gradients, Gradients)
    assert list(gradients.dW) == list(gradients.db) == [1, 2] and set(gradients.delta) == {1, 2}
    with pytest.raises(KeyError):
        gradients.dW[0]
