"""The explorables compute what the package computes: core.js against nnfp, to 1e-12."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

import nnfp

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "docs" / "javascripts" / "explorables" / "core.js"
TOLERANCE = 1e-12
BRIDGE = """
const find = (path) => path.split(".").reduce((at, key) => at[key], core);
function call(path, json) {
  const args = JSON.parse(json, (_, v) => (v && v.function ? find(v.function) : v));
  return JSON.stringify(find(path)(...args));
}
"""

quickjs = pytest.importorskip("quickjs", reason="needs the extra book")


def golden():
    spec = importlib.util.spec_from_file_location("golden", ROOT / "scripts" / "golden.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.cases()


@pytest.fixture(scope="module")
def call():
    text = CORE.read_text(encoding="utf-8")
    names = re.findall(r"^export (?:const|function) (\w+)", text, re.MULTILINE)
    context = quickjs.Context()
    context.eval(
        re.sub(r"^export ", "", text, flags=re.MULTILINE) + f"\nvar core = {{{', '.join(names)}}};"
    )
    context.eval(BRIDGE)
    run = context.get("call")
    return lambda name, *args: json.loads(run(name, json.dumps(args)))


def same(got, want, where, strict=False):
    """Compare nested results; arrays of numbers by their largest entry, or each by itself."""
    if isinstance(want, dict):
        assert set(want) <= set(got), where
        for key in want:
            same(got[key], want[key], f"{where}.{key}", strict)
    elif isinstance(want, list) and any(w is None or isinstance(w, (list, dict)) for w in want):
        assert len(got) == len(want), where
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            same(g, w, f"{where}[{i}]", strict)
    elif want is None:
        assert got is None, where
    else:
        got, want = np.atleast_1d(np.array(got, float)), np.atleast_1d(np.array(want, float))
        assert got.shape == want.shape, where
        scale = np.abs(want) if strict else max(np.abs(want).max(), 1e-3)
        assert (np.abs(got - want) <= TOLERANCE * scale).all(), f"{where}: {got} is not {want}"


def test_every_function_gives_what_the_package_gives(call):
    every = golden()
    assert len(every) > 900
    for number, case in enumerate(every):
        where = f"case {number} {case['call']}"
        same(call(case["call"], *case["args"]), case["want"], where, case["strict"])


def test_the_activations_are_those_of_the_package():
    text = CORE.read_text(encoding="utf-8")
    table = text.partition("export const ACTIVATIONS = {")[2].partition("\n};")[0]
    assert re.findall(r"^  (\w+):", table, re.MULTILINE) == list(nnfp.ACTIVATIONS)


def test_a_wrong_number_would_be_noticed(call):
    with pytest.raises(AssertionError, match="is not"):
        same(call("neuron", [1, 2], [1, 2], 1), 6 * (1 + 1e-11), "planted")


def test_a_hundred_updates_stay_together(call):
    """Small differences would grow: the whole way is compared, not one step."""
    rng = np.random.default_rng(3)
    parameters = nnfp.random_parameters([2, 3, 1], rng, weight_scale=0.8)
    X, Y = rng.normal(size=(2, 5)), rng.normal(size=(1, 5))
    net = {
        "W": [None, *(parameters.W[l].tolist() for l in (1, 2))],
        "b": [None, *(parameters.b[l].tolist() for l in (1, 2))],
    }
    for _ in range(100):
        _, gradients = nnfp.loss_and_gradients(parameters, X, Y, hidden="tanh")
        parameters = nnfp.sgd_step(parameters, gradients, 0.1)
        trace = call("forward", net, X.tolist(), "tanh")
        back = call("backward", net, trace, call("mseGradient", trace["A"][2], Y.tolist()), "tanh")
        net = call("sgdStep", net, back, 0.1)
    for l in (1, 2):
        same(net["W"][l], parameters.W[l].tolist(), f"W[{l}]")


@pytest.mark.parametrize("name", ["identity", "sigmoid", "tanh", "elu", "leaky_relu", "softplus"])
def test_a_distribution_passes_an_increasing_activation(call, name):
    """The mass below a place is that of the inputs below its preimage."""
    cells = call("normalCells", 0.4, 1.3, 400)
    borders, shares = np.array(cells["borders"]), np.array(cells["shares"])
    middle = (borders[1:] + borders[:-1]) / 2
    density = np.exp(-(((middle - 0.4) / 1.3) ** 2) / 2)
    assert np.allclose(shares, density / density.sum(), rtol=1e-12)
    low, high, bins = -2.0, 5.0, 84
    mass = call("passThrough", {"function": f"ACTIVATIONS.{name}.f"}, cells, low, high, bins)
    images = nnfp.activation(name).f(borders)
    below = np.interp(np.linspace(low, high, bins + 1), images, np.r_[0.0, np.cumsum(shares)])
    assert np.allclose(mass, np.diff(below), rtol=0, atol=1e-9)


def test_what_falls_outside_the_bins_is_in_none(call):
    cells = call("normalCells", -5.0, 4.0, 2000)
    mass = call("passThrough", {"function": "ACTIVATIONS.identity.f"}, cells, -6.0, 6.0, 84)
    # Of a normal distribution, between -0.25 and 2.75 spreads.
    assert np.isclose(sum(mass), 0.5957, atol=1e-4)
    assert max(mass) < 0.015
    for low, high, kept in [(0.0, 1.0, 1), (-1.0, 0.0, 1), (-2.0, -1.0, 0), (1.0, 2.0, 0)]:
        cells = call("normalCells", -7.0, 1.0, 100)
        mass = call("passThrough", {"function": "ACTIVATIONS.relu.f"}, cells, low, high, 5)
        assert np.isclose(sum(mass), kept), (low, high)


def test_relu_piles_half_of_a_centred_bell_on_zero(call):
    cells = call("normalCells", 0.0, 1.0, 2000)
    mass = call("passThrough", {"function": "ACTIVATIONS.relu.f"}, cells, -2.0, 5.0, 70)
    assert np.isclose(sum(mass), 1)
    assert 0.5 < mass[20] < 0.55
    assert not any(mass[:20])


def test_the_mean_slope_of_relu_is_the_share_that_is_on(call):
    cells = call("normalCells", 0.0, 1.0, 2000)
    assert np.isclose(
        call("meanOf", {"function": "ACTIVATIONS.relu.fPrime"}, cells), 0.5, rtol=1e-12
    )


@pytest.mark.parametrize("c", [0.3, 1.0, 2.0, 5.0])
def test_the_limit_found_by_trying_is_the_proved_one(call, c):
    limit = nnfp.stability_limit(np.array([[c]]))
    assert np.isclose(call("measuredLimit", c, 12), limit, rtol=1e-9)
