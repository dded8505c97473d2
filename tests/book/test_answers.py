"""Exercises that answer back: blocks, their check, and a small language that gives what NumPy gives."""

import json
import re
from pathlib import Path

import markdown
import numpy as np
import pytest

from nnfp.book import answers
from nnfp.book.notebooks import notebook
from nnfp.book.reading import Book, Page
from nnfp.book.sources import ROOT

SCRIPT = ROOT / "docs" / "javascripts" / "answers.js"
BLOCK = """```answer
ask: The `layer`
kind: expression
given: W (3, 5), X (5, 2), b (3, 1)
right: W @ X + b <!-- layer(W, X, b) -->
also: b + W @ X
wrong: X @ W + b -> The order
  of the factors.
wrong: W @ X - b -> The sign.
```"""


def layer(W, X, b):
    return W @ X + b


def page(block=BLOCK, heading="### Exercise: a layer"):
    return Page(Path("x.md"), "x.md", f"# X\n\n{heading}\n\n{block}\n", "x.md")


def said(block, **names):
    """(line in the block, message) of each failure."""
    _, failures = answers.check(page(block), {"layer": layer, "np": np, **names})
    assert {(f.kind, f.file) for f in failures} <= {("answer", "x.md")}
    return [(f.line - 5, f.message) for f in failures]


def test_a_right_block_is_right():
    assert said(BLOCK) == []
    (answer,) = answers.answers(page())
    assert answer.id == "exercise-a-layer"
    assert answer.wrong == (("X @ W + b", "The order of the factors."), ("W @ X - b", "The sign."))


@pytest.mark.parametrize(
    "old, new, line, message",
    [
        ("right: W @ X + b ", "right: W @ X - b ", 4, "right: W @ X - b is an array"),
        ("right: W @ X + b ", "right: W @ Y ", 4, "right: W @ Y: NameError"),
        ("layer(W, X, b)", "layers(W, X, b)", 4, "layers(W, X, b): NameError"),
        (" <!-- layer(W, X, b) -->", "", 4, "the code is missing"),
        ("also: b + W @ X", "also: b - W @ X", 5, "also: b - W @ X is not the right answer"),
        ("also: b + W @ X", "also: X @ W", 5, "also: X @ W: ValueError"),
        ("wrong: W @ X - b ->", "wrong: b + W @ X ->", 8, "wrong: b + W @ X is a right answer"),
        ("wrong: W @ X - b ->", "wrong: W @ X - c ->", 8, "wrong: W @ X - c: name 'c' is not defined"),
        ("wrong: W @ X - b ->", "wrong: W @ X - ->", 8, "SyntaxError"),
        ("wrong: W @ X - b -> The sign.", "wrong: W @ X - b", 8, "then -> and a hint"),
        ("The sign.", "The sign of $b$.", 8, "no formula"),
        ("wrong: W @ X - b", "wrong: -b + W @ X -> First.\nwrong: W @ X - b", 9, "the second hint is never shown"),
        ("kind: expression", "kind: formula", 2, "kind is one of"),
        ("given: W (3, 5)", "given: W [3, 5]", 3, "given: name, name (3, 2)"),
        ("given:", "gives:", 3, "there is no field gives"),
        ("kind: expression", "kind: number", 4, "is not one number"),
        ("kind: expression", "kind: shape", 4, "is no shape"),
    ],
)  # fmt: skip
def test_a_wrong_block_is_said_to_be_wrong(old, new, line, message):
    assert old in BLOCK
    found = said(BLOCK.replace(old, new, 1))
    assert any(at == line and message in text for at, text in found), found


def test_a_stored_number_is_compared_with_the_page():
    block = "```answer\nask: a\nkind: number\nright: 2.24 <!-- x -->\nwithin: 0.005\nwrong: 5 -> Root.\n```"
    assert said(block, x=np.sqrt(5)) == []
    assert said(block.replace("2.24", "2.25"), x=np.sqrt(5)) == [
        (3, "right: 2.25 is 2.25, x is 2.23607")
    ]
    assert said(block.replace("within: 0.005\n", ""), x=np.sqrt(5))


def test_an_exercise_without_a_block_is_said_to_lack_one():
    _, failures = answers.check(page("Nothing."), {})
    assert [(f.line, f.message) for f in failures] == [
        (3, "the exercise has no ```answer block: nothing can be typed")
    ]


def test_options_differ():
    block = "```answer\nask: a\nkind: choice\nright: yes\nwrong: yes -> No.\n```"
    assert said(block) == [(0, "two options are the same")]


def test_the_form_can_be_read_aloud_and_hides_from_the_search():
    html = markdown.markdown(page().text, extensions=["nnfp.book.answers"])
    assert 'data-key="page#exercise-a-layer"' in html and "data-search-exclude" in html
    name = re.search(r'<input id="([^"]+)"', html)[1]
    assert f'<label class="answer-ask" for="{name}">The <code>layer</code></label>' in html
    assert f'aria-describedby="{name}-help"' in html and f'id="{name}-help"' in html
    assert 'aria-live="polite"' in html and "```" not in html


def test_a_page_of_the_book_has_its_name_in_the_keys():
    chapter = next(p for p in Book().pages if p.home == "layer.md")
    state = answers._State("")
    answers._Find(markdown.Markdown(), state).run(chapter.text.split("\n"))
    assert state.home == "layer.md"


def test_the_list_has_every_exercise_of_the_book():
    book = Book()
    text = answers.overview(book, "reference/progress.md")
    assert text.count("- [") == sum(p.text.count("### Exercise: ") for p in book.pages) >= 64
    assert "- [Shapes first](../layer.md#exercise-shapes-first)" in text


def test_notebooks_leave_forms_out():
    book = Book()
    chapter = next(p for p in book.pages if p.home == "neuron.md")
    text = json.dumps(notebook(book, chapter))
    assert "```answer" in chapter.text and "Exercise: one neuron by hand" in text
    assert "```answer" not in text and "wrong: " not in text


# ---- The language in the page against NumPy

quickjs = pytest.importorskip("quickjs", reason="needs the extra book")
BRIDGE = """
const put = (v) => (Array.isArray(v.t) ? v : { s: v.s, d: v.d.map((x) => (Number.isFinite(x) ? x : String(x))) });
function value(text, json) {
  try {
    return JSON.stringify(put(nnfpAnswers.evaluate(nnfpAnswers.parse(text), JSON.parse(json))));
  } catch (error) {
    return JSON.stringify({ error: error.message, kind: error.constructor.name });
  }
}
const said = (json, text) => JSON.stringify(nnfpAnswers.grade(JSON.parse(json), text));
function graded(json, text) { return said(json, text); }
"""


@pytest.fixture(scope="module")
def js():
    context = quickjs.Context()
    context.eval(SCRIPT.read_text(encoding="utf-8"))
    context.eval(BRIDGE)
    return context


def sent(names):
    """Arrays as the script holds them."""

    def one(value):
        if isinstance(value, dict):
            return {"name": "W", "layers": {key: one(entry) for key, entry in value.items()}}
        return {"s": list(np.shape(value)), "d": np.ravel(value).tolist()}

    return json.dumps({name: one(value) for name, value in names.items()})


rng = np.random.default_rng(5)
NAMES = {
    "A": rng.normal(size=(3, 5)), "B": rng.normal(size=(5, 2)), "C": rng.normal(size=(3, 5)),
    "S": rng.normal(size=(3, 3)), "b": rng.normal(size=(3, 1)), "r": rng.normal(size=(1, 5)),
    "v": rng.normal(size=(3,)), "x": 0.7, "k": 3.0, "W": {1: rng.normal(size=(2, 3)), 2: rng.normal(size=(3, 2))},
}  # fmt: skip
EXPRESSIONS = """
1 + 2 * 3 - 4 / 8 | -2 ** 2 | 2 ** 3 ** 2 | 2 ** -1 | (1 + 2) * 3 | 1e3 * .5 | 7 - 3 - 2 | 16 / 4 / 2 | --x | +x
A @ B | A @ B + b | -A | A.T | (A @ B).T | B.T @ A.T | A * C | A / C - r | A * b | A + r + b | v @ A | A @ B @ B.T | v @ v
S @ v | A.T @ v | v.T @ v | b.T @ b | b @ b.T | x * A | A ** 2 | 2 ** A | A @ C.T / 5 | A - x * C
A.sum() | A.sum(axis=0) | A.sum(axis=1) | A.sum(axis=1, keepdims=True) | A.sum(0) | A.mean() | A.mean(axis=-1) | A.max()
A.min(axis=0) | np.max(A, axis=1, keepdims=True) | np.sum(A * C) | np.mean(A, axis=0, keepdims=True) | v.sum() | v.mean(keepdims=True)
np.exp(A) | exp(x) | np.log(A * A) | sqrt(abs(A)) | np.tanh(A) | np.sign(A) | np.square(A) | np.log1p(A * A) | np.expm1(A)
np.maximum(A, 0) | np.maximum(A, C) | np.minimum(A, r) | np.where(A > 0, A, 0.1 * A) | np.where(A > C, r, b) | relu(A) | sigmoid(A * 100)
np.zeros((2, 3)) | np.ones((3, 1)) @ r | np.eye(3) - S | zeros(4) | np.ones_like(A) | np.zeros_like(b) | np.diag(v) | np.diag(S)
np.outer(v, v) | np.kron(b.T, np.eye(2)) | np.kron(S, A) | np.dot(A, B) | np.transpose(A) | np.argmax(A) | np.array([[1, 2], [3, 4]])
[[1, 2], [3, -4]] | [[x, 2 * x]] | [1, 2, 3] | A.shape | A.shape[1] | (A @ B).shape | A.size | v.shape | (2, 3) | 2, 3 | (4,) | len(A) | A.ndim
A[0] | A[1, 2] | A[-1] | A[:, 0] | A[:, 1:3] | A[1:] | A[:2, :1] | v[1] | v[:, None] | v[None, :] | A[None] | A[0, :, None] | W[1] @ W[2] | W[2].T
(A > 0).sum() | (A >= C).mean() | (A < 0) * A | x == 0.7 | x != 0.7 | A <= 0 | sum(A) | sum(v) | sum(A, axis=1) | max(A) | max(0, x) | min(x, k, 2) | np.exp(A) / sum(np.exp(A))
A.dot(B) | W[1].dot(W[2]) | np.matmul(A, B) | np.linalg.norm(A) | np.linalg.norm(v) | np.linalg.norm(A, axis=0, keepdims=True) | A.transpose()
A.reshape(5, 3) | A.reshape((15, 1)) | A.reshape(-1) | v.reshape(-1, 1) | np.reshape(A, (5, -1)) | A.argmax() | np.amin(A, axis=0) | np.amax(A)
np.absolute(A) | np.exp(A) / np.exp(A).sum(axis=0, keepdims=True) | np.pi * x
""".replace("\n", "|").split("|")  # fmt: skip
EXPRESSIONS = [text.strip() for text in EXPRESSIONS if text.strip()]


def compare(js, text):
    got = json.loads(js.get("value")(text, sent(NAMES)))
    assert "error" not in got, f"{text}: {got['error']}"
    with np.errstate(all="ignore"):
        want = answers.evaluate(text, answers.WORLD | NAMES)
    if isinstance(want, tuple):
        assert tuple(got["t"]) == want, text
        return
    want = np.asarray(want, dtype=float)
    if isinstance(got.get("t"), list):
        pytest.fail(f"{text}: a shape")
    assert tuple(got["s"]) == want.shape, f"{text}: {got['s']} is not {want.shape}"
    d = np.array([float(str(x).replace("Infinity", "inf")) for x in got["d"]]).reshape(want.shape)
    scale = max(np.abs(want[np.isfinite(want)]).max(initial=0.0), 1.0)
    assert np.allclose(d, want, rtol=0, atol=1e-12 * scale, equal_nan=True), text


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_language_gives_what_numpy_gives(js, text):
    compare(js, text)


def grown(rng, depth):
    """A random expression over the matrices, all of shape (3, 5) once broadcast."""
    if depth == 0:
        return str(rng.choice(["A", "C", "b", "r", "x", "k", "2", "0.5", "S @ A", "A @ B @ B.T"]))
    a, b = grown(rng, depth - 1), grown(rng, depth - 1)
    forms = ["{a} + {b}", "{a} - ({b})", "({a}) * ({b})", "-({a})", "np.tanh({a})", "np.maximum({a}, {b})",
             "({a}) / (1 + abs({b}))", "np.where(({a}) > ({b}), {a}, {b})", "np.mean({a}) * ({b})",
             "({a} + A).sum(axis=1, keepdims=True)", "({a} + A).T.max(axis=0, keepdims=True).T", "(({a}) / 9) ** 2"]  # fmt: skip
    return str(rng.choice(forms)).format(a=a, b=b)


def test_a_hundred_grown_expressions(js):
    rng = np.random.default_rng(11)
    for _ in range(100):
        compare(js, grown(rng, 3))


@pytest.mark.parametrize(
    "text", ["B @ A", "A + B", "A * v", "v @ B", "x @ A", "A @ 2", "A[3]", "A[0, 5]", "A[0, 0, 0]", "A.sum(axis=2)",
             "np.maximum(A, B)", "np.sum(A, axes=1)", "A.reshape(2, 3)", "np.matmul(B, A)"],
)  # fmt: skip
def test_the_errors_are_those_of_numpy(js, text):
    got = json.loads(js.get("value")(text, sent(NAMES)))
    with pytest.raises(Exception) as caught:
        answers.evaluate(text, answers.WORLD | NAMES)
    assert got["kind"] == "AnswerError"
    words = str(caught.value).strip()
    assert got["error"].strip() == words or "unexpected keyword argument 'axes'" in got["error"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("constructor", "not defined"), ("A.constructor", "not known"), ("__proto__", "not defined"),
        ("A.__proto__", "not known"), ("toString()", "not defined"), ("exp.constructor('1')()", "can't read"),
        ("A['x']", "can't read"), ("W[3]", "there is no W[3]"), ("W + 1", "say which layer"), ("sum", "is a function"),
        ("A.sum", "with parentheses"), ("2A", "Write a product with a star"), ("(A", "expected “)”"), ("A B", "did not expect"),
        ("", "missing"), ("A = 2", "did not expect"), ("lambda: 1", "did not expect"), ("A(2)", "a product is written with *"),
        ("zeros(1e9)", "needs a shape"), ("(" * 500, "nested too deeply"), ("-" * 500 + "1", "nested too deeply"),
        ("valueOf", "not defined"), ("np.linalg.inv(A)", "only norm is known"), ("norm(A)", "not defined"), ("A.norm()", "not known"), ("sum(A, 1)", "write np.sum("), ("max(A, C)", "write np.maximum("),
        ("np.linalg.norm(A, 1)", "takes axis="), ("|A", "expected “|”"), ("np.amen(A, axis=0)", "name 'amen' is not defined"),
        ("1 + " * 600 + "1", "too long"), ("np.kron(np.ones((999, 999)), np.ones((999, 999)))", "too much"),
        ("np.zeros((999, 999)) @ np.ones((999, 999))", "too much"), ("np.zeros((999, 999, 2))", "too much"),
        ("np.diag(np.ones((999, 999)).reshape(-1))", "too much"), ("zeros((999, 1)) + zeros((2, 1, 999))", "too much"),
        ("zeros((999, 999))[0] + zeros((999, 999))[0]", "too much"), ("hasOwnProperty(1)", "not defined"),
    ],
)  # fmt: skip
def test_everything_else_is_refused_in_words(js, text, message):
    got = json.loads(js.get("value")(text, sent(NAMES)))
    assert got["kind"] == "AnswerError" and message in got["error"], got


@pytest.mark.parametrize(
    "text", ["W·X + b", "W×X + b"[:1] + " @ X + b", "W @ X −(−b)", "Z = W @ X + b", "np.matmul", "(X^T @ W^T + b.T).T", "(XᵀWᵀ)"]
)  # fmt: skip
def test_marks_of_the_page_are_understood_or_refused(js, text):
    spec = answers.answers(page())[0].data
    verdict = json.loads(js.get("graded")(json.dumps(spec), text))["verdict"]
    refused = {"W·X + b", "np.matmul", "(XᵀWᵀ)"}
    assert verdict == ("unread" if text in refused else "right")


@pytest.mark.parametrize(
    "kind, right, text, verdict",
    [
        ("number", "101770", "101,770", "right"), ("number", "99", "99 %", "right"), ("number", "3/16", "0.1875", "right"),
        ("number", "2", "x = 2", "right"), ("number", "2", "−2", "slip"), ("number", "4", "8", "slip"), ("number", "5", "0.2", "slip"),
        ("number", "5", "17", "wrong"), ("number", "0.25", "25", "slip"), ("shape", "(5, 8)", "5x8", "right"), ("shape", "(5, 8)", "[5, 8]", "right"),
        ("shape", "(5, 8)", "5 × 8", "right"), ("shape", "(5, 8)", "(8, 5)", "slip"), ("shape", "(5, 8)", "(5, 7)", "wrong"),
        ("shape", "(5, 8)", "(5,)", "slip"), ("shape", "(5,)", "5", "right"), ("number", "5", "", "unread"),
        ("number", "3/16", "18.75%", "right"), ("number", "3/16", "18,75 %", "right"), ("number", "0.5", "0.5 %", "right"), ("number", "3/16", "3/16 %", "right"),
        ("number", "-0.68", "-0,68", "right"), ("number", "1.234", "1,234", "right"), ("number", "1234", "1,234", "right"), ("number", "0.125", "0,125", "right"),
        ("number", "2", "0", "wrong"), ("number", "sqrt(5)", "√5", "right"), ("number", "2*sqrt(5)", "2·√5", "right"), ("number", "5**0.5*2", "√(5)*2", "right"),
        ("number", "0.68", "|-0.68|", "right"), ("number", "1", "||-2| - |1 - 4 + 2||", "right"), ("number", "2", "sqrt(4)**2/√4", "right"),
        ("number", "2", "(0, 1)[(0, 1):]", "unread"), ("number", "2", "zeros(0).max()", "unread"), ("choice", "2", "", "unread"),
    ],
)  # fmt: skip
def test_ways_to_write_it(js, kind, right, text, verdict):
    spec = {"kind": kind, "given": [], "within": 0, "right": right, "also": [], "wrong": []}
    assert json.loads(js.get("graded")(json.dumps(spec), text))["verdict"] == verdict


@pytest.mark.parametrize(
    "slip, part",
    [
        ("-(W @ X + b)", "the sign is not"), ("(W @ X + b).T", "the transpose"), ("(W @ X + b) / 2", "2 times too small"),
        ("5 * (W @ X + b)", "5 times too large"), ("(W @ X + b) * 7", "7 times too large"), ("abs(W @ X + b)", "some of the signs"),
        ("(W @ X + b) * X[0, 0]", "the right proportions"), ("(W @ X + b)[0]", "should be an array of shape (3, 2)"),
        ("log(W @ X)", "not finite"), ("W @ X", "the values are not"), ("0 * b + 0 * W @ X", "Not yet: that is zero"),
        ("0", "array of shape (3, 2), yours is a single number"), ("0,5", "decimals behind a comma"),
    ],
)  # fmt: skip
def test_the_slip_is_named(js, slip, part):
    spec = answers.answers(page())[0].data
    assert part in json.loads(js.get("graded")(json.dumps(spec), slip))["text"]


@pytest.mark.parametrize(
    "text",
    [
        "dW",
        "dW + 1",
        "(dW, 1)",
        "[dW]",
        "dW.T",
        "dW.shape",
        "np.exp(dW)",
        "sum(dW)",
        "dW.reshape(1)",
        "max(dW, dW)",
        "dW[dW]",
        "dW[:]",
    ],
)
def test_a_collection_of_layers_is_refused_in_words(js, text):
    spec = answers.answers(page())[0].data
    spec["given"].append({"name": "dW", "layer": 1, "shape": [2, 3]})
    found = json.loads(js.get("graded")(json.dumps(spec), text))
    assert found["verdict"] == "unread" and "can't work that out" not in found["text"], found


def test_the_hint_for_a_wrong_number_that_is_zero(js):
    spec = {"kind": "expression", "given": [], "within": 0, "right": "3", "also": [], "wrong": []}
    assert json.loads(js.get("graded")(json.dumps(spec), "0"))["text"] == "Not yet: that is zero."


def test_whatever_goes_wrong_there_is_a_reply(js):
    spec = {
        "kind": "number",
        "given": [],
        "within": 0,
        "right": "zeros(0).max()",
        "also": [],
        "wrong": [],
    }
    assert json.loads(js.get("graded")(json.dumps(spec), "2")) == {
        "verdict": "unread",
        "text": "I can't work that out.",
    }
