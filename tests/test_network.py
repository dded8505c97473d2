"""Promises of chapter docs/network.md."""

import io
import json
import zipfile

import numpy as np
import pytest

from nnfp.classification import cross_entropy
from nnfp.data import load_cars, measure_scale, one_hot, standardise
from nnfp.forward_pass import forward
from nnfp.losses import mse
from nnfp.network import MLPClassifier, MLPRegressor

SIZES = [3, 7, 5, 2]


def data(B=11, seed=0):
    g = np.random.default_rng(seed)
    return g.standard_normal((3, B)), g.standard_normal((2, B))


def network(seed=42):
    net = MLPRegressor(SIZES, seed=seed, weight_scale=0.6)
    for l in net.b:
        net.b[l] = net.rng.standard_normal(net.b[l].shape)
    return net


def arrays(net):
    return [*net.W.values(), *net.b.values()]


def same(a, b):
    return all(x.dtype == y.dtype and x.tobytes() == y.tobytes() for x, y in zip(arrays(a), arrays(b)))


def test_the_initial_weights_are_those_of_the_article_bit_for_bit():
    rng = np.random.default_rng(42)
    net = MLPRegressor([4, 6, 4, 2])
    for l, (rows, columns) in enumerate([(6, 4), (4, 6), (2, 4)], start=1):
        np.testing.assert_array_equal(net.W[l], rng.standard_normal((rows, columns)) * 0.1)
        np.testing.assert_array_equal(net.b[l], np.zeros((rows, 1)))
    assert net.layer_sizes == [4, 6, 4, 2]


def test_the_weights_are_as_large_as_they_are_asked_to_be_and_0_is_a_seed():
    rng = np.random.default_rng(0)
    net = MLPRegressor(SIZES, seed=0, weight_scale=0.6)
    for l in net.W:
        np.testing.assert_array_equal(net.W[l], 0.6 * rng.standard_normal(net.W[l].shape))


def test_forward_and_predict_are_the_forward_pass():
    net, (X, _) = network(), data()
    np.testing.assert_array_equal(net.forward(X), forward(net.parameters, X).Y_hat)
    np.testing.assert_array_equal(net.predict(X), net.forward(X))


@pytest.mark.parametrize("B", [1, 4, 16, 64])
def test_every_gradient_is_a_central_difference_whatever_the_batch(B):
    net, (X, Y) = network(), data(B)
    net.forward(X)
    gradients = net.backward(Y)
    h = 1e-6
    for stored, found in ((net.W, gradients.dW), (net.b, gradients.db)):
        for l in stored:
            assert found[l].shape == stored[l].shape
            for i in np.ndindex(stored[l].shape):
                kept = stored[l][i]
                stored[l][i] = kept + h
                up = mse(net.predict(X), Y)
                stored[l][i] = kept - h
                down = mse(net.predict(X), Y)
                stored[l][i] = kept
                np.testing.assert_allclose(found[l][i], (up - down) / (2 * h), rtol=1e-6, atol=1e-8)


@pytest.mark.witness
def test_training_agrees_with_pytorch():
    torch = pytest.importorskip("torch")
    net, (X, Y) = network(), data()
    parameters = [torch.tensor(a, requires_grad=True) for a in arrays(net)]
    W, b = parameters[:3], parameters[3:]
    X_t, Y_t = torch.tensor(X), torch.tensor(Y)
    optimiser = torch.optim.SGD(parameters, lr=0.05)
    for _ in range(20):
        A = X_t
        for l in range(3):
            Z = W[l] @ A + b[l]
            A = torch.relu(Z) if l < 2 else Z
        loss = torch.nn.functional.mse_loss(A, Y_t)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        np.testing.assert_allclose(net.train_step(X, Y, lr=0.05), loss.item(), rtol=1e-12)
    for ours, theirs in zip(arrays(net), parameters):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-11, atol=1e-14)


def test_train_step_returns_the_loss_from_before_the_step():
    net, (X, Y) = network(), data()
    before = net.loss_mse(net.predict(X), Y)
    assert net.train_step(X, Y, lr=0.01) == before
    assert net.loss_mse(net.predict(X), Y) < before


def test_train_step_is_forward_backward_step():
    one, other, (X, Y) = network(), network(), data()
    one.train_step(X, Y, 0.03)
    other.forward(X)
    other.backward(Y)
    other.step(0.03)
    assert same(one, other)


def test_the_default_rate_is_the_article_s():
    one, other, (X, Y) = network(), network(), data()
    one.train_step(X, Y)
    other.train_step(X, Y, lr=0.01)
    assert same(one, other)


def test_the_default_rates_and_sizes_are_those_of_the_signatures():
    X, Y = data(B=45)  # more samples than one batch has, and no multiple of it
    one, other = network(), network()
    for net, lr in ((one, {}), (other, {"lr": 0.01})):
        net.forward(X)
        net.backward(Y)
        net.step(**lr)
    assert same(one, other)
    history = one.fit(X, Y)
    assert history == other.fit(X, Y, lr=0.01, batch_size=32, epochs=100) and same(one, other)
    assert len(history.train) == 101


# ---- order of calls


def test_backward_before_forward_is_an_error():
    with pytest.raises(RuntimeError, match=r"backward needs a forward pass.*call forward"):
        network().backward(data()[1])


def test_step_before_backward_is_an_error():
    net, (X, _) = network(), data()
    with pytest.raises(RuntimeError, match="step needs fresh gradients"):
        net.step()
    net.forward(X)
    with pytest.raises(RuntimeError, match="step needs fresh gradients"):
        net.step()


def test_gradients_are_spent_by_a_step():
    net, (X, Y) = network(), data()
    net.train_step(X, Y)
    with pytest.raises(RuntimeError, match="step needs fresh gradients"):
        net.step()
    with pytest.raises(RuntimeError, match="backward needs a forward pass"):
        net.backward(Y)


def test_a_new_forward_drops_the_old_gradients():
    net, (X, Y) = network(), data()
    net.forward(X)
    net.backward(Y)
    net.forward(data(seed=1)[0])
    with pytest.raises(RuntimeError, match="step needs fresh gradients"):
        net.step()


def test_what_was_remembered_is_dropped_by_fit():
    net, (X, Y) = network(), data()
    net.forward(X)
    net.backward(Y)
    net.fit(X, Y, epochs=1, progress=iter)
    with pytest.raises(RuntimeError, match="step needs fresh gradients"):
        net.step()
    with pytest.raises(RuntimeError, match="backward needs a forward pass"):
        net.backward(Y)


def test_a_backward_that_failed_leaves_no_gradients():
    net, (X, Y) = network(), data()
    net.forward(X)
    net.backward(Y)
    with pytest.raises(ValueError):
        net.backward(Y[:, :7])
    with pytest.raises(RuntimeError, match="step needs fresh gradients"):
        net.step()


@pytest.mark.parametrize("order", ["C", "F"])
def test_inputs_may_be_changed_after_forward_without_changing_the_gradients(order):
    one, other, (X, Y) = network(), network(), data()
    mine = X.copy(order)
    one.forward(mine)
    mine[:] = 0
    other.forward(X.copy(order))
    for l in (1, 2, 3):
        np.testing.assert_array_equal(one.backward(Y).dW[l], other.backward(Y).dW[l])


def test_a_forward_that_failed_leaves_no_trace():
    net, (X, Y) = network(), data()
    net.forward(X)
    with pytest.raises(ValueError):
        net.forward(X[:2])
    with pytest.raises(RuntimeError, match="backward needs a forward pass"):
        net.backward(Y)


def test_targets_of_another_batch_are_an_error():
    net, (X, Y) = network(), data()
    net.forward(X)
    with pytest.raises(ValueError, match="Y has 7 columns, the last forward had 11"):
        net.backward(Y[:, :7])
    with pytest.raises(ValueError, match=r"did you mean Y.T|Y has 2 columns"):
        net.backward(Y.T)
    with pytest.raises(ValueError, match=r"Y must be 2-D .* got shape \(11,\)"):
        net.backward(Y[0])


def test_predict_does_not_disturb_a_training_step():
    one, other, (X, Y) = network(), network(), data()
    one.forward(X)
    one.predict(data(seed=5)[0])
    one.backward(Y)
    one.step(0.02)
    other.train_step(X, Y, 0.02)
    assert same(one, other)


def test_the_prediction_may_be_changed_without_changing_the_gradients():
    one, other, (X, Y) = network(), network(), data()
    one.forward(X)[:] = 0
    other.forward(X)
    np.testing.assert_array_equal(one.backward(Y).dW[1], other.backward(Y).dW[1])


def test_there_is_no_layer_zero():
    net, (X, Y) = network(), data()
    net.forward(X)
    gradients = net.backward(Y)
    for mapping in (net.W, net.b, gradients.dW, gradients.db):
        assert sorted(mapping) == [1, 2, 3]
        with pytest.raises(KeyError):
            mapping[0]


# ---- bad input


@pytest.mark.parametrize("seed", [-1, 1.5, "42", None, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0"):
        MLPRegressor([1, 1], seed=seed)


@pytest.mark.parametrize("sizes", [[], [3], [3, 0], [3, 2.5], "34", 5, None])
def test_layer_sizes_are_two_or_more_whole_numbers(sizes):
    with pytest.raises(ValueError, match="size"):
        MLPRegressor(sizes)


def test_a_single_sample_must_be_a_column():
    with pytest.raises(ValueError, match=r"X must be 2-D .* got shape \(3,\).*X\[:, None\]"):
        network().forward(np.ones(3))
    with pytest.raises(ValueError, match="finite"):
        network().forward(np.full((3, 1), np.nan))
    with pytest.raises(ValueError, match=r"Y_hat has shape|shape"):
        network().loss_mse(np.ones((1, 3)), np.ones((3, 1)))


def test_divergence_is_an_error_and_not_a_nan():
    net, (X, Y) = MLPRegressor(SIZES, weight_scale=3.0), data()
    with pytest.raises(ValueError, match=r"finite|diverged"):
        for _ in range(200):
            net.train_step(X, 100 * Y, lr=50.0)


def test_infinity_minus_infinity_inside_is_an_error_and_no_warning():
    net = MLPRegressor([1, 2, 1])
    net.W = {1: np.full((2, 1), 1e300), 2: np.array([[1.0, -1.0]])}
    with pytest.raises(ValueError, match="Y_hat must be finite, got nan at row 0, column 0"):
        net.train_step(np.full((1, 3), 1e10), np.zeros((1, 3)))


# ---- fit, save, load


def cars():
    cars = load_cars(["horsepower", "weight"])
    return (standardise(part, measure_scale(part)) for part in (cars.X, cars.Y))


def test_fit_is_decided_by_the_seed():
    X, Y = cars()
    nets = [MLPRegressor([2, 6, 1], seed=s) for s in (3, 3, 4)]
    histories = [net.fit(X, Y, lr=0.1, epochs=3) for net in nets]
    assert histories[0] == histories[1] and same(nets[0], nets[1])
    assert histories[0].train != histories[2].train
    assert histories[0].train[-1] < histories[0].train[0]


def test_fit_with_patience_keeps_the_best_parameters():
    X, Y = cars()
    net = MLPRegressor([2, 6, 1])
    held_out = X[:, 300:], Y[:, 300:]
    history = net.fit(X[:, :300], Y[:, :300], lr=0.1, epochs=40, validation=held_out, patience=2)
    assert net.loss_mse(net.predict(held_out[0]), held_out[1]) == min(history.validation)


def test_fit_shows_its_progress_as_it_is_told():
    seen, (X, Y) = [], data()

    def progress(epochs):
        for epoch in epochs:
            seen.append(epoch)
            yield epoch

    network().fit(X, Y, epochs=3, progress=progress)
    assert seen == [1, 2, 3]


def test_fit_takes_the_fast_path(monkeypatch):
    from nnfp.fast import FastTraining

    steps, step = [], FastTraining.step
    monkeypatch.setattr(FastTraining, "step", lambda self, X, Y: (steps.append(self), step(self, X, Y))[1])
    X, Y = data()
    network().fit(X, Y, batch_size=4, epochs=2, progress=iter)
    MLPClassifier(SIZES).fit(X, np.eye(2)[:, np.arange(11) % 2], batch_size=4, epochs=2, progress=iter)
    assert len(steps) == 2 * 2 * 3


def test_the_logits_of_a_classifier_are_the_layers_written_out():
    """eq-network-hidden, eq-network-output"""
    net, X = MLPClassifier(SIZES, weight_scale=0.6), data()[0]
    A_1 = np.maximum(net.W[1] @ X + net.b[1], 0)
    A_2 = np.maximum(net.W[2] @ A_1 + net.b[2], 0)
    np.testing.assert_allclose(net.predict(X), net.W[3] @ A_2 + net.b[3], rtol=1e-14)


def test_the_gradients_of_a_classifier_are_central_differences():
    net = MLPClassifier(SIZES, weight_scale=0.6)
    X, Y = data()[0], np.eye(2)[:, np.arange(11) % 2]
    net.forward(X)
    dW = net.backward(Y).dW
    for l in net.W:
        value, h = net.W[l][1, 0], 1e-5
        losses = []
        for shift in (h, -h):
            net.W[l][1, 0] = value + shift
            losses.append(cross_entropy(net.predict(X), Y))
        net.W[l][1, 0] = value
        assert (losses[0] - losses[1]) / (2 * h) == pytest.approx(dW[l][1, 0], rel=1e-6, abs=1e-10)


def test_a_classifier_learns_tells_classes_and_comes_back_from_a_file(tmp_path):
    X = np.random.default_rng(0).uniform(-1, 1, (2, 200))
    inside = (X**2).sum(axis=0) < 0.5
    Y = np.vstack([~inside, inside]).astype(float)
    net = MLPClassifier([2, 16, 2], seed=3)
    history = net.fit(X, Y, lr=0.01, epochs=150, optimiser="adam", progress=iter)
    assert history.train[-1] < 0.15 < 0.6 < history.train[0]
    assert (net.classes(X) == inside).mean() > 0.95
    np.testing.assert_allclose(net.probabilities(X).sum(axis=0), 1)
    net.save(tmp_path / "net.npz")
    np.testing.assert_array_equal(MLPClassifier.load(tmp_path / "net.npz").predict(X), net.predict(X))
    with pytest.raises(ValueError, match="'nnfp MLPClassifier 1', this version of nnfp reads 'nnfp MLPRegressor 1'"):
        MLPRegressor.load(tmp_path / "net.npz")
    with pytest.raises(ValueError, match="must be a distribution"):
        net.fit(X, 2 * Y, progress=iter)


@pytest.mark.parametrize("labels", [["a", "b"] * 4, [0, 1] * 4, np.array([0, 1] * 4), np.array([0.0, 1.0] * 4), np.array([[0.0, 1.0] * 4])])
def test_labels_that_are_no_columns_are_sent_to_one_hot(labels):
    net, X = MLPClassifier([3, 5, 2]), np.ones((3, 8))
    net.forward(X)
    got = f"shape {labels.shape}" if isinstance(labels, np.ndarray) else "list"
    text = f"Y must have a one-hot column of 2 rows for each sample, got {got}; write Y = one_hot(labels, categories)"
    calls = (lambda: net.backward(labels), lambda: net.train_step(X, labels), lambda: net.fit(X, labels, progress=iter), lambda: cross_entropy(net.predict(X), labels))
    for call in calls:
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == text
    one_row = one_hot(list(np.ravel(labels)), list(np.ravel(labels)[:2]))
    assert net.train_step(X, one_row) > 0


def test_a_classifier_needs_two_outputs_and_has_no_mean_square(tmp_path):
    with pytest.raises(ValueError, match=r"^layer_sizes must end with 2 classes or more, got \[3, 1\]: .* for yes or no take 2$"):
        MLPClassifier([3, 1])
    with pytest.raises(RuntimeError, match=r"^a classifier has no loss_mse; write cross_entropy\(net\.predict\(X\), Y\)$"):
        MLPClassifier([3, 2]).loss_mse(np.ones((2, 1)), np.ones((2, 1)))
    single = MLPRegressor([3, 1])
    single.format = MLPClassifier.format
    single.save(tmp_path / "net.npz")
    with pytest.raises(ValueError, match="damaged: layer_sizes must end with 2 classes"):
        MLPClassifier.load(tmp_path / "net.npz")


@pytest.mark.parametrize(("optimiser", "same_course"), [("sgd", True), ("momentum", False), ("adam", False)])
def test_training_in_two_calls_is_training_in_one_for_sgd_alone(optimiser, same_course):
    X, Y = cars()
    once, twice = MLPRegressor([2, 6, 1]), MLPRegressor([2, 6, 1])
    once.fit(X, Y, lr=0.01, epochs=4, optimiser=optimiser)
    for _ in range(2):
        twice.fit(X, Y, lr=0.01, epochs=2, optimiser=optimiser)
    assert same(once, twice) == same_course


def test_a_saved_network_comes_back_to_the_bit_and_trains_on_as_the_one_in_memory_does(tmp_path):
    X, Y = cars()
    net = MLPRegressor([2, 6, 1], seed=9)
    net.fit(X, Y, lr=0.1, epochs=2)
    net.save(tmp_path / "cars.npz")
    loaded = MLPRegressor.load(tmp_path / "cars.npz")
    assert same(net, loaded) and loaded.layer_sizes == [2, 6, 1]
    assert [p.name for p in tmp_path.iterdir()] == ["cars.npz"]
    assert net.fit(X, Y, lr=0.1, epochs=2) == loaded.fit(X, Y, lr=0.1, epochs=2)
    assert same(net, loaded)


def test_the_name_is_kept_and_a_second_save_replaces_the_first(tmp_path):
    path = tmp_path / "net"
    network(1).save(path)
    network(2).save(str(path))
    assert same(MLPRegressor.load(str(path)), network(2))
    assert [p.name for p in tmp_path.iterdir()] == ["net"]


def test_a_save_that_fails_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "net"
    network(1).save(path)
    (tmp_path / "net.part").mkdir()  # where the new file is written first
    with pytest.raises(OSError):
        network(2).save(path)
    assert same(MLPRegressor.load(path), network(1))


def test_two_saves_are_the_same_bytes(tmp_path):
    for name in "ab":
        network().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_subnormal_and_extreme_weights_survive(tmp_path):
    net = network()
    net.W[1][0] = [5e-324, -0.0, 1.7976931348623157e308]
    net.save(tmp_path / "net.npz")
    assert same(net, MLPRegressor.load(tmp_path / "net.npz"))


def test_a_missing_file_is_reported_as_such(tmp_path):
    with pytest.raises(FileNotFoundError):
        MLPRegressor.load(tmp_path / "nothing.npz")


def damaged(tmp_path, **changes):
    """A saved network with entries replaced, or dropped where the value is None."""
    net = network()
    net.save(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as stored:
        entries = dict(stored) | changes
    with open(tmp_path / "net.npz", "wb") as file:
        np.savez(file, **{k: v for k, v in entries.items() if v is not None})
    return tmp_path / "net.npz"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "nnfp MLPRegressor 99"}, "99', this version of nnfp reads"),
        ({"format": None}, "holds 'no format'"),
        ({"layer_sizes": None}, "damaged.*layer_sizes"),
        ({"layer_sizes": [3, 7, 4, 2]}, r"damaged: W\[2\] must have shape \(4, 7\)"),
        ({"layer_sizes": 3}, "damaged"),
        ({"layer_sizes": [3]}, "damaged"),
        ({"W[2]": None}, r"damaged.*W\[2\]"),
        ({"W[2]": np.full((5, 7), np.nan)}, r"damaged: W\[2\] must be finite"),
        ({"W[2]": np.ones((5, 7), int)}, r"damaged: W\[2\] must hold float"),
        ({"b[1]": np.ones(7)}, r"damaged: b\[1\] must be 2-D"),
        ({"b[1]": np.ones((5, 1))}, r"damaged: b\[1\] must have shape \(7, 1\), got \(5, 1\)"),
        ({"b[1]": np.ones((7, 2))}, r"damaged: b\[1\] must have shape \(7, 1\), got \(7, 2\)"),
        ({"b[2]": np.full((5, 1), np.inf)}, r"damaged: b\[2\] must be finite"),
        ({"b[3]": np.ones((2, 1), np.float32)}, "damaged.*float32"),
        ({"generator": "not json"}, "damaged"),
        ({"generator": json.dumps({"bit_generator": "PCG64"})}, "damaged"),
    ],
)
def test_a_file_with_wrong_contents_says_what_is_wrong(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        MLPRegressor.load(damaged(tmp_path, **changes))


def truncated_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("format.npy", b"\x93NUMPY")
    return buffer.getvalue()


# Named: a zip holds the time of day, and both processes must collect the same tests.
@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"PK\x03\x04", b"PK\x05\x06" + 18 * b"\0", truncated_zip()],
    ids=["empty", "text", "start of a zip", "empty zip", "half an array"],
)
def test_what_is_no_saved_network_is_refused(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad.npz"):
        MLPRegressor.load(path)


def test_every_truncation_and_a_flipped_byte_are_noticed(tmp_path):
    net, path = network(), tmp_path / "net.npz"
    net.save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError):
            MLPRegressor.load(path)
    at = whole.index(net.W[1].tobytes()) + 5
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(ValueError, match="not a network saved by"):
        MLPRegressor.load(path)


def test_a_pickle_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (print, ("executed",))

    path = tmp_path / "trap.npz"
    with open(path, "wb") as file:
        np.savez(file, format=np.array(MLPRegressor.format), W=np.array([Trap()], dtype=object))
    with pytest.raises(ValueError, match="not a network saved by"):
        MLPRegressor.load(path)


def test_plain_arrays_in_npy_form_are_refused(tmp_path):
    np.save(tmp_path / "array.npy", np.ones(3))
    with pytest.raises(ValueError, match="not a network saved by"):
        MLPRegressor.load(tmp_path / "array.npy")
