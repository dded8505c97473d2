"""A third witness: PyTorch and SymPy derive what the chapters print.

Equation and code of a chapter come from one hand. Here the printed equation itself, read from the
page and evaluated at a random draw by nnfp.book.equations, meets a derivation that is nobody's of
us. The marker `equations` names what a test bears witness to; nnfp/book/third.py reads it.
"""

import functools
import inspect

import numpy as np
import pytest
import sympy

from nnfp.book.equations import public_names
from nnfp.book.equations.reading import read
from nnfp.book.equations.verdict import PageCheck
from nnfp.book.reading import Book

POINTS = [-3.1, -1.2, -0.4, 0.3, 0.9, 2.6]


class Printed:
    """The printed equations and the values of their symbols, at one random draw a page."""

    wrong = ""  # the label of an equation that is to be wrong
    factor = 1.0001

    @functools.cached_property
    def homes(self) -> dict:
        sources = {page.home: read(page.path) for page in Book().pages}
        return {d.label: (home, source) for home, source in sources.items() for d in source.displays}

    @functools.cache  # noqa: B019
    def page(self, home: str):
        source = next(source for where, source in self.homes.values() if where == home)
        check = PageCheck(source, public_names(), seeds=(7,), corners=0)
        return check, {display.label: check.understand(display) for display in source.displays}

    def value(self, home: str, name: str, member: int | None = None):
        """What the draw or the definitions of a page give for a symbol."""
        return np.asarray(self.page(home)[0].scopes[0].lookup(name, member))

    def side(self, label: str, claim: int = 0, side: int = -1, **bound):
        """The value of a printed side: the last of a claim unless told otherwise."""
        check, works = self.page(self.homes[label][0])
        scope = check.scopes[0]
        with scope.binding(**bound):
            return self.spoilt(label, scope.value(works[label].claims[claim][0][side]))

    def right(self, label: str, made: int = 0, **bound):
        """The value of the right side of a definition."""
        check, works = self.page(self.homes[label][0])
        scope = check.scopes[0]
        with scope.binding(**bound):
            return self.spoilt(label, scope.value(works[label].made[made].body))

    def spoilt(self, label: str, value):
        return np.asarray(value) * (self.factor if label == self.wrong else 1)


PRINTED = Printed()


@pytest.fixture
def torch():
    found = pytest.importorskip("torch")
    found.set_num_threads(1)
    return found


def leaf(torch, home: str, name: str, member: int | None = None):
    return torch.tensor(PRINTED.value(home, name, member), dtype=torch.float64, requires_grad=True)


def agree(printed, theirs, rtol=1e-9):
    theirs = np.asarray(theirs.detach() if hasattr(theirs, "detach") else theirs, float)
    assert np.shape(printed) == theirs.shape, (np.shape(printed), theirs.shape)
    np.testing.assert_allclose(printed, theirs, rtol=rtol, atol=1e-12)


def slope(torch, f, z: float):
    z = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    value = f(z)
    return value.detach(), torch.autograd.grad(value, z)[0]


# --- activations -----------------------------------------------------------------------


@pytest.mark.witness
@pytest.mark.equations(
    "eq-identity", "eq-sigmoid", "eq-sigmoid-stable", "eq-relu", "eq-leaky-relu", "eq-elu", "eq-softplus",
    "eq-softplus-stable", "eq-silu", "eq-tanh", "eq-identity-prime", "eq-sigmoid-prime", "eq-sigmoid-prime-stable",
    "eq-tanh-prime", "eq-tanh-prime-stable", "eq-relu-prime", "eq-leaky-relu-prime", "eq-elu-prime",
    "eq-softplus-prime", "eq-silu-prime",
)  # fmt: skip
def test_the_printed_activations_and_their_slopes_are_those_of_pytorch(torch):
    F = torch.nn.functional
    theirs = {
        "identity": lambda z: z * 1.0, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu,
        "leaky-relu": F.leaky_relu, "elu": F.elu, "softplus": F.softplus, "silu": F.silu,
    }  # fmt: skip
    for name, f in theirs.items():
        for z in POINTS:
            value, prime = slope(torch, f, z)
            agree(PRINTED.side("eq-tanh", 0, z=z) if name == "tanh" else PRINTED.right(f"eq-{name}", z=z), value, 1e-7)
            agree(PRINTED.side(f"eq-{name}-prime", z=z), prime)
            for stable, what in ((f"eq-{name}-stable", value), (f"eq-{name}-prime-stable", prime)):
                if stable in PRINTED.homes:
                    agree(PRINTED.side(stable, z=z), what, 1e-7)


# --- losses ----------------------------------------------------------------------------


@pytest.mark.witness
@pytest.mark.equations(
    "eq-mae", "eq-mse", "eq-huber", "eq-mae-gradient", "eq-mse-gradient", "eq-huber-gradient", "eq-huber-entry",
    "eq-huber-clipped", "eq-huber-short",
)  # fmt: skip
def test_the_printed_losses_and_gradients_are_those_of_pytorch(torch):
    F, home = torch.nn.functional, "losses.md"
    kappa = float(PRINTED.value(home, r"\kappa"))
    theirs = {"mae": F.l1_loss, "mse": F.mse_loss, "huber": functools.partial(F.huber_loss, delta=kappa)}
    for name, f in theirs.items():
        guess = leaf(torch, home, r"\hat{Y}")
        value = f(guess, torch.tensor(PRINTED.value(home, "Y")))
        value.backward()
        agree(PRINTED.right(f"eq-{name}"), value)
        agree(PRINTED.side(f"eq-{name}-gradient"), guess.grad)
    for r in POINTS:
        value, prime = slope(torch, lambda r: theirs["huber"](r, torch.zeros((), dtype=r.dtype)), r)
        agree(PRINTED.right("eq-huber-entry", r=r), value)
        agree(PRINTED.side("eq-huber-short", r=r), value)
        agree(PRINTED.side("eq-huber-clipped", r=r), prime)


# --- classification --------------------------------------------------------------------


@pytest.mark.witness
@pytest.mark.equations(
    "eq-softmax", "eq-log-softmax", "eq-log-softmax-stable", "eq-cross-entropy-sample", "eq-softmax-batch",
    "eq-cross-entropy", "eq-softmax-jacobian", "eq-cross-entropy-sample-gradient", "eq-cross-entropy-gradient",
    "eq-cross-entropy-gradient-stable", "eq-log-softmax-slope", "eq-likelihood", "eq-likelihood-normal",
)  # fmt: skip
def test_softmax_and_cross_entropy_are_those_of_pytorch(torch):
    F, home = torch.nn.functional, "classification.md"
    z = leaf(torch, home, "z")
    m = len(z)
    y = torch.tensor(PRINTED.value(home, "y"))
    logs = F.log_softmax(z, 0)
    value = F.cross_entropy(z.T, y.T)
    value.backward()
    agree(PRINTED.side("eq-log-softmax"), logs)
    agree(PRINTED.right("eq-cross-entropy-sample"), value)
    agree(PRINTED.side("eq-cross-entropy-sample-gradient"), z.grad)
    softmax = functools.partial(F.softmax, dim=0)
    jacobian = torch.autograd.functional.jacobian(softmax, z.detach()[:, 0])
    agree(PRINTED.side("eq-softmax-jacobian"), jacobian)
    slopes = torch.autograd.functional.jacobian(functools.partial(F.log_softmax, dim=0), z.detach()[:, 0])
    for i, j in ((1, 1), (1, 2), (2, 1)):
        agree(PRINTED.side("eq-log-softmax-slope", i=i, j=j), slopes[i - 1, j - 1])
    for i in range(1, m + 1):
        agree(PRINTED.right("eq-softmax", i=i), softmax(z)[i - 1, 0])
        agree(PRINTED.side("eq-cross-entropy-gradient-stable", i=i), z.grad[i - 1, 0])
        for k in range(1, m + 1):
            agree(PRINTED.side("eq-log-softmax-stable", i=i, k=k), logs[i - 1, 0])
    Z = leaf(torch, home, "Z")
    loss = F.cross_entropy(Z.T, torch.tensor(PRINTED.value(home, "Y")).T)
    loss.backward()
    agree(PRINTED.right("eq-cross-entropy"), loss)
    agree(PRINTED.side("eq-cross-entropy-gradient"), Z.grad)
    agree(PRINTED.right("eq-softmax-batch", i=2, s=1), softmax(Z)[1, 0])
    agree(PRINTED.side("eq-likelihood"), (softmax(Z) ** torch.tensor(PRINTED.value(home, "Y"))).prod())
    t, u, sigma = (torch.tensor(PRINTED.value(home, name)) for name in ("t", "u", r"\sigma"))
    agree(PRINTED.side("eq-likelihood-normal"), -torch.distributions.Normal(u, sigma).log_prob(t))


# --- the rules of matrix calculus -----------------------------------------------------


def smooth(torch, home: str, name: str):
    """The smooth function that the checker drew, in PyTorch."""
    scope = PRINTED.page(home)[0].scopes[0]
    d = scope.known.declared(name)
    rng = scope.draw.stream(name, "function")
    (size,) = scope.shape(d, space=d.arguments[0])
    inner = torch.tensor(rng.standard_normal((3, size)) / np.sqrt(size))
    outer = torch.tensor(rng.standard_normal((1, 3)))

    def f(column):
        hidden = inner @ column
        return (outer @ (torch.sin(hidden + 0.4) + 0.3 * hidden * hidden))[0, 0]

    return f


def jacobian_of(torch, f, x):
    """Numerator layout: the columns of both sides, matrices as their vec."""

    def flat(v):
        return f(v.reshape(x.shape[1], x.shape[0]).T).T.reshape(-1)

    return torch.autograd.functional.jacobian(flat, x.detach().T.reshape(-1))


@pytest.mark.witness
@pytest.mark.equations(
    "eq-chain-rule", "eq-gradient-is-column", "eq-jacobian", "eq-jacobian-input", "eq-jacobian-bias",
    "eq-jacobian-entrywise", "eq-jacobian-weights", "eq-weights-vec", "eq-gradient-weights", "eq-gradient-input",
    "eq-calculus-through-activation",
)  # fmt: skip
def test_the_rules_for_one_sample_are_what_pytorch_differentiates(torch):
    home = "calculus.md"
    W, x, b = (leaf(torch, home, name) for name in "Wxb")
    g = smooth(torch, home, "g")
    z = W @ x + b
    a = torch.tanh(z)
    z.retain_grad()
    loss = g(a)
    loss.backward()
    agree(PRINTED.value(home, r"\ell"), loss)
    agree(PRINTED.side("eq-chain-rule"), x.grad.T)
    agree(PRINTED.side("eq-gradient-is-column"), x.grad)
    agree(PRINTED.side("eq-jacobian-input"), jacobian_of(torch, lambda x: W @ x + b, x))
    agree(PRINTED.side("eq-jacobian-bias"), jacobian_of(torch, lambda b: W @ x + b, b))
    agree(PRINTED.side("eq-jacobian-weights"), jacobian_of(torch, lambda W: W @ x + b, W))
    agree(PRINTED.side("eq-jacobian-entrywise"), jacobian_of(torch, torch.tanh, z))
    whole = jacobian_of(torch, lambda x: torch.tanh(W @ x + b), x)
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            agree(PRINTED.side("eq-jacobian", i=i + 1, j=j + 1), whole[i, j])
    vec = W.grad.T.reshape(-1, 1)
    agree(PRINTED.side("eq-weights-vec", side=1), vec)
    agree(PRINTED.side("eq-weights-vec", side=2), vec)
    agree(PRINTED.right("eq-calculus-delta"), z.grad)
    agree(PRINTED.side("eq-calculus-through-activation"), z.grad)
    agree(PRINTED.side("eq-gradient-weights"), W.grad)
    agree(PRINTED.side("eq-gradient-input", 0), x.grad)
    agree(PRINTED.side("eq-gradient-input", 1), b.grad)


@pytest.mark.witness
@pytest.mark.equations(
    "eq-jacobian-batch-input", "eq-jacobian-batch-weights", "eq-batch-gradients", "eq-batch-sum",
    "eq-calculus-batch-delta", "eq-batch-vec", "eq-batch-weights-vec",
)  # fmt: skip
def test_the_rules_for_a_batch_are_what_pytorch_differentiates(torch):
    home = "calculus.md"
    W, X, b = (leaf(torch, home, name) for name in "WXb")
    h = smooth(torch, home, "h")
    Z = W @ X + b
    Z.retain_grad()
    loss = h(Z.T.reshape(-1, 1))
    loss.backward()
    agree(PRINTED.value(home, r"\mathcal{L}"), loss)
    agree(PRINTED.side("eq-jacobian-batch-input"), jacobian_of(torch, lambda X: W @ X + b, X))
    agree(PRINTED.side("eq-jacobian-batch-weights", 0), jacobian_of(torch, lambda W: W @ X + b, W))
    agree(PRINTED.side("eq-jacobian-batch-weights", 1), jacobian_of(torch, lambda b: W @ X + b, b))
    agree(PRINTED.right("eq-calculus-batch-delta"), Z.grad)
    for k, theirs in enumerate((X, W, b)):
        agree(PRINTED.side("eq-batch-gradients", k), theirs.grad)
    agree(PRINTED.side("eq-batch-vec", 0, side=0), X.grad.T.reshape(-1, 1))
    agree(PRINTED.side("eq-batch-vec", 1, side=0), b.grad)
    agree(PRINTED.side("eq-batch-weights-vec", side=0), W.grad.T.reshape(-1, 1))
    agree(PRINTED.side("eq-batch-sum", i=2, j=1), W.grad[1, 0])


@pytest.mark.equations("eq-vec", "eq-kronecker", "eq-vec-product", "eq-diagonal-hadamard")
def test_vec_and_kronecker_are_those_of_sympy():
    home = "calculus.md"
    from sympy.physics.quantum import TensorProduct

    A, M, C, u, w = (sympy.Matrix(PRINTED.value(home, name)) for name in ("A", "M", "C", "u", "w"))
    agree(PRINTED.side("eq-kronecker", side=0), TensorProduct(C, A))
    agree(PRINTED.side("eq-kronecker"), TensorProduct(C, A))
    agree(PRINTED.side("eq-vec-product", side=0), (A * M * C).vec())
    agree(PRINTED.side("eq-vec-product"), (A * M * C).vec())
    agree(PRINTED.side("eq-diagonal-hadamard"), sympy.diag(*u) * w)
    for i in range(A.rows):
        for j in range(A.cols):
            agree(PRINTED.side("eq-vec", i=i + 1, j=j + 1), A[i, j])


@pytest.mark.equations("eq-partial", "eq-calculus-activation")
def test_partial_derivatives_are_those_of_sympy():
    r, s = sympy.symbols("r s")
    home = "calculus.md"
    at = {r: float(PRINTED.value(home, "r")), s: float(PRINTED.value(home, "s"))}
    agree(PRINTED.side("eq-partial", 0), sympy.diff(r**2 * s, r).subs(at))
    agree(PRINTED.side("eq-partial", 1), sympy.diff(r**2 * s, s).subs(at))
    agree(PRINTED.right("eq-calculus-activation"), sympy.tanh(at[r]))


# --- backpropagation -------------------------------------------------------------------


@pytest.mark.witness
@pytest.mark.equations(
    "eq-backprop-two-layer-loss", "eq-backprop-chain-second", "eq-backprop-chain-first", "eq-backprop-chain-first-bias",
    "eq-backprop-row-output", "eq-backprop-row-hidden", "eq-backprop-row-recursion", "eq-backprop-last-factor-second",
    "eq-backprop-last-factor-first", "eq-backprop-column-recursion", "eq-backprop-two-layer-weights",
)  # fmt: skip
def test_two_layers_backwards_are_what_pytorch_differentiates(torch):
    home = "backpropagation.md"
    x, y, U, q, V, r = (leaf(torch, home, name) for name in "xyUqVr")
    z = U @ x + q
    y_hat = V @ torch.tanh(z) + r
    z.retain_grad(), y_hat.retain_grad()
    loss = torch.nn.functional.mse_loss(y_hat, y)
    loss.backward()
    agree(PRINTED.right("eq-backprop-two-layer-loss"), loss)

    def row(of):
        return of.grad.T.reshape(1, -1)

    for label, one, two in (("chain-second", V, r), ("last-factor-second", V, r), ("last-factor-first", U, q)):
        agree(PRINTED.side(f"eq-backprop-{label}", 0), row(one))
        agree(PRINTED.side(f"eq-backprop-{label}", 1), row(two))
    agree(PRINTED.side("eq-backprop-chain-first"), row(U))
    agree(PRINTED.side("eq-backprop-chain-first-bias"), row(q))
    agree(PRINTED.side("eq-backprop-row-output"), row(y_hat))
    agree(PRINTED.side("eq-backprop-row-hidden"), row(z))
    agree(PRINTED.side("eq-backprop-row-recursion"), row(z))
    agree(PRINTED.side("eq-backprop-column-recursion"), z.grad)
    agree(PRINTED.side("eq-backprop-two-layer-weights", 0), V.grad)
    agree(PRINTED.side("eq-backprop-two-layer-weights", 1), U.grad)


def network(torch, home: str, activation, last):
    """A network of L layers in PyTorch, with the values of a page; every Z and A keeps its gradient."""
    L = int(PRINTED.value(home, "L"))
    W = {l: leaf(torch, home, "W", l) for l in range(1, L + 1)}
    b = {l: leaf(torch, home, "b", l) for l in range(1, L + 1)}
    A, Z = {0: leaf(torch, home, "X")}, {}
    for l in range(1, L + 1):
        Z[l] = W[l] @ A[l - 1] + b[l]
        A[l] = (activation if l < L else last)(Z[l])
        Z[l].retain_grad(), A[l].retain_grad()
    loss = torch.nn.functional.mse_loss(A[L], torch.tensor(PRINTED.value(home, "Y")))
    loss.backward()
    return L, W, b, Z, A, loss


@pytest.mark.witness
@pytest.mark.equations(
    "eq-backprop-layer", "eq-backprop-prediction", "eq-backprop-loss", "eq-backprop-delta", "eq-backprop-loss-gradient",
    "eq-backprop-start", "eq-backprop-paths", "eq-backprop-recursion", "eq-backprop-weight-entry",
    "eq-backprop-weights", "eq-backprop-biases", "eq-backprop-input",
)  # fmt: skip
def test_a_batch_backwards_is_what_pytorch_differentiates(torch):
    L, W, b, Z, A, loss = network(torch, "backpropagation.md", torch.tanh, torch.tanh)
    agree(PRINTED.right("eq-backprop-loss"), loss)
    agree(PRINTED.right("eq-backprop-prediction"), A[L])
    agree(PRINTED.side("eq-backprop-loss-gradient"), A[L].grad)
    agree(PRINTED.side("eq-backprop-start"), Z[L].grad)
    agree(PRINTED.side("eq-backprop-input"), A[0].grad)
    for l in range(1, L + 1):
        agree(PRINTED.right("eq-backprop-layer", 1, l=l), Z[l])
        agree(PRINTED.right("eq-backprop-layer", 2, l=l), A[l])
        agree(PRINTED.right("eq-backprop-delta", l=l), Z[l].grad)
        agree(PRINTED.side("eq-backprop-weights", l=l), W[l].grad)
        agree(PRINTED.side("eq-backprop-biases", l=l), b[l].grad)
        if l > 1:
            agree(PRINTED.side("eq-backprop-recursion", l=l), Z[l - 1].grad)
    for i, j, k in ((1, 1, 1), (2, 1, 2), (1, 2, 2)):
        agree(PRINTED.side("eq-backprop-paths", j=j, k=k), A[1].grad[j - 1, k - 1])
        agree(PRINTED.side("eq-backprop-weight-entry", i=i, j=j), W[2].grad[i - 1, j - 1])


@pytest.mark.witness
@pytest.mark.equations(
    "eq-network-hidden", "eq-network-output", "eq-network-loss", "eq-network-delta", "eq-network-delta-last",
    "eq-network-recursion", "eq-network-gradients", "eq-network-step", "eq-network-bias-step",
)  # fmt: skip
def test_the_network_of_the_book_is_what_pytorch_differentiates(torch):
    home = "network.md"
    L, W, b, Z, A, loss = network(torch, home, torch.relu, lambda z: z * 1.0)
    agree(PRINTED.right("eq-network-loss"), loss)
    agree(PRINTED.right("eq-network-output"), A[L])
    agree(PRINTED.side("eq-network-delta-last"), Z[L].grad)
    optimiser = torch.optim.SGD([*W.values(), *b.values()], lr=float(PRINTED.value(home, r"\alpha")))
    for l in range(1, L + 1):
        agree(PRINTED.right("eq-network-hidden", 0, l=l), Z[l])
        agree(PRINTED.right("eq-network-hidden", 1, l=l), A[l])
        agree(PRINTED.right("eq-network-delta", l=l), Z[l].grad)
        agree(PRINTED.side("eq-network-gradients", 0, l=l), W[l].grad)
        agree(PRINTED.side("eq-network-gradients", 1, l=l), b[l].grad)
        if l > 1:
            agree(PRINTED.side("eq-network-recursion", l=l), Z[l - 1].grad)
    optimiser.step()
    for l in range(1, L + 1):
        agree(PRINTED.right("eq-network-step", l=l), W[l])
        agree(PRINTED.right("eq-network-bias-step", l=l), b[l])


@pytest.mark.witness
@pytest.mark.equations("eq-neuron", "eq-neuron-slopes", "eq-neuron-dot", "eq-layer-by-loops", "eq-affine-batch",
                       "eq-affine-batch-entry", "eq-forward-layer", "eq-forward-output", "eq-forward-composed")  # fmt: skip
def test_forward_is_that_of_pytorch(torch):
    linear, home = torch.nn.functional.linear, "neuron.md"
    w, x, beta = leaf(torch, home, "w"), leaf(torch, home, "x"), leaf(torch, home, r"\beta")
    s = linear(x.T, w.T, beta.reshape(1))[0, 0]
    s.backward()
    agree(PRINTED.right("eq-neuron"), s)
    agree(PRINTED.side("eq-neuron-dot"), s)
    for j in range(1, len(w) + 1):
        agree(PRINTED.side("eq-neuron-slopes", 0, j=j), x.grad[j - 1, 0])
        agree(PRINTED.side("eq-neuron-slopes", 1, j=j), w.grad[j - 1, 0])
    agree(PRINTED.side("eq-neuron-slopes", 2), beta.grad)
    W, b = leaf(torch, home, "W"), leaf(torch, home, "b")
    for i in range(1, len(b) + 1):
        agree(PRINTED.right("eq-layer-by-loops", i=i), linear(x.T, W, b[:, 0])[0, i - 1])
    W, X, b = (leaf(torch, "layer.md", name) for name in "WXb")
    agree(PRINTED.right("eq-affine-batch"), linear(X.T, W, b[:, 0]).T)
    agree(PRINTED.side("eq-affine-batch-entry", i=2, k=1), linear(X.T, W, b[:, 0])[0, 1])
    home = "forward_pass.md"
    L = int(PRINTED.value(home, "L"))
    A = leaf(torch, home, "X").T
    for l in range(1, L + 1):
        Z = linear(A, leaf(torch, home, "W", l), leaf(torch, home, "b", l)[:, 0])
        agree(PRINTED.right("eq-forward-layer", 0, l=l), Z.T)
        A = torch.relu(Z) if l < L else Z
        agree(PRINTED.right("eq-forward-layer", 1, l=l), A.T)
    agree(PRINTED.right("eq-forward-output"), A.T)
    agree(PRINTED.side("eq-forward-composed"), Z.T)


# --- descent and training -------------------------------------------------------------


@pytest.mark.equations(
    "eq-quadratic", "eq-quadratic-prime", "eq-quadratic-minimum", "eq-quadratic-square", "eq-quadratic-iterate",
    "eq-descent-factor",
)  # fmt: skip
def test_the_parabola_is_solved_by_sympy():
    home = "descent.md"
    x, t, alpha = sympy.symbols("x t alpha")
    f = x**2 - 4 * x + 5
    (lowest,) = sympy.solve(sympy.diff(f, x), x)
    agree(PRINTED.right("eq-quadratic-minimum"), lowest)
    agree(PRINTED.side("eq-quadratic-minimum", 1), f.subs(x, lowest))
    for place in POINTS:
        agree(PRINTED.right("eq-quadratic", x=place), f.subs(x, place))
        agree(PRINTED.side("eq-quadratic-square", x=place), f.subs(x, place))
        agree(PRINTED.side("eq-quadratic-prime", 0, x=place), sympy.diff(f, x).subs(x, place))
        agree(PRINTED.side("eq-quadratic-prime", 1, x=place), sympy.diff(f, x, 2).subs(x, place))
    X, start = sympy.Function("X"), sympy.Symbol("X_0")
    step = X(t + 1) - (X(t) - alpha * sympy.diff(f, x).subs(x, X(t)))
    closed = sympy.rsolve(sympy.expand(step), X(t), {X(0): start})
    at = {start: float(PRINTED.value(home, "x_0")), alpha: float(PRINTED.value(home, r"\alpha"))}
    for k in range(5):
        here = closed.subs(at | {t: k}).evalf()
        agree(PRINTED.side("eq-quadratic-iterate", t=k), here - lowest)
        agree(PRINTED.side("eq-descent-factor", t=k), closed.subs(at | {t: k + 1}).evalf() - lowest)


@pytest.mark.equations(
    "eq-axes", "eq-hessian", "eq-bowl", "eq-bowl-factors", "eq-stability-limit", "eq-best-rate", "eq-condition",
    "eq-best-factor",
)  # fmt: skip
def test_the_bowl_is_solved_by_sympy():
    home = "descent.md"
    c_1, c_2, phi, alpha, beta = sympy.symbols("c_1 c_2 varphi alpha beta", positive=True)
    v = sympy.Matrix(sympy.symbols("v_1 v_2"))
    turn = sympy.Matrix([[sympy.cos(phi), -sympy.sin(phi)], [sympy.sin(phi), sympy.cos(phi)]])
    H = turn * sympy.diag(c_1, c_2) * turn.T
    numbers = {s: float(PRINTED.value(home, name)) for s, name in
               ((c_1, "c_1"), (c_2, "c_2"), (phi, r"\varphi"), (alpha, r"\alpha"))}  # fmt: skip
    point = dict(zip(v, map(float, PRINTED.value(home, "v").ravel())))
    agree(PRINTED.right("eq-axes", 0), turn[:, 0].subs(numbers))
    agree(PRINTED.right("eq-axes", 1), turn[:, 1].subs(numbers))
    agree(PRINTED.right("eq-hessian"), H.subs(numbers))
    bowl = (v.T * H * v)[0] / 2
    agree(PRINTED.right("eq-bowl"), bowl.subs(numbers | point))
    agree(PRINTED.side("eq-bowl"), sympy.Matrix([bowl]).jacobian(v).T.subs(numbers | point))
    step = (sympy.eye(2) - alpha * H).subs(numbers)
    start = sympy.Matrix(PRINTED.value(home, "v_0"))
    for t in range(5):
        for k in (0, 1):
            agree(PRINTED.side("eq-bowl-factors", k, t=t), (turn[:, k].subs(numbers).T * step**t * start)[0])
    curvatures = [complex(value).real for value in H.subs(numbers).evalf().eigenvals()]
    agree(PRINTED.right("eq-stability-limit"), 2 / max(curvatures))
    agree(PRINTED.right("eq-condition"), max(curvatures) / min(curvatures))
    (best,) = sympy.solve(sympy.Eq(1 - beta * c_1, -(1 - beta * c_2)), beta)
    agree(PRINTED.right("eq-best-rate"), best.subs(numbers))
    for k in (0, 1):
        agree(PRINTED.side("eq-best-factor", k), abs((1 - best * c_1).subs(numbers)))


@pytest.mark.equations(
    "eq-check-cubic", "eq-one-sided-difference", "eq-central-difference", "eq-complex-step", "eq-best-step",
)  # fmt: skip
def test_the_errors_of_the_differences_are_those_of_sympy():
    home = "gradient_check.md"
    names = {"u": "u", "h": "h", "alpha": r"\alpha", "beta": r"\beta", "gamma": r"\gamma", "kappa": r"\kappa"}
    symbols = {name: sympy.Symbol(name, real=True) for name in names}
    at = {symbols[name]: float(PRINTED.value(home, tex)) for name, tex in names.items()}
    u, h, alpha, beta, gamma, kappa = symbols.values()

    def p(z):
        return alpha + beta * z + gamma * z**2 + kappa * z**3

    agree(PRINTED.right("eq-check-cubic"), p(u).subs(at))
    agree(PRINTED.side("eq-one-sided-difference"), ((p(u + h) - p(u)) / h).subs(at))
    agree(PRINTED.side("eq-central-difference"), ((p(u + h) - p(u - h)) / (2 * h)).subs(at))
    agree(PRINTED.right("eq-complex-step"), (sympy.im(sympy.expand(p(u + sympy.I * h))) / h).subs(at))
    M, F, epsilon = sympy.symbols("M F epsilon", positive=True)
    h = sympy.Symbol("h", positive=True)
    (best,) = sympy.solve(sympy.diff(M * h**2 / 6 + epsilon * F / h, h), h)
    values = {M: float(PRINTED.value(home, "M")), F: float(PRINTED.value(home, "F")),
              epsilon: float(PRINTED.value(home, r"\epsilon"))}  # fmt: skip
    check, works = PRINTED.page(home)
    printed = works["eq-best-step"].claims[0][0][0][1][0]  # the argument of T'
    agree(PRINTED.spoilt("eq-best-step", check.scopes[0].value(printed)), best.subs(values))


@pytest.mark.witness
@pytest.mark.equations(
    "eq-sgd", "eq-velocity", "eq-momentum", "eq-velocity-sum", "eq-adam-m", "eq-adam-v", "eq-adam-sums",
    "eq-adam", "eq-adam-first",
)  # fmt: skip
def test_the_printed_steps_are_those_of_the_optimisers_of_pytorch(torch):
    home = "optimisers.md"
    alpha, beta, beta_1, beta_2, epsilon = (
        float(PRINTED.value(home, name)) for name in (r"\alpha", r"\beta", r"\beta_1", r"\beta_2", r"\epsilon")
    )
    make = {
        "eq-sgd": lambda w: torch.optim.SGD(w, lr=alpha),
        "eq-momentum": lambda w: torch.optim.SGD(w, lr=alpha, momentum=beta),
        "eq-adam": lambda w: torch.optim.Adam(w, lr=alpha, betas=(beta_1, beta_2), eps=epsilon),
    }
    for label, optimiser in make.items():
        weight = leaf(torch, home, r"\theta")
        theirs = optimiser([weight])
        for t in range(1, 5):
            before = weight.detach().clone()
            weight.grad = torch.tensor(PRINTED.value(home, "g", t))
            theirs.step()
            agree(PRINTED.right(label, t=t), weight.detach() - before)
            state = theirs.state[weight]
            if label == "eq-momentum":
                agree(PRINTED.right("eq-velocity", t=t), state["momentum_buffer"])
                agree(PRINTED.side("eq-velocity-sum", t=t), state["momentum_buffer"])
            if label == "eq-adam":
                agree(PRINTED.right("eq-adam-m", t=t), state["exp_avg"])
                agree(PRINTED.right("eq-adam-v", t=t), state["exp_avg_sq"])
                agree(PRINTED.side("eq-adam-sums", 0, t=t), state["exp_avg"])
                agree(PRINTED.side("eq-adam-sums", 1, t=t), state["exp_avg_sq"])
            if label == "eq-adam" and t == 1:
                agree(PRINTED.side("eq-adam-first"), weight.detach() - before)


@pytest.mark.equations("eq-momentum-direction", "eq-momentum-roots", "eq-momentum-polyak", "eq-momentum-ends")
def test_the_best_momentum_of_a_valley_is_that_of_sympy():
    home, r, a, b = "optimisers.md", sympy.Symbol("r"), sympy.Symbol("a"), sympy.Symbol("b")
    names = (r"\alpha", r"\beta", r"\lambda", r"\lambda_1", r"\lambda_2", "x_0", "x_1", "r")
    alpha, beta, curvature, low, high, x_0, x_1, at = (float(PRINTED.value(home, name)) for name in names)
    c = sympy.Symbol("c")
    step = sympy.Matrix([[1 - a * c, -a * b], [c, b]])  # of distance and velocity in a direction of curvature c
    now = step.subs({a: alpha, b: beta, c: curvature})
    agree(PRINTED.right("eq-momentum-direction"), (now * sympy.Matrix([x_1, (x_0 - x_1) / alpha]))[0])
    agree(PRINTED.side("eq-momentum-roots"), now.charpoly(r).as_expr().subs(r, at) * x_0)
    trace, best = step.trace(), [float(PRINTED.right("eq-momentum-polyak", made)) for made in (0, 1)]
    for k, end in enumerate((low, high)):  # there the two factors are one: trace² = 4 determinant
        agree(PRINTED.side("eq-momentum-ends", k), (trace**2).subs({a: best[0], b: best[1], c: end}))


@pytest.mark.equations("eq-momentum-weights", "eq-adam-weights")
def test_the_geometric_sums_are_those_of_sympy():
    home, b, s = "optimisers.md", sympy.Symbol("b"), sympy.Symbol("s", integer=True)
    for t in range(1, 5):
        total = sympy.summation(b ** (t - s), (s, 1, t))
        agree(PRINTED.side("eq-momentum-weights", t=t), total.subs(b, float(PRINTED.value(home, r"\beta"))))
        both = ((1 - b) * total).subs(b, float(PRINTED.value(home, r"\beta_1")))
        agree(PRINTED.side("eq-adam-weights", t=t), both)


@pytest.mark.witness
@pytest.mark.equations("eq-training-step", "eq-training-linear", "eq-training-normal", "eq-training-batch-loss")
def test_the_steps_and_the_line_of_training_are_those_of_pytorch(torch):
    home = "training.md"
    weight = leaf(torch, home, r"\theta_0")
    theirs = torch.optim.SGD([weight], lr=float(PRINTED.value(home, r"\alpha")))
    for t in range(5):
        weight.grad = torch.tensor(PRINTED.value(home, "g", t))
        theirs.step()
        agree(PRINTED.right("eq-training-step", t=t), weight)
    W, b = leaf(torch, home, "W"), leaf(torch, home, "b")
    X, Y = (torch.tensor(PRINTED.value(home, name)) for name in "XY")
    loss = torch.nn.functional.mse_loss(W @ X + b, Y)
    loss.backward()
    agree(PRINTED.right("eq-training-linear", 1), loss)
    agree(PRINTED.side("eq-training-normal", 0), W.grad)
    agree(PRINTED.side("eq-training-normal", 1), b.grad)
    guess = torch.tensor(PRINTED.value(home, r"\hat{Y}"))
    agree(PRINTED.right("eq-training-batch-loss"), torch.nn.functional.mse_loss(guess, Y))


@pytest.mark.witness
@pytest.mark.equations("eq-gradient", "eq-directional-derivative", "eq-steepest", "eq-descent-many")
def test_descent_in_many_variables_is_that_of_pytorch(torch):
    home = "descent.md"
    g, theta = smooth(torch, home, "g"), leaf(torch, home, r"\theta")
    (gradient,) = torch.autograd.grad(g(theta), theta)
    agree(PRINTED.side("eq-gradient"), gradient)
    agree(PRINTED.right("eq-steepest"), gradient / torch.linalg.norm(gradient))
    s, u = leaf(torch, home, "s"), torch.tensor(PRINTED.value(home, "u"))
    agree(PRINTED.side("eq-directional-derivative"), torch.autograd.grad(g(theta.detach() + s * u), s)[0])
    weight = leaf(torch, home, r"\theta_0")
    theirs = torch.optim.SGD([weight], lr=float(PRINTED.value(home, r"\alpha")))
    for t in range(5):
        theirs.zero_grad()
        g(weight).backward()
        theirs.step()
        agree(PRINTED.right("eq-descent-many", t=t), weight)


@pytest.mark.equations("eq-dent", "eq-parabola-gain", "eq-exponential")
def test_the_other_curves_of_descent_are_those_of_sympy():
    x, home = sympy.Symbol("x"), "descent.md"
    dent = x**2 / (1 + x**2)
    alpha = float(PRINTED.value(home, r"\alpha"))
    f = x**2 - 4 * x + 5
    for place in POINTS:
        agree(PRINTED.right("eq-dent", x=place), dent.subs(x, place))
        agree(PRINTED.side("eq-dent", 0, 0, x=place), sympy.diff(dent, x, 2).subs(x, place), 1e-6)
        agree(PRINTED.side("eq-exponential", 0, 0, x=place), sympy.diff(sympy.exp(x), x, 2).subs(x, place), 1e-6)
        step = place - alpha * sympy.diff(f, x).subs(x, place)
        agree(PRINTED.side("eq-parabola-gain", x=place), f.subs(x, step))


@pytest.mark.witness
@pytest.mark.equations("eq-data-mean", "eq-data-deviation", "eq-data-standardise", "eq-data-unstandardise")
def test_the_scale_of_the_data_is_that_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.preprocessing")
    X = PRINTED.value("data.md", "X")
    scaler = sklearn.StandardScaler().fit(X.T)
    scaled = scaler.transform(X.T).T
    for i in range(X.shape[0]):
        agree(PRINTED.right("eq-data-mean", i=i + 1), scaler.mean_[i])
        agree(PRINTED.right("eq-data-deviation", i=i + 1), scaler.scale_[i])
        for k in range(X.shape[1]):
            agree(PRINTED.right("eq-data-standardise", i=i + 1, k=k + 1), scaled[i, k])
            agree(PRINTED.side("eq-data-unstandardise", i=i + 1, k=k + 1), scaler.inverse_transform(scaled.T).T[i, k])


# --- this file can fail ---------------------------------------------------------------


WITNESSES = [f for name, f in list(globals().items()) if name.startswith("test_")]


def labels(witness) -> tuple[str, ...]:
    return next(mark.args for mark in witness.pytestmark if mark.name == "equations")


@pytest.mark.witness
@pytest.mark.parametrize("witness", WITNESSES, ids=lambda f: f.__name__)
def test_each_witness_contradicts_each_of_its_equations_when_that_is_wrong(witness, torch, monkeypatch):
    silent = []
    for label in labels(witness):
        monkeypatch.setattr(PRINTED, "wrong", label)
        try:
            witness(**({"torch": torch} if inspect.signature(witness).parameters else {}))
            silent.append(label)
        except AssertionError:
            continue
    assert not silent
