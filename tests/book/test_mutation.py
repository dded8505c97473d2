r"""Corruptions of equations: each operation makes what it should, and the bench judges them fairly."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from nnfp.book.equations import public_names
from nnfp.book.equations.lexer import tokens
from nnfp.book.equations.mutants import Mutant, mutants
from nnfp.book.equations.mutation import CAUGHT, EQUAL, SAME, SURVIVED, Bench

ROOT = Path(__file__).resolve().parents[2]


def plain(tex: str) -> str:
    """Its tokens; how it is spaced does not matter."""
    return " ".join(token.text for token in tokens(tex))


def made(tex: str, operation: str) -> set[str]:
    return {plain(m.tex) for m in mutants(tex) if m.operation == operation}


OPERATIONS = [
    # (operation, equation, what it makes among others)
    ("sign", "a=b+c", {"a=b-c", "a=-b+c"}),
    ("sign", "a=-b", {"a=b"}),
    ("transpose", r"a=b^\top c", {"a=b c", r"a=b^\top c^\top", r"a^\top=b^\top c"}),
    ("transpose", "a=b(c+d)", {r"a=b(c+d)^\top"}),
    ("index", "a_i=b_j", {"a_j=b_j", "a_i=b_i"}),
    ("index shift", "a_i=b_{j-1}", {"a_{i+1}=b_{j-1}", "a_{i-1}=b_{j-1}", "a_i=b_{j+1-1}"}),
    ("index shift", "a_i=b_{j-1}", {"a_i=b_{j}"}),
    ("factor", "a=b c", {"a=c", "a=b"}),
    ("number", "a=2b", {"a=3b", "a=1b"}),
    ("number", "a=0.01b", {"a=0.02b"}),
    ("prime", "a=f'(b)", {"a=f(b)", "a=f''(b)"}),
    ("hadamard", r"a=b\odot c", {"a=b c", "a=b+c", r"a=b\otimes c"}),
    ("hadamard", "a=b c", {r"a=b\odot c"}),
    ("fraction", r"a=\frac{b}{c}", {r"a=\frac{c}{b}"}),
    ("relation", r"a\le b", {"a<b", r"a\ge b", "a>b"}),
    ("relation", "a=b", {r"a\le b", r"a\ne b"}),
    ("square", "a=b^2", {"a=b", "a^2=b^2"}),
    ("square", "a=b+c", {"a=b^2+c", "a=b+c^2"}),
    ("hat", r"a=\hat{y}", {"a=y"}),
    ("sum", r"a=\sum_{i=1}^{n}b_i", {"a=b_i"}),
    ("function", r"a=\sum_{i=1}^{n}b_i", {r"a=\prod_{i=1}^{n}b_i"}),
    ("symbol", "a=b+c", {"b=b+c", "a=c+c", "a=b+a"}),
    ("deletion", "a=b+c", {"ab+c", "a=bc"}),
    ("swapped factors", "a=B C", {"a=C B"}),
    ("root", r"a=\sqrt{b}", {"a={b}"}),
    ("word", r"a=b\quad\text{for all }b>0", {r"a=b\quad b>0", r"a=b\quad\text{unless }b>0"}),
]


@pytest.mark.parametrize("operation, tex, some", OPERATIONS)
def test_each_operation_makes_what_it_should(operation, tex, some):
    assert {plain(one) for one in some} <= made(tex, operation), made(tex, operation)


def test_a_mutant_changes_one_place_and_appears_once():
    tex = r"\delta^{[l-1]} = \left((W^{[l]})^\top \delta^{[l]}\right) \odot f'(Z^{[l-1]})"
    found = mutants(tex)
    assert len({m.tex for m in found}) == len(found) > 60
    for m in found:
        tail = len(m.tex) - m.end
        assert m.tex[: m.start] == tex[: m.start] and m.tex[m.end :] == tex[len(tex) - tail :]


PAGE = r"""# A page

| Symbol | Domain | Meaning |
|---|---|---|
| $m, n$ | $\mathbb{N}$ | sizes |
| $i$ | $\{1, \dots, m\}$ | row |
| $j$ | $\{1, \dots, n\}$ | column |
| $W$ | $\mathbb{R}^{m \times n}$ | weights |
| $x$ | $\mathbb{R}^n$ | input |
| $b, z$ | $\mathbb{R}^m$ | columns |
| $a, c$ | $(0.5, 2)$ | positive numbers |
| $d, q$ | $\mathbb{R}$ | results |

$$
z := W x + 2 a b
\label{eq-1}
$$

$$
z_i = \sum_{j=1}^{n} W_{ij} x_j + 2 a b_i
\label{eq-2}
$$

$$
(a + c)^2 \ge 4 a c
\label{eq-3}
$$

$$
d := a c, \qquad q := \lVert z \rVert + d
\label{eq-4}
$$
<!-- np.linalg.norm(z) + a * c -->
"""


@pytest.fixture(scope="module")
def bench():
    return Bench(PAGE, public_names())


def outcome(bench: Bench, place: int, old: str, new: str) -> str:
    """What becomes of a slip that is made by hand."""
    tex = bench.source.displays[place].tex
    assert tex.count(old) == 1
    return bench.trial(place, Mutant("by hand", tex.replace(old, new), 0, 0)).outcome


JUDGED = [
    (0, "2 a b", r"a \cdot 2 b", SAME),  # numbers commute
    (0, "2 a b", "a 2 b", CAUGHT),  # but not without a sign
    (0, "2 a b", r"2 \cdot a b", SAME),  # a mere dot
    (0, "W x + 2 a b", "2 a b + W x", SAME),  # terms commute
    (0, "W x", "x W", CAUGHT),  # matrices do not
    (0, "W x", "W 0", CAUGHT),  # nothing is left of a factor 0 but its shape
    (0, "2 a b", "3 a b", CAUGHT),  # what is built on it shows it
    (1, "W_{ij} x_j", "x_j W_{ij}", SAME),
    (1, "x_j", "x_i", CAUGHT),
    (1, "2 a b_i", r"\frac{4 a}{2} b_i", SAME),
    (1, "2 a b_i", r"(a + a) b_i", EQUAL),  # seen by the values alone
    (2, "4 a c", r"c a \cdot 4", SAME),
    (2, "4 a c", "3 a c", CAUGHT),  # true, but not the best bound
    (2, "4 a c", "5 a c", CAUGHT),
    (2, r"\ge", ">", CAUGHT),
    (2, r"(a + c)^2 \ge 4 a c", r"a^2 \ge 2 a - 1", SURVIVED),  # true, and something else
    (3, r"\lVert z \rVert", r"\lVert z^\top \rVert", EQUAL),
    (3, "a c", "a^2", SURVIVED),  # the witness does not look at d
]


@pytest.mark.parametrize("place, old, new, wanted", JUDGED)
def test_the_bench_judges(bench, place, old, new, wanted):
    assert outcome(bench, place, old, new) == wanted


def test_a_page_catches_nearly_all_of_its_mutants():
    """A sample here; the full run is scripts/mutate.py equations."""
    real = Bench(ROOT / "docs" / "layer.md", public_names())
    counts = Counter(real.trial(*item).outcome for item in list(real.mutants())[::4])
    assert counts[CAUGHT] >= 90
    assert counts[CAUGHT] >= 0.99 * (counts[CAUGHT] + counts[SURVIVED])


def test_a_page_without_witnesses_is_seen_to_be_weak():
    """The score can fall: code that bears witness is taken away, and slips come through."""
    text = PAGE.replace("<!-- np.linalg.norm(z) + a * c -->", "").split("$$\nz_i")[0]
    text += "$$\nd := a c, \\qquad q := d + 1, \\qquad q > 1\n\\label{eq-5}\n$$\n"
    weak = Bench(text, {})
    counts = Counter(weak.trial(*item).outcome for item in list(weak.mutants())[::3])
    assert counts[CAUGHT] < 0.99 * (counts[CAUGHT] + counts[SURVIVED])


def test_the_script_counts_and_fails_below_the_bar(tmp_path, capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import mutate

    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    before = mutate.DATA.read_bytes() if mutate.DATA.exists() else None
    for bar, code in (("50", 0), ("100.5", 1)):
        options = ["--sample", "20", "--jobs", "1", "--dry", "--at-least", bar]
        monkeypatch.setattr(sys, "argv", ["mutate.py", "equations", *options, str(page)])
        assert mutate.main() == code
        assert "20 mutants" in capsys.readouterr().out
    assert before == (mutate.DATA.read_bytes() if mutate.DATA.exists() else None)


def test_the_last_full_run_reached_the_bar_and_names_every_survivor():
    data = json.loads((ROOT / "docs" / "reference" / "data" / "mutation_equations.json").read_text())
    assert data["score"] >= 99.5 and data["run"]["seconds"] < 20 * 60
    for page in data["pages"].values():
        assert {"score", "mutants", "caught", "survived"} <= page["first_score"].keys()
        assert len(page["survivors"]) == page["survived"]
        assert all(survivor["reason"] and survivor["tex"] for survivor in page["survivors"])
        assert page["mutants"] == sum(page[key] for key in ("caught", "same", "equal", "survived"))
        assert page["mutants"] == sum(counts["tried"] for counts in page["equations"].values())
