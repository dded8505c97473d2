"""What a page has defined so far, and what depends on what."""

from collections.abc import Iterator
from dataclasses import dataclass

from nnfp.book.equations.functions import BUILTIN
from nnfp.book.equations.nodes import Node, base_of, name_of, names_in, walk
from nnfp.book.equations.notation import Declaration, Table
from nnfp.book.equations.problems import Problem


@dataclass(frozen=True, eq=False)
class Definition:
    """head := body. A rule for a family gives the member `variable` + `offset` or just `member`."""

    name: str
    head: Node
    body: Node
    line: int
    indices: tuple[str, ...] = ()
    parameters: tuple[str, ...] | None = None
    variable: str | None = None
    offset: int = 0
    member: int | None = None
    guards: tuple[Node, ...] = ()

    @property
    def of_family(self) -> bool:
        return self.variable is not None or self.member is not None


class Knowledge:
    """The notation table and the definitions met up to now."""

    def __init__(self, table: Table):
        self.table = table
        self.heads: dict[tuple[str, bool], int] = {}  # (name, of a family?) -> line, page-wide
        self.plain: dict[str, Definition] = {}
        self.rules: dict[str, list[Definition]] = {}
        self.functions: dict[str, Definition] = {}
        self.broken: dict[str, int] = {}
        self._dependencies: dict[str, frozenset[str]] = {}
        self.letters: dict[str, set[str]] = {}
        for name, index in table:
            if index is not None and not index.isdigit():
                self.letters.setdefault(name, set()).add(index)

    def foresee(self, head: Node, line: int) -> None:
        """Note that the page defines this somewhere, before anything is checked."""
        while head.kind == "call" or (head.kind == "sub" and head[0].kind == "call"):
            head = head[0]
        if head.kind == "layer":
            name, subscript = name_of(head[0]), head[1]
        elif head.kind == "sub" and len(head[1]) == 1 and self._numbers_members(name_of(head[0]), head[1][0]):
            name, subscript = name_of(head[0]), head[1][0]
        else:
            plain = head.kind != "sub" or self.is_plain(name_of(head)) or all(i.kind == "num" for i in head[1])
            self.heads.setdefault((name_of(head if plain else head[0]), False), line)
            return
        self.heads.setdefault((name, True), line)
        found = {part[0] for part in walk(subscript) if part.kind == "sym" and self.is_index(part[0])}
        self.letters.setdefault(name, set()).update(found)

    # Questions about names.

    def declared(self, name: str | None) -> Declaration | None:
        return self.table.get((name, None))

    def family(self, name: str | None) -> Declaration | None:
        """The row that declares a family of this name."""
        return next((d for (n, index), d in self.table.items() if n == name and index and not index.isdigit()), None)

    def is_family(self, name: str | None) -> bool:
        return name in self.letters or name in self.rules

    def is_plain(self, name: str | None) -> bool:
        """Is this whole name, subscripts included, a symbol of its own?"""
        return (name, None) in self.table or name in self.plain

    def is_index(self, name: str | None) -> bool:
        d = self.declared(name)
        return d is not None and d.kind == "index"

    def is_function(self, name: str | None) -> bool:
        d = self.declared(name)
        return name in self.functions or name in BUILTIN or (d is not None and d.kind == "function")

    def knows(self, name: str | None) -> bool:
        return self.is_plain(name) or self.is_family(name) or self.is_function(name)

    # Definitions.

    def read(self, head: Node, body: Node, line: int, guards: tuple[Node, ...] = ()) -> Definition:
        """The definition that head := body makes; nothing is recorded yet."""
        indices: tuple[Node, ...] = ()
        inner = head
        if inner.kind == "sub" and inner[0].kind == "call":
            inner, indices = inner[0], inner[1]
        if inner.kind == "call":
            return self._function(head, inner, indices, body, line)
        if head.kind == "layer":
            return self._member(head, name_of(head[0]), head[1], body, line, guards)
        if head.kind == "sub" and name_of(head[0]):
            base, subscripts = name_of(head[0]), head[1]
            if len(subscripts) == 1 and self._numbers_members(base, subscripts[0]):
                return self._member(head, base, subscripts[0], body, line, guards)
            if all(self.is_index(name_of(i)) for i in subscripts):
                letters = tuple(name_of(i) for i in subscripts)
                if len(set(letters)) < len(letters):
                    raise Problem("the same index twice on the left", head, "rule")
                return Definition(base, head, body, line, letters, guards=guards)
        name = name_of(head)
        if name is None:
            raise Problem("the left side of := is no symbol", head, "syntax")
        if head.kind == "sub" and self.is_plain(name_of(head[0])) and not self.is_plain(name):
            base = name_of(head[0])
            if any(i.kind == "sym" for i in head[1]) or self.declared(base).space.shape:
                letter = next((i for i in head[1] if not self.is_index(name_of(i))), head)
                raise Problem(f"{name_of(letter) or name} is no index that the table declares", letter, "name")
        return Definition(name, head, body, line, guards=guards)

    def _numbers_members(self, base: str | None, subscript: Node) -> bool:
        """Does this subscript count members of a family (x_t, q_0), not entries of an array?"""
        letters = self.letters.get(base, set())
        if subscript.kind == "num":
            return bool(letters) and not self.is_plain(f"{base}_{subscript[0]}")
        names = {part[0] for part in walk(subscript) if part.kind == "sym"}
        if letters:
            return bool(names & letters)
        if subscript.kind != "sym":
            return any(self.is_index(name) for name in names)
        d = self.declared(subscript[0])
        return self.declared(base) is None and d is not None and d.says("step")

    def _member(self, head, base, subscript: Node, body, line, guards) -> Definition:
        if base is None:
            raise Problem("the left side of := is no symbol", head, "syntax")
        if subscript.kind == "num":
            return Definition(base, head, body, line, member=subscript[0], guards=guards)
        variable, offset = subscript, 0
        if subscript.kind in ("plus", "minus") and subscript[1].kind == "num":
            variable = subscript[0]
            offset = subscript[1][0] if subscript.kind == "plus" else -subscript[1][0]
        if not self.is_index(name_of(variable)):
            if name_of(variable) and self.is_plain(name_of(variable)):
                raise Problem("a definition is for a number or for an index", subscript, "syntax")
            raise Problem(f"{name_of(variable) or 'this'} is no index that the table declares", subscript, "name")
        return Definition(base, head, body, line, variable=name_of(variable), offset=offset, guards=guards)

    def _function(self, head, call: Node, indices, body, line) -> Definition:
        name = name_of(call[0])
        if name is None or call[0].kind != "sym":
            raise Problem("the left side of := is no function of a name", head, "syntax")
        if name in BUILTIN:
            raise Problem(f"{name} is a function that everybody knows; give yours another name", head, "rule")
        parameters = tuple(name_of(a) for a in call[1])
        for parameter, node in zip(parameters, call[1]):
            if parameter is None or self.declared(parameter) is None:
                raise Problem("a parameter is a symbol of the notation table", node, "name")
            if parameter not in names_in(body):
                raise Problem(f"the right side does not use the parameter {parameter}", node, "rule")
        if len(set(parameters)) < len(parameters):
            raise Problem("the same parameter twice", head, "rule")
        for other in names_in(body) - set(parameters):
            hidden = self.dependencies(other) & set(parameters) - {other}
            if hidden:
                raise Problem(
                    f"{other} on the right depends on {min(hidden)}, which is a parameter here: "
                    "make it a function as well", head, "rule"
                )
        letters = tuple(name_of(i) for i in indices)
        for letter, node in zip(letters, indices):
            if not self.is_index(letter):
                raise Problem("this is no index that the table declares", node, "name")
        return Definition(name, head, body, line, letters, parameters)

    def add(self, made: Definition) -> None:
        if made.parameters is not None:
            clash = made.name in self.functions
        elif made.of_family:
            rules = self.rules.get(made.name, [])
            clash = any((r.member, r.variable, r.offset) == (made.member, made.variable, made.offset) for r in rules)
            clash |= made.member is None and any(r.member is None and not r.guards and not made.guards for r in rules)
        else:
            clash = made.name in self.plain or made.name in BUILTIN
        if clash:
            raise Problem(f"{made.name} is defined already; a claim is written with =", made.head, "rule")
        if made.parameters is not None:
            self.functions[made.name] = made
        elif made.of_family:
            self.rules.setdefault(made.name, []).append(made)
            if made.variable:
                self.letters.setdefault(made.name, set()).add(made.variable)
        else:
            self.plain[made.name] = made
        self._dependencies.clear()

    def definitions_of(self, name: str) -> Iterator[Definition]:
        if name in self.plain:
            yield self.plain[name]
        if name in self.functions:
            yield self.functions[name]
        yield from self.rules.get(name, ())

    def defines(self, name: str) -> bool:
        """Does the page define this very name, above or below?"""
        return (name, False) in self.heads or name in self.plain

    def dependencies(self, name: str) -> frozenset[str]:
        """The names that a name leads to through definitions, itself included."""
        if name not in self._dependencies:
            found, todo = set(), [name]
            while todo:
                one = todo.pop()
                if one in found:
                    continue
                found.add(one)
                todo += self._kin(one)
                for made in self.definitions_of(one):
                    todo += names_in(made.body) - set(made.parameters or ())
            self._dependencies[name] = frozenset(found)
        return self._dependencies[name]

    def _kin(self, name: str) -> list[str]:
        """x_0 belongs to x, and a family x_t to the x_0 that is declared or defined by itself."""
        base, _, subscript = name.rpartition("_")
        if base and subscript.isdigit():
            return [base]
        if not self.is_family(name):
            return []
        known = {n for n, _ in self.table} | set(self.plain)
        return [n for n in known if n.startswith(name + "_") and n[len(name) + 1 :].isdigit()]

    def reached(self, node: Node) -> set[str]:
        """Every name that the value of an expression can depend on."""
        return set().union(*(self.dependencies(name) for name in names_in(node)), set())

    def bodies(self, node: Node) -> Iterator[Node]:
        """The expression and the right sides of everything it leads to."""
        yield node
        for name in self.reached(node):
            for made in self.definitions_of(name):
                yield made.body


__all__ = ["Definition", "Knowledge", "base_of"]
