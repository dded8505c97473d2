"""What the reader is told about an equation: its symbols, in order of first appearance."""

from collections.abc import Iterable

from nnfp.book.equations.definitions import Knowledge
from nnfp.book.equations.nodes import Node, children, name_of, walk
from nnfp.book.equations.notation import Declaration

Row = tuple[str, str, str]  # as written in the table: symbol, domain, meaning


def symbols(known: Knowledge, trees: Iterable[Node]) -> list[Row]:
    """The rows of the notation table that the trees use, without repetition."""
    found: list[tuple[tuple[int, int], Row]] = []
    for tree in trees:
        visit(known, tree, found)
    rows: dict[str, Row] = {}
    for _, row in sorted(found, key=lambda item: item[0]):
        rows.setdefault(row[0], row)
    return list(rows.values())


def visit(known: Knowledge, node: Node, found: list) -> None:
    """A name with its subscripts is one symbol where the table says so, else base and subscripts."""
    name = name_of(node)
    d = known.declared(name) if name else None
    if node.kind == "sym":
        d = d or known.family(name)
    elif node.kind == "layer" and node[1].kind == "num":
        d = known.table.get((name_of(node[0]), str(node[1][0])))
    elif node.kind == "sub" and d is None and name_of(node[0]) and len(node[1]) == 1:
        d = counted(known, node)
        if d is not None:  # n_l, where the table has n_0, n_1, n_2
            letter = next((part[0] for part in walk(node[1][0]) if part.kind == "sym"), "l")
            found.append((node.span, (f"{name_of(node[0])}_{letter}", d.domain, d.meaning)))
            visit(known, node[1][0], found)
            return
    if d is not None:
        found.append((node.span, (d.tex, d.domain, d.meaning)))
        return
    for child in children(node):
        visit(known, child, found)


def counted(known: Knowledge, node: Node) -> Declaration | None:
    """The row of n_0 for an n_l or n_{l-1} where n_0, n_1, ... are declared one by one."""
    base = name_of(node[0])
    if base is None or known.is_family(base):
        return None
    plain = known.declared(base)
    if plain is not None and plain.space is not None and plain.space.shape:
        return None
    return next((d for (name, _), d in known.table.items() if name.rpartition("_")[0] == base and name[-1].isdigit()), None)
