"""Shape comments in code that runs: `Z = W @ X + b  # (m, B)` is compared with the array.

A comment that begins with a shape belongs to the assignment or return on its line, at top
level or inside a function or loop. Numbers must be equal; a letter stands for one size
throughout a fence, and for the integer of that name where the page has one.
"""

import ast
import io
import re
import sys
import tokenize
from dataclasses import dataclass, field

HOOK = "_nnfp_shape"
_SIZE = r"\s*[A-Za-z0-9_\[\]]+(?:\s*[-+*]\s*[A-Za-z0-9_\[\]]+)?\s*"
_SHAPE = rf"\((?:{_SIZE},(?:{_SIZE}(?:,{_SIZE})*)?)\)"
_COMMENT = re.compile(rf"#\s*({_SHAPE}(?:\s*,\s*{_SHAPE})*)(?=$|[\s,;:.])")


@dataclass
class Claim:
    """The shapes that a comment states, and those seen when its line ran, with sizes by name."""

    line: int
    shapes: list[tuple[str, ...]]
    seen: list[tuple[list[tuple[int, ...] | str], dict[str, int]]] = field(default_factory=list)


def claims(source: str, first: int) -> dict[int, Claim]:
    """Line of the page -> claim, for each shape comment that stands behind code."""
    found = {}
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return {}
    lines = source.split("\n")
    for token in tokens:
        row, column = token.start
        if token.type != tokenize.COMMENT or not lines[row - 1][:column].strip():
            continue
        if match := _COMMENT.match(token.string):
            shapes = [
                tuple(size.strip() for size in part.split(",") if size.strip())
                for part in re.findall(r"\(([^()]*)\)", match[1])
            ]
            found[first + row - 1] = Claim(first + row - 1, shapes)
    return found


class _Instrument(ast.NodeTransformer):
    """Reports the value of every statement that carries a claim."""

    def __init__(self, wanted: dict[int, Claim]):
        self.wanted = wanted

    def _line(self, node: ast.stmt) -> int | None:
        lines = range(node.lineno, node.end_lineno + 1)
        return next((line for line in lines if line in self.wanted), None)

    def _call(self, line: int, value: ast.expr) -> ast.expr:
        return ast.Call(ast.Name(HOOK, ast.Load()), [ast.Constant(line), value], [])

    def _assignment(self, node):
        line = self._line(node)
        if line is None or getattr(node, "value", None) is None:
            return node
        node.value = self._call(line, node.value)
        return ast.fix_missing_locations(node)

    def visit_AugAssign(self, node):
        line = self._line(node)
        if line is None:
            return node
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        after = ast.Expr(self._call(line, target))
        return [node, ast.fix_missing_locations(ast.copy_location(after, node))]

    visit_Assign = visit_AnnAssign = visit_Return = _assignment


def instrument(nodes: list[ast.stmt], wanted: dict[int, Claim]) -> list[ast.stmt]:
    """The statements, reporting to HOOK the values whose shape a comment states."""
    if not wanted:
        return nodes
    return _Instrument(wanted).visit(ast.Module(nodes, [])).body


def recorder(wanted: dict[int, Claim]):
    """The function behind HOOK: notes the shapes of a value and passes it on."""

    def shape_of(value) -> tuple[int, ...] | str:
        shape = getattr(value, "shape", None)
        return tuple(shape) if shape is not None else type(value).__name__

    def note(line: int, value):
        claim = wanted[line]
        several = len(claim.shapes) > 1 and isinstance(value, tuple | list)
        names = sys._getframe(1).f_locals
        sizes = {size: _size(size, names) for shape in claim.shapes for size in shape}
        seen = [shape_of(part) for part in value] if several else [shape_of(value)]
        claim.seen.append((seen, {name: n for name, n in sizes.items() if n is not None}))
        return value

    return note


def verdicts(wanted: dict[int, Claim]) -> list[tuple[int, str]]:
    """(line, what is wrong) for the claims of one fence that has run."""
    wrong, letters = [], {}
    for claim in wanted.values():
        if not claim.seen:
            message = "the shape in this comment belongs to no assignment or return that runs"
            wrong.append((claim.line, message))
        for shapes, sizes in claim.seen:
            known = letters if len(claim.seen) == 1 else {}  # a loop may go through several sizes
            if message := _differs(claim, shapes, sizes, known):
                wrong.append((claim.line, message))
                break
    return wrong


def _differs(claim: Claim, shapes: list, sizes: dict, letters: dict) -> str | None:
    if len(shapes) != len(claim.shapes):
        return f"the comment states {len(claim.shapes)} shapes, the value has {len(shapes)} parts"
    for stated, shape in zip(claim.shapes, shapes, strict=True):
        text = f"({', '.join(stated)}{',' * (len(stated) == 1)})"
        if isinstance(shape, str):
            return f"the comment says {text}, the value has no shape ({shape})"
        if len(shape) != len(stated):
            return f"the comment says {text}, the array has shape {shape}"
        for name, size in zip(stated, shape, strict=True):
            value = sizes[name] if name in sizes else letters.setdefault(name, size)
            if value != size:
                why = "" if name.isdigit() else f" ({name} is {value})"
                return f"the comment says {text}, the array has shape {shape}{why}"
    return None


def _size(text: str, names: dict) -> int | None:
    """The integer that a size such as B or n + 1 is where its line stands, if it is one."""
    try:
        value = eval(text, {"__builtins__": {}}, dict(names))
    except Exception:
        return None
    return value.__index__() if hasattr(value, "__index__") else None
