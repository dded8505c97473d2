"""Promises of chapter docs/forward_pass.md."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfp.activations import ACTIVATIONS
from nnfp.forward_pass import Parameters, Trace, forward, layer_sizes, random_parameters
from nnfp.neuron import layer_by_loops

SIZES = [3, 7, 5, 2]
B = 11


def network(seed=0, sizes=SIZES, batch=B):
    """Parameters with biases that are not zero, and a batch."""
    rng = np.random.default_rng(seed)
    parameters = random_parameters(sizes, rng, weight_scale=0.7)
    b = {l: rng.standard_normal(b.shape) for l, b in parameters.b.items()}
    return Parameters(parameters.W, b), rng.standard_normal((sizes[0], batch))


@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    batch=st.integers(1, 4),
    hidden=st.sampled_from(sorted(ACTIVATIONS)),
    output=st.sampled_from(sorted(ACTIVATIONS)),
)
@settings(max_examples=40, deadline=None)
def test_a_batch_equals_loops_over_layers_neurons_inputs_and_samples(sizes, batch, hidden, output):
    parameters, X = network(1, sizes, batch)
    trace = forward(parameters, X, hidden, output)
    L = len(sizes) - 1
    for k in range(batch):
        a = X[:, k : k + 1]
        for l in range(1, L + 1):
            z = layer_by_loops(parameters.W[l], a, parameters.b[l])
            a = ACTIVATIONS[output if l == L else hidden].f(z)
            np.testing.assert_allclose(trace.Z[l][:, k : k + 1], z, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(trace.A[l][:, k : k + 1], a, rtol=1e-10, atol=1e-12)


def test_the_trace_holds_every_layer_under_the_letter_of_the_text():
    parameters, X = network()
    Z, A = trace = forward(parameters, X)
    assert list(Z) == [1, 2, 3] and list(A) == [0, 1, 2, 3]
    assert [A[l].shape for l in A] == [(n, B) for n in SIZES]
    assert [Z[l].shape for l in Z] == [(n, B) for n in SIZES[1:]]
    assert trace.Y_hat is A[3]
    np.testing.assert_array_equal(A[0], X)


def test_there_is_no_weight_matrix_zero():
    parameters, X = network()
    for mapping in (parameters.W, parameters.b, forward(parameters, X).Z):
        with pytest.raises(KeyError):
            mapping[0]


def test_a_linear_output_can_be_negative_and_a_relu_output_cannot():
    parameters, X = network()
    linear, cut = forward(parameters, X), forward(parameters, X, output="relu")
    assert (linear.Y_hat < 0).any() and (linear.Y_hat > 0).any()
    assert (cut.Y_hat >= 0).all()
    np.testing.assert_array_equal(cut.Y_hat, np.maximum(linear.Y_hat, 0))


def test_samples_do_not_see_each_other():
    parameters, X = network()
    alone = forward(parameters, X[:, 4:5]).Y_hat
    np.testing.assert_allclose(forward(parameters, X).Y_hat[:, 4:5], alone, rtol=1e-12)


def test_the_output_is_a_composition_of_layers():
    parameters, X = network()
    W, b = parameters
    first = forward(Parameters({1: W[1]}, {1: b[1]}), X, output="relu").Y_hat
    rest = Parameters({1: W[2], 2: W[3]}, {1: b[2], 2: b[3]})
    np.testing.assert_allclose(forward(rest, first).Y_hat, forward(parameters, X).Y_hat, rtol=1e-13)


@pytest.mark.witness
@pytest.mark.parametrize(("name", "module"), [("relu", "ReLU"), ("tanh", "Tanh"), ("sigmoid", "Sigmoid")])
def test_pytorch_computes_the_same_prediction_from_rows(name, module):
    torch = pytest.importorskip("torch")
    parameters, X = network()
    layers = []
    for l in (1, 2, 3):
        linear = torch.nn.Linear(SIZES[l - 1], SIZES[l], dtype=torch.float64)
        linear.weight.data = torch.tensor(parameters.W[l])
        linear.bias.data = torch.tensor(parameters.b[l][:, 0])
        layers += [linear, getattr(torch.nn, module)()]
    rows = torch.nn.Sequential(*layers[:-1])(torch.tensor(X.T.copy()))
    np.testing.assert_allclose(forward(parameters, X, name).Y_hat.T, rows.detach().numpy(), rtol=1e-12)


def test_random_parameters_have_the_stated_shapes_scale_and_zero_biases():
    W, b = random_parameters([101, 97, 89], np.random.default_rng(5), weight_scale=0.3)
    assert W[1].shape == (97, 101) and W[2].shape == (89, 97)
    for l in (1, 2):
        assert W[l].std() == pytest.approx(0.3, rel=0.02)
        assert abs(W[l].mean()) < 0.01
        assert b[l].shape == (W[l].shape[0], 1) and not b[l].any()


def test_the_same_generator_state_gives_the_same_parameters():
    first, second, third = (random_parameters(SIZES, np.random.default_rng(s)) for s in (8, 8, 9))
    np.testing.assert_array_equal(first.W[2], second.W[2])
    assert (first.W[2] != third.W[2]).all()


def test_weights_are_drawn_layer_by_layer_as_the_article_draws_them():
    rng = np.random.default_rng(42)
    W = random_parameters([4, 6, 2], np.random.default_rng(42)).W
    np.testing.assert_array_equal(W[1], rng.standard_normal((6, 4)) * 0.1)
    np.testing.assert_array_equal(W[2], rng.standard_normal((2, 6)) * 0.1)


def test_the_scale_of_he_keeps_the_signal_and_one_tenth_loses_it():
    X = np.random.default_rng(6).standard_normal((64, 400))
    spread = {
        scale: forward(random_parameters([64] * 11, np.random.default_rng(7), scale), X).A[10].std()
        for scale in (0.1, float(np.sqrt(2 / 64)))
    }
    assert spread[0.1] < 0.02
    assert 0.2 < spread[float(np.sqrt(2 / 64))] < 4


@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=6))
@settings(max_examples=30, deadline=None)
def test_layer_sizes_reads_back_what_random_parameters_was_given(sizes):
    assert layer_sizes(random_parameters(sizes, np.random.default_rng(0))) == sizes


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_a_complex_step_passes_through_every_activation(name):
    parameters, X = network()
    W = {**parameters.W, 1: parameters.W[1].astype(complex)}
    W[1][2, 1] += 1e-30j
    slope = forward(Parameters(W, parameters.b), X, name, name).Y_hat.imag / 1e-30
    h = 1e-6
    sides = []
    for sign in (1, -1):
        moved = parameters.W[1].copy()
        moved[2, 1] += sign * h
        sides.append(forward(Parameters({**parameters.W, 1: moved}, parameters.b), X, name, name).Y_hat)
    np.testing.assert_allclose(slope, (sides[0] - sides[1]) / (2 * h), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_float32_stays_float32(name):
    parameters, X = network()
    single = Parameters(*({l: A.astype(np.float32) for l, A in d.items()} for d in parameters))
    trace = forward(single, X.astype(np.float32), name, name)
    assert {A.dtype for A in [*trace.Z.values(), *trace.A.values()]} == {np.dtype(np.float32)}


def test_inputs_are_untouched_and_may_be_strided():
    parameters, X = network(batch=2 * B)
    X = X[:, ::2]
    before = X.copy(), {l: A.copy() for l, A in parameters.W.items()}
    trace = forward(parameters, X, output="identity")
    trace.A[3][:] = 0
    np.testing.assert_array_equal(X, before[0])
    for l in parameters.W:
        np.testing.assert_array_equal(parameters.W[l], before[1][l])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((B, 3)), r"X must have shape \(3, any\), got \(11, 3\); .*X\.T"),
        (np.ones(3), r"X must be 2-D .* got shape \(3,\); .*X\[:, None\]"),
        ([[1.0], [2.0], [3.0]], r"X must be a NumPy array, got list"),
        (np.ones((3, 2), int), r"X must hold float32 or float64, got int64"),
        (np.ones((3, 0)), r"X must not be empty"),
        (np.ones((3, 2), np.float32), r"W\[1\] is float64, X is float32; write X\.astype"),
        (np.array([[0.0, 0], [0, np.nan], [0, 0]]), r"X must be finite, got nan at row 1, column 1"),
        (np.array([[0.0, 0], [0, 0], [-np.inf, 0]]), r"X must be finite, got -inf at row 2, column 0"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_a_reason(X, message):
    with pytest.raises(ValueError, match=message):
        forward(network()[0], X)


W1, W2 = np.ones((7, 3)), np.ones((2, 7))
B1, B2 = np.zeros((7, 1)), np.zeros((2, 1))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"W": {1: W1}, "b": {1: B1}}, r"parameters must be Parameters\(W, b\), got dict"),
        (Parameters([W1], [B1]), r"W and b must be dicts with the keys 1\.\.L"),
        (Parameters({}, {}), r"keys 1\.\.L, got \[\] and \[\]"),
        (Parameters({0: W1, 1: W2}, {0: B1, 1: B2}), r"got \[0, 1\] and \[0, 1\]; layer 0 is the input"),
        (Parameters({1: W1, 2: W2}, {1: B1}), r"got \[1, 2\] and \[1\]"),
        (Parameters({"W1": W1}, {"b1": B1}), r"got \['W1'\] and \['b1'\]"),
        (Parameters({1: W1, 2: W2.T}, {1: B1, 2: B2}), r"W\[2\] must have shape \(any, 7\), got \(7, 2\).*W\[2\]\.T"),
        (Parameters({1: W1}, {1: np.zeros(7)}), r"b\[1\] must be 2-D"),
        (Parameters({1: W1}, {1: np.zeros((1, 7))}), r"b\[1\] must have shape \(7, 1\), got \(1, 7\)"),
        (Parameters({1: W1.astype(int)}, {1: B1}), r"W\[1\] must hold float32 or float64, got int64"),
        (Parameters({1: W1, 2: W2.astype(np.float32)}, {1: B1, 2: B2}), r"W\[1\] is float64, W\[2\] is float32"),
        (Parameters({1: W1}, {1: B1.astype(np.float32)}), r"W\[1\] is float64, b\[1\] is float32"),
        (Parameters({1: [[1.0]]}, {1: B1}), r"W\[1\] must be a NumPy array, got list"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_with_a_reason(parameters, message):
    with pytest.raises(ValueError, match=message):
        forward(parameters, np.ones((3, 2)))
    with pytest.raises(ValueError, match=message):
        layer_sizes(parameters)


@pytest.mark.parametrize("which", ["hidden", "output"])
def test_an_unknown_activation_is_named(which):
    parameters, X = network()
    with pytest.raises(ValueError, match="rleu"):
        forward(parameters, X, **{which: "rleu"})


@pytest.mark.parametrize("sizes", [[], [3], [3, 0], [3, -1], [3, 2.0], [True, 2], "34", 5, None])
def test_layer_sizes_that_make_no_network_are_refused(sizes):
    with pytest.raises(ValueError, match=r"layer_sizes must be at least two integers of 1 or more"):
        random_parameters(sizes, np.random.default_rng(0))


def test_a_seed_is_not_a_generator():
    with pytest.raises(ValueError, match=r"rng must be a numpy Generator, got int; write rng=np\.random"):
        random_parameters([2, 1], 42)


@pytest.mark.parametrize("scale", [0, -0.1, np.nan, np.inf, "small"])
def test_a_weight_scale_that_is_no_positive_number_is_refused(scale):
    with pytest.raises(ValueError, match=r"weight_scale must be a number greater than 0"):
        random_parameters([2, 1], np.random.default_rng(0), scale)


@pytest.mark.parametrize("sizes", [[3, 7, 2], [11, 5, 13, 1]])
def test_he_takes_the_root_of_two_over_the_inputs_in_each_layer(sizes):
    plain = random_parameters(sizes, np.random.default_rng(8), 1.0)
    he = random_parameters(sizes, np.random.default_rng(8), "he")
    for l in plain.W:
        np.testing.assert_allclose(he.W[l], (2 / sizes[l - 1]) ** 0.5 * plain.W[l], rtol=1e-15)
        assert not he.b[l].any()


def test_y_hat_of_a_trace_is_the_last_activation():
    assert Trace(Z={1: "z"}, A={0: "x", 1: "a"}).Y_hat == "a"
