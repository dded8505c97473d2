"""Corruptions of pages: each kind is made, those that matter are caught, those that say the same are told apart."""

import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from small_book import make

from nnfp.book import values
from nnfp.book.page_mutation import CAUGHT, EQUAL, SURVIVED, Bench, Trial, digest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import mutate

PAGE = textwrap.dedent(
    r"""
    # Layer

    Weights (2, 3)<!-- W.shape -->, half<!-- w / 6 --> of 6<!-- 2 * w -->; see [the neuron](neuron.md).

    ```python
    import numpy as np

    w = 3
    W = np.zeros((2, w))  # (2, 3)
    unused = max(w, 5)
    print(W.T.shape, w - 1)
    #> (3, 2) 2
    ```

    | inputs | 3<!-- w --> | 2<!-- len(W) --> |
    |---|---|---|

    So $1 + 2 = 3$, and $(a + b)^2 = a^2 + 2ab + b^2$.

    | Symbol | Domain | Meaning |
    |---|---|---|
    | $a$ | $\mathbb{R}$ | a number |
    | $b$ | $\mathbb{R}$ | a number |
    """
).lstrip()


@pytest.fixture
def bench(tmp_path):
    checker = make(tmp_path, layer=PAGE, neuron="# A neuron\n")
    return Bench("layer.md", checker.book)


def made(bench) -> dict:
    return {(m.place, m.operation, m.apply(bench.page.text).split("\n")[m.line - 1]) for m in bench.mutants()}


@pytest.mark.parametrize(
    "place, operation, line",
    [
        ("code", "digit", "w = 4"),
        ("code", "operator", "print(W.T.shape, w + 1)"),
        ("code", "transpose", "print(W.shape, w - 1)"),
        ("code", "name", "W = np.ones((2, w))  # (2, 3)"),
        ("code", "argument", "unused = max(5, w)"),
        ("comment", "shape", "W = np.zeros((2, w))  # (3, 2)"),
        ("output", "digit", "#> (3, 2) 3"),
        ("prose", "shape", "Weights (3, 2)<!-- W.shape -->, half<!-- w / 6 --> of 6<!-- 2 * w -->; see [the neuron](neuron.md)."),
        ("prose", "digit", "Weights (2, 3)<!-- W.shape -->, half<!-- w / 6 --> of 7<!-- 2 * w -->; see [the neuron](neuron.md)."),
        ("prose", "word", "Weights (2, 3)<!-- W.shape -->, third<!-- w / 6 --> of 6<!-- 2 * w -->; see [the neuron](neuron.md)."),
        ("table", "digit", "| inputs | 4<!-- w --> | 2<!-- len(W) --> |"),
        ("table", "cells", "| inputs | 2<!-- w --> | 3<!-- len(W) --> |"),
        ("formula", "sign", "So $1 + 2 = 3$, and $(a - b)^2 = a^2 + 2ab + b^2$."),
        ("link", "target", "Weights (2, 3)<!-- W.shape -->, half<!-- w / 6 --> of 6<!-- 2 * w -->; see [the neuron](neuro.md)."),
    ],
)  # fmt: skip
def test_each_kind_of_corruption_is_made(bench, place, operation, line):
    def plain(text):
        return text.replace(" ", "")

    assert (place, operation, plain(line)) in {(p, o, plain(text)) for p, o, text in made(bench)}


def test_output_lines_can_go_and_nothing_is_corrupted_twice(bench):
    lost = [m for m in bench.mutants() if m.operation == "line"]
    assert [bench.page.lines[m.line - 1] for m in lost] == ["#> (3, 2) 2"]
    assert "#>" not in lost[0].apply(bench.page.text)
    changes = [(m.start, m.end, m.new) for m in bench.mutants()]
    assert len(changes) == len(set(changes)) and all(m.apply(bench.page.text) != bench.page.text for m in bench.mutants())


def test_what_says_something_else_is_caught_and_what_says_the_same_is_told_apart(bench):
    assert bench.wrong == set()
    trials = {(t.place, t.operation, t.change): t for t in bench.trials(bench.mutants())}
    passed = {key: t.outcome for key, t in trials.items() if t.outcome != CAUGHT}
    assert passed.pop(("code", "argument", "unused = max(5, w)")) == EQUAL
    assert passed.pop(("code", "name", "W = np.ones((2, w)) # (2, 3)")) == SURVIVED  # nothing shows the entries
    assert passed.pop(("code", "digit", "unused = max(w, 6)")) == SURVIVED
    equal = {key for key, outcome in passed.items() if outcome == EQUAL}
    rest = {key for key in passed.keys() - equal if key[0] != "formula" and key[1] != "name"}
    assert rest == set(), rest
    kinds = {t.how for t in trials.values() if t.outcome == CAUGHT}
    assert {"output", "number", "shape", "error", "link", "equation", "unbound"} <= kinds


def test_recorded_values_catch_what_nothing_shows(tmp_path):
    checker = make(tmp_path, layer=PAGE, neuron="# A neuron\n")
    path = values.path_of(checker.book)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    assert values.update(checker.book.page(tmp_path / "docs/layer.md"), checker.book)
    bench = Bench("layer.md", checker.book)
    chosen = [m for m in bench.mutants() if "ones" in m.new or (m.place == "code" and m.new == "6")]
    found = [(t.change, t.outcome, t.how) for t in bench.trials(chosen)]
    assert found and all(outcome == CAUGHT for _, outcome, _ in found)
    assert ("unused = max(w, 6)", CAUGHT, "value") in found


def test_a_corruption_that_never_ends_is_caught(tmp_path, monkeypatch):
    text = "# Layer\n\n```python\nn = 3\nwhile n > 0:\n    n -= 1\n```\n"
    checker = make(tmp_path, layer=text, neuron="# A neuron\n")
    monkeypatch.setattr("nnfp.book.page_mutation.SECONDS", 1)
    bench = Bench("layer.md", checker.book)
    endless = [m for m in bench.mutants() if m.new == "+="]
    assert [(t.outcome, t.how) for t in bench.trials(endless)] == [(CAUGHT, "time")]


def test_digests_tell_values_apart_to_the_bit():
    a = np.array([1.0, 2.0])
    assert digest(a) == digest(a.copy()) != digest(a[::-1]) != digest(a.astype("f4"))
    assert digest({"x": [a, 1]}) == digest({"x": [a + 0, 1]}) != digest({"x": [a, True]})


def test_summaries_see_every_change_and_forgive_rounding(tmp_path):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((3, 4))
    one = values.of_array(a)
    for other in (a.T, -a, a[::-1], a[:, ::-1], a.astype("f4"), a + 1e-3 * (a == a[1, 2])):
        assert not values.agree(one, values.of_array(np.ascontiguousarray(other)))
    assert values.agree(one, values.of_array(a * (1 + 1e-9 * rng.standard_normal(a.shape))))
    assert values.of_array(np.array([np.nan, 1.0]))[2:] == ["not finite", 1]
    assert values.of_array(np.array([1e308, 1e308])) and values.of_array(np.zeros((0, 2)))[1] == [0, 2]
    names = dict(values.summaries("p", {"W": [a, "text"], "f": len, 3: 1.5, "none": None}))
    assert set(names) == {"p['W'][0]", "p['W'][1]", "p[3]", "p['none']"}


def test_what_is_explained_to_be_the_same_is_no_survivor_and_nothing_else_is_explained():
    trials = [
        Trial("code", "argument", 3, "mse(b, a)", SURVIVED, "nothing differs"),
        Trial("code", "digit", 4, "x = 2", CAUGHT, "output"),
        Trial("code", "digit", 5, "y = 2", SURVIVED, "nothing differs"),
    ]
    known = [
        {"page": "a.md", "change": "mse(b, a)", "reason": "it is symmetric"},
        {"page": "a.md", "change": "x = 2", "reason": "wrong"},
        {"page": "a.md", "change": "gone", "reason": "old"},
        {"page": "b.md", "change": "y = 2", "reason": "another page"},
    ]
    changed, wrong = mutate.excuse("a.md", trials, known, True)
    assert [t.outcome for t in changed] == [EQUAL, CAUGHT, SURVIVED]
    assert wrong == ["a.md: a check catches x = 2", "a.md: no corruption gives gone"]
    assert mutate.excuse("a.md", trials, known, False)[1] == wrong[:1]
    row = mutate.page_summary(changed)
    assert (row["caught"], row["equal"], row["survived"]) == (1, 1, 1)
    assert [one["reason"] for one in row["survivors"]] == ["the same: it is symmetric", "nothing differs"]
