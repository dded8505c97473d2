r"""The equation checker on small statements: what is true passes, what is false is named.

Every line below is a page of its own: the table NOTATION, one display or several, and at times a witness.
"""

import re
from pathlib import Path

import pytest

from nnfp.book.equations import check_page, parser
from nnfp.book.equations.functions import BUILTIN, CONSTANTS
from nnfp.book.equations.lexer import ACCENTS, FONTS
from nnfp.book.equations.parser import parse
from nnfp.book.reading import Book

NOTATION = r"""# A page

| Symbol | Domain | Meaning |
|---|---|---|
| $m, n, B$ | $\mathbb{N}$ | sizes |
| $i$ | $\{1, \dots, m\}$ | row |
| $j$ | $\{1, \dots, n\}$ | column |
| $k$ | $\{1, \dots, B\}$ | sample |
| $L$ | $\mathbb{N}$ | layers, here = 3 |
| $l$ | $\{1, \dots, L\}$ | layer |
| $n_0, n_1, n_2, n_3$ | $\mathbb{N}$ | layer sizes |
| $t$ | $\{0, \dots, 4\}$ | step |
| $W$ | $\mathbb{R}^{m \times n}$ | weights |
| $S$ | $\mathbb{R}^{n \times n}$ | a square matrix |
| $X$ | $\mathbb{R}^{n \times B}$ | inputs |
| $Y$ | $\mathbb{R}^{m \times B}$ | targets |
| $x, v, w$ | $\mathbb{R}^n$ | columns |
| $b$ | $\mathbb{R}^m$ | biases |
| $a, c, r, x_0$ | $\mathbb{R}$ | numbers |
| $p$ | $\mathbb{R}^n$ | a distribution |
| $\alpha$ | $(0.01, 0.5)$ | learning rate |
| $\lambda$ | $(0.1, 2)$ | positive number |
| $q$ | $\{0, 1\}$ | a bit |
| $s$ | $\mathbb{R}$ | random number, symmetric |
| $u, \tilde{u}$ | $\mathbb{R}$ | independent random numbers |
| $\mathbf{1}$ | $\mathbb{R}^B$ | ones |
| $g$ | $\mathbb{R}^n \to \mathbb{R}$ | any smooth function |
| $N$ | $\mathbb{R}^{n_0 \times B}$ | the batch of a network |
| $U^{[l]}$ | $\mathbb{R}^{n_l \times n_{l-1}}$ | weights of a layer |
| $f, h$ | $\mathbb{R} \to \mathbb{R}$ | functions |
| $F$ | $\mathbb{R}^n \to \mathbb{R}$ | a function of a column |
| $z$ | $\mathbb{R}^m$ | sums |
| $Z$ | $\mathbb{R}^{m \times B}$ | sums of a batch |
| $\hat{Y}$ | $\mathbb{R}^{m \times B}$ | predictions |
| $\mathcal{L}$ | $\mathbb{R}$ | loss |
| $A^{[l]}$ | $\mathbb{R}^{n_l \times B}$ | activations |
| $x_t$ | $\mathbb{R}$ | steps |
| $d$ | $\mathbb{R}$ | a result |
| $y_0$ | $\mathbb{R}$ | a start |
| $y_t$ | $\mathbb{R}$ | other steps |
"""
BEFORE = NOTATION.count("\n")  # lines above the first display


def page(*displays: str, notation: str = NOTATION) -> str:
    """A page; 'z := W x + b <!-- affine(W, x, b) -->' is a display with its witness."""
    text = notation
    for number, display in enumerate(displays, 1):
        tex, mark, witness = display.partition("<!--")
        text += f"\n$$\n{tex.strip()}\n\\label{{eq-{number}}}\n$$\n{mark}{witness}\n"
    return text


def verdicts(*displays: str, **options):
    return check_page(page(*displays, **options))


TRUE = [
    # numbers, powers, fractions
    r"(a + c)^2 = a^2 + 2 a c + c^2",
    r"\frac{a}{c} = a \cdot \frac{1}{c}",
    r"a - (c - r) = a - c + r",
    r"-a^2 = -(a^2)",
    r"a / c = \frac{a}{c}",
    r"\sqrt{a^2} = \lvert a \rvert",
    r"e^{a + c} = e^a e^c",
    r"\log(\lambda^2) = 2 \log \lambda",
    r"\log(2 \lambda) = \log 2 + \log \lambda",
    r"\lambda \log 2 = \log(2) \lambda",
    r"(a / 2) c = a / (2 / c)",
    r"\max(a, c) + \min(a, c) = a + c",
    r"\sin^2(a) + \cos^2(a) = 1",
    r"\tanh(a) = \frac{e^a - e^{-a}}{e^a + e^{-a}}",
    r"q^2 = q",
    r"(10^6 + a)^2 - 10^{12} = a (2 \cdot 10^6 + a)",
    # columns and matrices
    r"W (x + v) = W x + W v",
    r"(W X)^\top = X^\top W^\top",
    r"x^\top v = v^\top x",
    r"x^\top v = \sum_{j=1}^{n} x_j v_j",
    r"\lVert x \rVert^2 = x^\top x",
    r"x = \begin{bmatrix} x_1 \\ \vdots \\ x_n \end{bmatrix}",
    r"\begin{bmatrix} W & b \end{bmatrix} \begin{bmatrix} x \\ 1 \end{bmatrix} = W x + b",
    r"\lVert W \rVert_F^2 = \operatorname{tr}(W^\top W)",
    r"\operatorname{diag}(x) v = x \odot v",
    r"\operatorname{vec}(b x^\top) = x \otimes b",
    r"(W X)_{ik} = \sum_{j=1}^{n} W_{ij} X_{jk}",
    r"\sum_{j=1}^{n} p_j = 1",
    r"\sum_{j=1}^{n} \mathbb{1}[j = 1] x_j = x_1",
    # derivatives
    r"\frac{\partial (W x)}{\partial x} = W",
    r"\frac{\partial (x^\top S x)}{\partial x} = x^\top (S + S^\top)",
    r"\nabla_W (b^\top W x) = b x^\top",
    r"\nabla_x (x^\top x) = 2 x",
    r"\frac{\partial (a^2 c)}{\partial a} = 2 a c",
    r"\frac{\partial^2 (a^3)}{\partial a^2} = 6 a",
    r"\nabla g(x)^\top v = \frac{\partial g(x)}{\partial x} v",
    # order and equivalence
    r"a^2 \ge 0",
    r"\lambda > 0",
    r"\lvert a + c \rvert \le \lvert a \rvert + \lvert c \rvert",
    r"a > 0 \iff -a < 0",
    r"\alpha < 0.5 + \lambda",
    r"a^2 + c^2 \ge 2 a c",
    r"x^\top v \le \lVert x \rVert \lVert v \rVert",
    r"a > c \implies a \ge c",
    r"a > c \iff a - c > 0",
    r"x_1 > 0.3 \iff 2 x_1 > 0.6",
    r"x^\top v > 1 \implies \lVert x \rVert > 0",
    r"0 < a < 1 \iff 0 < 3 a < 3",
    r"m \ge 1",
    r"m + n \ge 2",
    r"m > \frac{1}{2}",
    r"\sum_{j=1}^{n} j = \frac{n (n + 1)}{2}",
    r"a = \operatorname{argmin}_u (u - a)^2",
    r"a = \operatorname{argmin}_u \lvert u - a \rvert",
    r"a = \operatorname{argmin}_u (u - a)^4",
    r"a = \operatorname{argmin}_u (2 \lvert u - a \rvert + (u - a)^2)",
    r"x = \operatorname{argmin}_v (\lVert v - x \rVert^2 + 1)",
    r"e^a > 0",
    r"e^{-a^2} > 0",
    r"\tanh(a) < 1",
    r"\lvert a + 5 \rvert = \max(a + 5, -a - 5)",
    r"\alpha < 0.5",
    r"\log(1 + e^a) > a",
    r"\frac{1}{1 + e^{-a}} = 1 - \frac{1}{1 + e^a}",
    r"-\log(1 - \frac{1}{1 + e^{-a}}) = a + \log(1 + e^{-a})",
    r"\cosh^2(a) - \sinh^2(a) = 1",
    r"a^2 \ne -2",
    r"e^a \ne 0",
    r"\lVert W \rVert_F \ge 0",
    r"\lVert x \rVert \le \lVert x \rVert_1",
    r"\sqrt{1 + a^2} \ne a",
    # randomness: exact means over finite supports
    r"\mathbb{E}[s] = 0",
    r"\mathbb{E}[a s + c] = c",
    r"\operatorname{Var}(a s) = a^2 \operatorname{Var}(s)",
    r"\mathbb{E}[u \tilde{u}] = \mathbb{E}[u] \mathbb{E}[\tilde{u}]",
]

FALSE = [
    # (statement, what the message says, the kind of problem)
    (r"(a + c)^2 = a^2 + c^2", "false", "value"),
    (r"a - c - r = a - (c - r)", "false", "value"),
    (r"\sqrt{a^2} = a", "false", "value"),
    (r"\max(a, c) = a", "false", "value"),
    (r"W x = x W", "as many columns as rows", "shape"),
    (r"(W X)^\top = W^\top X^\top", "as many columns as rows", "shape"),
    (r"W x + x = W x", "equal shapes", "shape"),
    (r"W x = x", "equal shapes", "shape"),
    (r"W + 1 = W", "equal shapes", "shape"),
    (r"x^2 = x \odot x", "power of an array", "shape"),
    (r"a^\top = a", "transpose of a number", "shape"),
    (r"x^\top v = \sum_{j=1}^{n} x_j x_j", "false", "value"),
    (r"\sum_{j=2}^{n} p_j = 1", "false", "value"),
    (r"\sum_{j=1}^{m} x_j = x^\top x", "", "shape"),
    (r"\frac{\partial (W x)}{\partial x} = W^\top", "equal shapes", "shape"),
    (r"\nabla_W (b^\top W x) = x b^\top", "equal shapes", "shape"),
    (r"\nabla_x (x^\top x) = 2 x^\top", "equal shapes", "shape"),
    (r"\nabla_x (x^\top x) = x", "the left is 2 times the right", "value"),
    (r"\frac{\partial (x^\top S x)}{\partial x} = 2 x^\top S", "false", "value"),
    (r"\frac{\partial (a^2 c)}{\partial a} = -2 a c", "differ by their sign", "value"),
    (r"a^2 > a", "false", "value"),
    (r"a^2 > 0", "false", "value"),
    (r"a > 0 \iff c > 0", "false", "value"),
    # far out, near zero, at the ends of an interval
    (r"\lvert a \rvert \le 4", "false for a = ", "value"),
    (r"a < 5", "a point that a search found", "value"),
    (r"\lvert a + 5 \rvert = a + 5", "a point that a search found", "value"),
    (r"\sqrt{(a + 5)^2} = a + 5", "a point that a search found", "value"),
    (r"\max(a, -7) = a", "a point that a search found", "value"),
    (r"\max(x_1, -7) = x_1", "a point that a search found", "value"),
    (r"\tanh(a) < 0.9999", "a point that a search found", "value"),
    (r"\alpha < 0.491", r"false for \alpha = 0.5, a point that a search found", "value"),
    (r"\lambda > 0.11", "a point that a search found", "value"),
    (r"\lVert W \rVert_F > 0", "left 0, right 0", "value"),
    # never equal
    (r"a \ne 3", "false for a = 3, a point that a search found", "value"),
    (r"a^2 \ne 2", "false for a = ", "value"),
    (r"(a - 3)^2 \ne 0", "a point that a search found", "value"),
    (r"a + c \ne 50", "a point that a search found", "value"),
    (r"\lVert x - v \rVert \ne 0", "false", "value"),
    (r"x_1 \ne v_1", "false", "value"),
    # borders of an equivalence
    (r"x_1 > 0.3 \iff x_1 \ge 0.3", "left false, right true", "value"),
    (r"x_1 > 0.3 \implies x_1 > 0.30000001", "left true, right false", "value"),
    (r"a > 30 \iff a \ge 30", "left false, right true", "value"),
    (r"0 < a < 1 \iff 0 < a \le 1", "false", "value"),
    (r"W_{11} \ge 0 \iff W_{11} > 0", "false", "value"),
    (r"x^\top v > 1 \iff x^\top v \ge 1", "false", "value"),
    # sizes may be anything
    (r"m \ne n", "false", "value"),
    (r"m > 1", "false", "value"),
    (r"m \ne 4", "false", "value"),
    (r"m n > 5", "false", "value"),
    (r"n \lVert x \rVert \ge 2 \lVert x \rVert", "false", "value"),
    (r"10^{20} + a = 10^{20} + c", "one term vanishes beside the other", "rule"),
    (r"1 - 10^{-20} = 1", "one term vanishes beside the other", "rule"),
    # where something is least
    (r"c = \operatorname{argmin}_u (a - c)^2", "u makes no difference to what is minimised", "rule"),
    (r"a + 0.0000001 = \operatorname{argmin}_u (u - a)^2", "a lower value lies nearby", "value"),
    (r"a + 0.0000001 = \operatorname{argmin}_u \lvert u - a \rvert", "a lower value lies nearby", "value"),
    (r"a = \operatorname{argmin}_u (u - c)^2", "a lower value lies nearby", "value"),
    (r"a = \operatorname{argmin}_u (-(u - a)^2)", "a lower value lies nearby", "value"),
    # nearly
    (r"1 + 10^{-10} = 1", "by more than rounding", "value"),
    (r"a + 10^{-10} c = a", "by more than rounding", "value"),
    (r"10^{12} + a = 10^{12} + c", "by more than rounding", "value"),
    (r"\begin{bmatrix} 10^{12} \\ a \end{bmatrix} = \begin{bmatrix} 10^{12} \\ c \end{bmatrix}", "by more than rounding", "value"),
    (r"x > v", "compares numbers", "shape"),
    (r"\mathbb{E}[s^2] = 0", "false", "value"),
    (r"\mathbb{E}[a] = a", "nothing here is random", "rule"),
    (r"\mathbb{E}[s u] = \mathbb{E}[s] \mathbb{E}[u]", "the table must say of s that it is independent", "rule"),
    (r"a + \beta = a + \beta + 0", r"\beta is neither declared nor defined above", "name"),
    (r"a' = a", "a prime is for functions", "syntax"),
    (r"W_{i} = W_{i} + 0", "subscript", "shape"),
    (r"x_{n+1} = 0 x_1", "subscript", "shape"),
    (r"a +", "", "syntax"),
    (r"a = \frac{c}{", "", "syntax"),
    (r"a = (c", "", "syntax"),
    (r"a", "a display states something", "syntax"),
    # true, but not what anybody meant
    (r"a^2 + c^2 \le 2 a c", "false", "value"),
    (r"a^2 + 1 \ge 0", "sharpen the bound", "rule"),
    (r"2 \le 3", "sharpen the bound", "rule"),
    (r"a + c \le c + a", "write =", "rule"),
    (r"(a - 1.25)^2 + (c - 0.75)^2 > 0.0001", "a point that a search found", "value"),
    (r"a^2 + c^2 > 2 a c", "false", "value"),
    (r"a + 0.37 > \lambda \iff a - \lambda \ge -0.37", "left false, right true", "value"),
    (r"a > c \implies a - c > 0", r"write \iff", "rule"),
    (r"0 \cdot a = 0", "a factor 0", "rule"),
    (r"a + c = c + a, \qquad a + c = c + a", "says it already", "rule"),
    (r"d := a + c = d", "written alike", "rule"),
    (r"\frac{\partial a}{\partial a} = 1", "by itself", "rule"),
    (r"\frac{1}{j} \sum_{j=1}^{n} x_j = \frac{1}{j} x^\top x", "", "value"),
    (r"\frac{1}{j} \sum_{j=1}^{n} p_j = \frac{1}{j}", "stands outside of it too", "rule"),
    (r"a = \int c", r"\int is not in the grammar", "syntax"),
    (r"\log 2 \lambda = \lambda \log 2", r"in two ways: put what belongs to \log in brackets", "syntax"),
    (r"\sin a \cdot c = c \sin(a)", r"in two ways: put what belongs to \sin in brackets", "syntax"),
    (r"\sin a / c = \frac{\sin(a)}{c}", "in two ways", "syntax"),
    (r"a / 2 c = \frac{a c}{2}", "in two ways: put what belongs to / in brackets", "syntax"),
]


@pytest.mark.parametrize("tex", TRUE)
def test_a_true_statement_passes(tex):
    (result,) = verdicts(tex)
    assert result.ok, result.message
    assert result.kind == "claim" and result.comparisons and result.worst_error < 1e-6


@pytest.mark.parametrize("tex, says, kind", FALSE)
def test_a_false_statement_is_named_with_its_line(tex, says, kind):
    (result,) = verdicts(tex)
    assert not result.ok
    assert says in result.message and result.problem == kind, result.message
    assert result.line == BEFORE + 2 and result.id == "eq-1"


PAGES = [
    # (displays, which of them fails, what the message says)
    # functions
    ([r"f(a) := a^2 + 1", r"f'(a) = 2 a"], None, ""),
    ([r"f(a) := a^2 + 1", r"f'(a) = a"], 2, "the left is 2 times the right"),
    ([r"f(a) := a^2 + 1", r"\frac{\partial f(x)}{\partial x} = \operatorname{diag}(2 x)"], None, ""),
    ([r"f(a) := a^2 + 1", r"h(a) := f(f(a))", r"h'(a) = f'(f(a)) f'(a)"], 1, "bears witness to f"),
    ([r"f(a) := c + 1", r"f(a) = c + 1"], 1, "does not use the parameter a"),
    ([r"f(a) := a^2", r"f(a) := a^3", r"f(a) = a^2"], 2, "defined already"),
    ([r"f(a) := a + \beta", r"f(a) = f(a) + 0"], 1, r"\beta is neither declared nor defined"),
    ([r"F(x) := x^\top S x", r"\nabla F(x) = (S + S^\top) x"], None, ""),
    ([r"F(x) := x^\top S x", r"\nabla F(x) = 2 S x"], 2, "false"),
    ([r"F(x) := S x", r"F(x) = S x"], 1, "the table says that F gives"),
    # cases
    ([r"f(a) := \begin{cases} a & a > 0 \\ 0 & a \le 0 \end{cases}", r"f(a) = \max(0, a)"], None, ""),
    ([r"f(a) := \begin{cases} a & a > 0 \\ 0 & a \ge 0 \end{cases}", r"f(a) = \max(0, a)"], 1, "case"),
    ([r"f(a) := \begin{cases} a & a > 0 \\ 0 & a > 9 \end{cases}", r"f(a) = \max(0, a)"], 1, "case"),
    ([r"f(a) := \begin{cases} a & a > 0 \\ 1 & \text{otherwise} \end{cases}", r"f(a) = \max(0, a)"], 2, "false"),
    ([r"f(a) := \begin{cases} a & a > 0 \\ 0 & a < 0 \end{cases}", r"f(a) + 0 = \max(0, a)"], 1, "covers every point"),
    ([r"f(a) := \begin{cases} a & a > 0.37 \\ 0.37 & a < 0.37 \end{cases}", r"f(a) = \max(0.37, a)"], 1, "covers every point"),
    ([r"f(a) := \begin{cases} a & a \ge 0.37 \\ 0.37 & a \le 0.37 \end{cases}", r"f(a) = \max(0.37, a)"], 1, "two cases apply"),
    ([r"f(a) := \max(0, a)", r"f(a) = \begin{cases} a & a > 0 \\ 0 & a < 0 \end{cases}"], 2, "the other side has a value"),
    ([r"f(a) := \max(0, a)", r"f'(a) = \begin{cases} 1 & a > 0 \\ 0 & a < 0 \end{cases}"], None, ""),
    ([r"f(a) := \lvert a \rvert", r"h(a) := a^2", r"h'(a) = 2 f(a) f'(a)"], 3, "no slope"),
    # arrays, entry by entry
    ([r"z_i := \sum_{j=1}^{n} W_{ij} x_j + b_i", r"z = W x + b"], None, ""),
    ([r"z_i := \sum_{j=1}^{n} W_{ij} x_j + b_i", r"z = W x"], 2, "false"),
    ([r"z_i := \sum_{j=1}^{n} W_{ji} x_j + b_i", r"z = W x + b"], 1, "subscript"),
    ([r"z_k := W_{ik} b_i", r"z = b"], 1, ""),
    ([r"Z := W X + b \mathbf{1}^\top", r"Z_{ik} = \sum_{j=1}^{n} W_{ij} X_{jk} + b_i"], None, ""),
    ([r"Z := W X + b", r"Z = W X + b"], 1, "equal shapes"),
    ([r"Z := W^\top X", r"Z = W^\top X"], 1, "as many columns as rows"),
    ([r"Z := X", r"Z = X"], 1, "the table declares Z as"),
    # layers
    ([r"A^{[0]} := N", r"A^{[l]} := U^{[l]} A^{[l-1]}", r"A^{[3]} = U^{[3]} U^{[2]} U^{[1]} N"], None, ""),
    ([r"A^{[0]} := N", r"A^{[l]} := U^{[l]} A^{[l-1]}", r"A^{[3]} = U^{[1]} U^{[2]} U^{[3]} N"], 3, "as many columns as rows"),
    ([r"A^{[l]} := U^{[l]} A^{[l]}", r"A^{[1]} = U^{[1]} A^{[0]}"], 1, "circular"),
    ([r"A^{[l]} := U^{[l+1]} A^{[l-1]}", r"A^{[1]} = U^{[1]} A^{[0]}"], 1, ""),
    # steps
    ([r"x_{t+1} := x_t - \alpha x_t", r"x_t = (1 - \alpha)^t x_0"], None, ""),
    ([r"x_{t+1} := x_t - \alpha x_t", r"x_t = (1 + \alpha)^t x_0"], 2, "false"),
    ([r"x_{t+1} := x_{t+1} - \alpha x_t", r"x_t = (1 - \alpha)^t x_0"], 1, "circular"),
    # a loss and its gradient
    ([r"\hat{Y} := W X", r"\mathcal{L} := \frac{1}{m B} \sum_{i=1}^{m} \sum_{k=1}^{B} (\hat{Y}_{ik} - Y_{ik})^2",
      r"\nabla_{\hat{Y}} \mathcal{L} = \frac{2}{m B} (\hat{Y} - Y)",
      r"\nabla_W \mathcal{L} = \frac{2}{m B} (\hat{Y} - Y) X^\top"], None, ""),
    ([r"\hat{Y} := W X", r"\mathcal{L} := \frac{1}{m B} \sum_{i=1}^{m} \sum_{k=1}^{B} (\hat{Y}_{ik} - Y_{ik})^2",
      r"\nabla_{\hat{Y}} \mathcal{L} = \frac{2}{m} (\hat{Y} - Y)"], 3, "1/B"),
    ([r"\hat{Y} := W X", r"\mathcal{L} := \frac{1}{m B} \sum_{i=1}^{m} \sum_{k=1}^{B} (\hat{Y}_{ik} - Y_{ik})^2",
      r"\nabla_W \mathcal{L} = \frac{2}{m B} X (\hat{Y} - Y)^\top"], 3, "equal shapes"),
    # a witness can fail
    ([r"d := a - c", r"2 d = d + d"], 1, "what is said of it stays true when its right side is another"),
    ([r"d := a - c", r"2 d = a + d - c"], None, ""),
    ([r"d := a^2 + c^2", r"d \ge 2 a c"], None, ""),
    ([r"d := a - c", r"h(a) := a + d", r"h(a) - h(c) = a - c"], 1, "neither code nor a claim bears witness to d"),
    ([r"y_{t+1} := y_t - \alpha y_t <!-- y[t + 1] * 1 -->"], 1, "stays true when its right side is another"),
    ([r"y_{t+1} := y_t - \alpha y_t <!-- y[t] - alpha * y[t] -->"], None, ""),
    ([r"f(a) := a^2 + 1", r"h(a) := f(f(a)) <!-- (a**2 + 1) ** 2 + 1 -->", r"h'(a) = f'(f(a)) f'(a)"], None, ""),
    ([r"f(a) := a^2 + c", r"f(f(a)) = f(f(a)) + f(a) - f(a)"], 1, "bears witness to f"),
    # definitions need a witness, a row, an order
    ([r"d := a^2 + c"], 1, "neither code nor a claim bears witness to d"),
    ([r"d := a^2 + c", r"d - c = a^2"], None, ""),
    ([r"d - c = a^2", r"d := a^2 + c"], 1, "used before its definition"),
    ([r"d := d + a", r"d = a"], 1, "circular"),
    ([r"D := a^2", r"D = a^2"], 1, "the notation table does not declare"),
    ([r"d := a^2", r"d := c", r"d = c"], 2, "defined already"),
    # conditions
    ([r"\lvert a \rvert = a, \qquad \text{for } a \ge 0"], None, ""),
    ([r"\frac{1}{n - 1} \sum_{j=1}^{n} (x_j - a)^2 \ge 0, \qquad \text{for } n > 1"], None, ""),
    ([r"m < 2 n, \qquad \text{for } m = n"], None, ""),
    ([r"\lvert a \rvert = -a, \qquad \text{for } a \ge 0"], 1, "false"),
    ([r"a^2 \ge 0, \qquad \text{for } a \ge 0"], 1, "too narrow"),
    ([r"x_{t+1} := x_t - \alpha x_t", r"x_{t+1} = (1 - \alpha) x_t, \qquad 0 \le t \le 4"], None, ""),
    ([r"x_{t+1} := x_t - \alpha x_t", r"x_{t+1} = (1 - \alpha) x_t, \qquad 1 \le t < 4"], 2, "too narrow"),
    ([r"x_{t+1} := x_t - \alpha x_t", r"x_t = (1 - \alpha) x_{t-1}, \qquad t > 0"], None, ""),
    ([r"x_{t+1} := x_t - \alpha x_t", r"x_t = (1 - \alpha) x_{t-1}, \qquad 1 \le t \le 5"], 2, "excludes nothing"),
    ([r"x_{t+1} := x_t - \alpha x_t", r"x_t = (1 - \alpha) x_{t-1}, \qquad 1 \le t \le t"], 2, "with itself"),
    ([r"a = 0, \qquad \text{for } a > c, \qquad \text{for } a < c"], 1, "nothing was compared"),
    # the words of a condition
    ([r"\lvert a \rvert = a \quad \text{if } a \ge 0"], None, ""),
    ([r"\lvert a \rvert = a \quad \text{unless } a \ge 0"], 1, 'the word "unless" is not in the grammar'),
    ([r"\lvert a \rvert = a \quad \text{for no } a \ge 0"], 1, "a condition begins with if, for, for all or when"),
    ([r"\lvert a \rvert = a \quad \text{except for } a \ge 0"], 1, 'the word "except for"'),
    ([r"\lvert a \rvert = a \quad \text{for } a"], 1, "a condition states a relation"),
    ([r"\lvert a \rvert = a \quad \text{for all}"], 1, "words and no formula"),
    ([r"x_{t+1} := x_t - \alpha x_t", r"x_t = (1 - \alpha)^t x_0", r"x_t = (1 - \alpha) x_{t-1}, \qquad \text{unless } t > 0"], 3, '"unless"'),
    ([r"\lvert a \rvert = \begin{cases} a & \text{if } a \ge 0 \\ -a & \text{otherwise} \end{cases}"], None, ""),
    ([r"\lvert a \rvert = \begin{cases} a & \text{unless } a \ge 0 \\ -a & \text{otherwise} \end{cases}"], 1, '"unless"'),
    ([r"\lvert a \rvert = \begin{cases} a & a \text{ never } \ge 0 \\ -a & \text{otherwise} \end{cases}"], 1, "never"),
    ([r"\lvert a \rvert = \begin{cases} a & a \ge 0 \\ -a & \text{never} \end{cases}"], 1, '"never"'),
    # code
    ([r"Z := W X + b \mathbf{1}^\top <!-- affine(W, X, b) -->"], None, ""),
    ([r"Z := W X + 2 b \mathbf{1}^\top <!-- affine(W, X, b) -->"], 1, "the code disagrees"),
    ([r"Z := W X + b \mathbf{1}^\top <!-- affine(X, W, b) -->"], 1, "the code witness raises"),
    ([r"Z := W X + b \mathbf{1}^\top <!-- afine(W, X, b) -->"], 1, "afine"),
    ([r"Z := W X + b \mathbf{1}^\top <!-- affine(W, X, -->"], 1, "no Python expression"),
    ([r"Z := W X + b \mathbf{1}^\top <!-- Z -->"], 1, "calls nothing"),
    ([r"Z := W X + b \mathbf{1}^\top <!-- Z + 0 -->"], 1, "should bear witness to"),
    ([r"Z := W X + b \mathbf{1}^\top <!-- affine(W, X, b).T -->"], 1, "shape"),
    ([r"\hat{Y} := W X <!-- W @ X -->", r"\mathcal{L} := \frac{1}{m B} \sum_{i=1}^{m} \sum_{k=1}^{B} (\hat{Y}_{ik} - Y_{ik})^2 <!-- mse(Yhat, Y) -->"], None, ""),
    ([r"\hat{Y} := W X", r"\mathcal{L} := \frac{1}{m B} \sum_{i=1}^{m} \sum_{k=1}^{B} (\hat{Y}_{ik} - Y_{ik})^2 <!-- mse(Y, X) -->"], 2, "witness"),
    ([r"f(a) := \begin{cases} a & a > 0 \\ 0 & a \le 0 \end{cases} <!-- relu(a) -->"], None, ""),
    ([r"f(a) := \max(0, a) <!-- np.minimum(relu(a), 5) -->"], 1, "the code disagrees"),
    ([r"f(a) := \max(0, a) <!-- relu(a) -->"], None, ""),
    ([r"f(a) := \begin{cases} a & a > 0 \\ 7 & a = 0 \\ 0 & a < 0 \end{cases} <!-- relu(a) -->"], 1, "equation 7, code 0"),
    ([r"f(a) := \begin{cases} 1 & a > 0 \\ 0 & a \le 0 \end{cases} <!-- relu_prime(a) -->"], None, ""),
    ([r"f(a) := \begin{cases} 1 & a \ge 0 \\ 0 & a < 0 \end{cases} <!-- relu_prime(a) -->"], 1, "equation 1, code 0"),
    ([r"f(a) := \begin{cases} 1 & a > 0.37 \\ 0 & a \le 0.37 \end{cases} <!-- relu_prime(a - 0.37) -->"], None, ""),
    ([r"f(a) := \begin{cases} 1 & a \ge 0.37 \\ 0 & a < 0.37 \end{cases} <!-- relu_prime(a - 0.37) -->"], 1, "equation 1, code 0"),
    ([r"A^{[0]} := N", r"A^{[l]} := U^{[l]} A^{[l-1]} <!-- U[l] @ A[l - 1] -->", r"A^{[0]} = N"], None, ""),
    ([r"A^{[0]} := N", r"A^{[l]} := U^{[l]} A^{[l-1]} <!-- U[l] @ A[l] -->", r"A^{[0]} = N"], 2, ""),
]  # fmt: skip


@pytest.mark.parametrize("displays, wrong, says", PAGES)
def test_pages_of_several_displays(displays, wrong, says):
    results = verdicts(*displays)
    failed = [result for result in results if not result.ok]
    if wrong is None:
        assert not failed, failed[0].message
        return
    assert failed, "this page should fail"
    assert failed[0].id == f"eq-{wrong}", failed[0].message
    assert says in failed[0].message, failed[0].message


def test_a_message_underlines_the_part_and_names_both_shapes():
    (result,) = verdicts(r"W x + x = W x")
    first, line, marks = result.message.splitlines()
    assert first.startswith(f"{BEFORE + 3}:1: ") and "m × 1" in first
    assert line.strip() == r"W x + x = W x" and marks.strip() == "^" * len(r"W x + x")
    assert result.column == 1


def test_a_page_without_a_table_or_without_displays():
    assert check_page("# A page\n\nNo mathematics.\n") == []
    (result,) = check_page(page(r"a = a + 0", notation="# A page\n"))
    assert "a is neither declared nor defined" in result.message


@pytest.mark.parametrize(
    "row, says",
    [
        (r"| $y$ | $\mathbb{Q}$ | rational |", "domain"),
        (r"| $a$ | $\mathbb{R}$ | again |", "declared twice"),
        (r"| y | $\mathbb{R}$ | no dollars |", "a row of notation is"),
        (r"| $y$ | $(2, 1)$ | empty |", "is empty"),
        (r"| $W_1$ | $\mathbb{R}$ | a weight of layer 2 |", "layer 2 is not what W_1 says"),
    ],
)
def test_a_wrong_row_of_the_table_is_named(row, says):
    results = verdicts(r"a = a + 0", notation=NOTATION + row + "\n")
    assert not results[0].ok and says in results[0].message
    assert results[0].line == BEFORE + 1 or "lines 19 and" in results[0].message


def test_a_number_does_not_stand_behind_a_factor():
    for tex in (r"a = a 2 + a", "3 - 2 1"):
        results = check_page(page(r"a = a + 0") + f"\nText with ${tex}$ in it.\n", inline=True)
        assert "a number behind a factor" in results[-1].message, tex


def test_a_symbol_is_not_set_to_itself():
    results = check_page(page(r"a = a + 0") + "\nThen $x = W x$ holds.\n", inline=True)
    assert not results[-1].ok


def test_what_the_reader_is_told():
    definition, claim = verdicts(r"Z := W X + b \mathbf{1}^\top <!-- affine(W, X, b) -->", r"Z - b \mathbf{1}^\top = W X")
    assert definition.kind == "definition" and definition.witness == "affine(W, X, b)"
    assert "code" in definition.checked_by and definition.comparisons
    assert claim.kind == "claim" and "random draws" in claim.checked_by
    assert [symbol for symbol, _, _ in claim.symbols] == ["Z", "b", r"\mathbf{1}", "W", "X"]


def test_two_runs_are_equal():
    displays = [r"Z := W X + b \mathbf{1}^\top <!-- affine(W, X, b) -->", r"\mathbb{E}[s] = 0", r"a = c"]
    assert verdicts(*displays) == verdicts(*displays)


DOCS = Path(Book().docs)


@pytest.mark.parametrize(
    "name, right, wrong, says",
    [
        ("layer.md", r"W X + b \mathbf{1}^\top", r"W^\top X + b \mathbf{1}^\top", "columns as rows"),
        ("layer.md", r"W X + b \mathbf{1}^\top", r"W X - b \mathbf{1}^\top", "code disagrees"),
        ("classification.md", r"\nabla_z \ell = p - y", r"\nabla_z \ell = y - p", "sign"),
        ("classification.md", r"= \frac{1}{B} (P - Y)", r"= P - Y", "1/B"),
        ("descent.md", r"f(x) := x^2 - 4x + 5", r"f(x) := x^2 + 4x + 5", ""),
    ],
)
def test_an_error_planted_in_a_chapter_is_reported_where_it_stands(name, right, wrong, says, tmp_path):
    text = (DOCS / name).read_text(encoding="utf-8")
    assert right in text
    copy = tmp_path / name
    copy.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    failed = [result for result in check_page(copy) if not result.ok]
    line = text[: text.index(right)].count("\n") + 1
    assert failed and failed[0].line <= line <= failed[0].line + 4
    assert failed[0].file == str(copy) and says in failed[0].message


def test_the_grammar_lists_all_that_the_parser_knows():
    text = (DOCS / "reference" / "grammar.md").read_text(encoding="utf-8")
    known = {*parser.RELATIONS, *parser.ARROWS, *parser.NAMED, *parser.STARTERS, *parser.DOTS, *parser.ARGMIN, *BUILTIN, *CONSTANTS}
    known |= {name for name, kind in parser.PRODUCTS.items() if kind} | {"\\" + mark for mark in (ACCENTS + "|" + FONTS).split("|")}
    known |= {r"\begin{cases}", r"\begin{bmatrix}", r"\begin{pmatrix}", "aligned", "split", "gathered"}
    known |= set(parser.CONDITIONS + parser.REST) | {r"\top", r"\mathsf{T}", r"\intercal", r"\cdot", r"\times", r"\infty"}
    missing = {name for name in known if name not in text and name.replace("operatorname{arg", "arg{") not in text}
    assert missing <= {r"\operatorname{arg\min}"}, missing


def test_what_the_grammar_shows_of_expressions_can_be_read():
    text = (DOCS / "reference" / "grammar.md").read_text(encoding="utf-8")
    rows = [line for line in text.split("## What an expression means")[1].split("## ")[0].splitlines() if line.startswith("| `")]
    assert len(rows) > 15
    for row in rows:
        for tex in re.findall("`(.*?)`", row.split("|")[1]):
            if re.search(r"begin|^\\\w+(\{\w+\})?$|lim|sum|m(ax|in)_i", tex) is None:
                parse(tex, lambda name: name in ("f", *BUILTIN))
