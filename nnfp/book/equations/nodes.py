"""The tree of an equation, and questions that are answered by walking through it."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. Equality looks at kind and parts; `span` is the place in the TeX.

    num(value) sym(name) sub(base, indices) layer(base, index) star(base) prime(base, order)
    call(function, arguments) T(a) neg(a) plus(a, b) minus(a, b) mul(a, b) div(a, b) pow(a, b)
    odot(a, b) kron(a, b) abs(a) norm(a, order) sqrt(a) fold(operation, variable, low, high, body)
    deriv(of, variable) grad(of, variable) hessian(of, variable) mean(a) indicator(relation)
    cases(rows) block(rows) dots() argmin(variable, body) limit(variable, target, side, body)
    rel(sides, relations) iff(a, b) implies(a, b)
    """

    kind: str
    parts: tuple
    span: tuple[int, int] = field(default=(0, 0), compare=False)
    name: str | None = field(default=None, compare=False, repr=False, init=False)
    names: frozenset[str] = field(default=frozenset(), compare=False, repr=False, init=False)

    def __post_init__(self):
        """Names are asked for at every step of an evaluation: found once."""
        found = set().union(*(child.names for child in children(self)), set())
        name = _name(self)
        if name is not None:
            found.add(name)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "names", frozenset(found))

    def __getitem__(self, k: int):
        return self.parts[k]


def children(node: Node) -> Iterator[Node]:
    """The parts of a node that are nodes themselves, also inside tuples."""

    def within(parts):
        for part in parts:
            if isinstance(part, Node):
                yield part
            elif isinstance(part, tuple):
                yield from within(part)

    return within(node.parts)


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from walk(child)


def name_of(node: Node) -> str | None:
    """The TeX name of a symbol, with star, numeral or letter subscripts; None for the rest."""
    return node.name


def _name(node: Node) -> str | None:
    if node.kind == "sym":
        return node[0]
    if node.kind == "star":
        base = node[0].name
        return base and base + "^*"
    if node.kind == "sub":
        base = name_of(node[0])
        parts = [str(i[0]) if i.kind in ("num", "sym") else None for i in node[1]]
        return None if base is None or None in parts else f"{base}_{''.join(parts)}"
    return None


def base_of(node: Node) -> str | None:
    """The name without subscripts, layers and arguments: z for z^{[l]}_i, f for f(x)."""
    while node.kind in ("sub", "layer", "call", "prime"):
        node = node[0]
    return name_of(node)


def names_in(node: Node) -> frozenset[str]:
    """Every name that may be looked up: of x_0 both x_0 and x."""
    return node.names


def replace(node, old: Node, new: Node):
    """The tree with one node, found by identity, put in the place of another."""
    if node is old:
        return new
    if isinstance(node, Node):
        parts = tuple(replace(part, old, new) for part in node.parts)
        return node if all(a is b for a, b in zip(parts, node.parts)) else Node(node.kind, parts, node.span)
    if isinstance(node, tuple):
        return tuple(replace(part, old, new) for part in node)
    return node
