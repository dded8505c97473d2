"""The value of an expression at one random draw.

A number is a Python scalar, everything else a 2-D array, a column (n, 1). Nothing is broadcast.
Derivatives are taken by the complex step through the definitions of the page.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from nnfp.book.equations import lanes
from nnfp.book.equations.definitions import Definition, Knowledge
from nnfp.book.equations.draws import Draw
from nnfp.book.equations.functions import (
    BUILTIN,
    CONSTANTS,
    PAIRWISE,
    absolute,
    larger,
    plain,
    smaller,
)
from nnfp.book.equations.nodes import Node, children, name_of, names_in, walk
from nnfp.book.equations.notation import Declaration, Space
from nnfp.book.equations.problems import Kink, NoCase, Problem, Undefined
from nnfp.book.equations.rounding import moved

STEP = 1e-30  # of the complex step; nothing is subtracted, so it can be this small
EXACT, ROUGH = 1e-9, 1e-6  # tolerances, the second where a central difference takes part


def shape_text(scope: "Scope", shape: tuple[int, ...]) -> str:
    """(3, 5), and m × n beside it where the sizes have names."""
    if not shape:
        return "a number"
    names = {size: name for name, size in reversed(scope.draw.sizes.items())}
    named = " × ".join(names.get(k, str(k)) for k in shape)
    return f"({shape[0]}, {shape[1]}), that is {named}" if any(k in names for k in shape) else str(shape)


def fail_shape(scope: "Scope", what: str, a, b) -> Problem:
    left, right = shape_text(scope, np.shape(a)), shape_text(scope, np.shape(b))
    problem = Problem(f"{what}: the left is {left}; the right is {right}", kind="shape")
    problem.shapes = (np.shape(a), np.shape(b))
    return problem


class Frame:
    """Values put in the place of others while a derivative is taken, and what follows from them."""

    def __init__(self, values: dict | None = None):
        self.values = values or {}
        self.cache: dict = {}
        self.computing: set = set()


class Scope:
    """Evaluates at one draw. `local` binds indices and parameters."""

    def __init__(self, known: Knowledge, draw: Draw, doubt: bool = False, slow: bool = False):
        self.known, self.draw = known, draw
        self.local: dict = {}
        self.frames = [Frame()]
        self.overridden: frozenset | set = frozenset()
        self.reads: set = set()  # the slots that the value under way was computed from
        self.single_members: set = set()
        self.depth = 0  # of complex steps under way
        self.rough = False  # has a central difference taken part?
        self.doubt = doubt  # compare each derivative with a central difference?
        self.loose = draw.single  # a batch of one: (1, 1) and a number are the same
        self.met: dict[int, set] = {}  # which cases, which sides of an equivalence
        self.differences = 0
        self.evaluations = 0
        self._bounds: dict = {}
        self.slow = slow  # index by index, the oracle of lanes.py
        self.moves: np.random.Generator | None = None  # of results, as another rounding could move them
        self.spoilt: tuple[Definition, float] | None = None  # a definition that gives something else, and a factor

    def value(self, node: Node):
        try:
            self.evaluations += 1
            found = WHOLE[node.kind](self, node) if node.kind in WHOLE else OPERATIONS[node.kind](self, *node.parts)
            return found if self.moves is None else moved(found, self.moves)
        except Problem as problem:
            if problem.node is None:
                problem.node = node
            raise
        except KeyError:
            if node.kind in OPERATIONS or node.kind in WHOLE:
                raise
            raise Problem(f"{node.kind} has no value here", node, "syntax") from None
        except (ArithmeticError, FloatingPointError) as error:
            raise Undefined(f"{error} at this point", node) from None

    def whole(self, node: Node, what: str = "an index") -> int:
        found = self.value(node)
        if type(found) is int:
            return found
        if np.ndim(found) or np.iscomplexobj(found) or found != int(found):
            raise Problem(f"{what} must be a whole number", node, "shape")
        return int(found)

    @contextmanager
    def binding(self, **local):
        saved, self.local = self.local, {**self.local, **local}
        try:
            yield self
        finally:
            self.local = saved

    @contextmanager
    def only(self, local: dict):
        """The body of a definition sees its own parameters and indices, no others."""
        saved, self.local = self.local, local
        try:
            yield self
        finally:
            self.local = saved

    @contextmanager
    def override(self, slot, value):
        name, member = slot
        if member is None and name in self.local:
            with self.binding(**{name: value}):
                yield self
            return
        with self.frame({slot: value}):
            yield self

    @contextmanager
    def frame(self, values: dict):
        """Other values for some slots; what was computed from them is computed again."""
        saved = self.frames, self.overridden
        self.frames = [*self.frames, Frame(values)]
        self.overridden = self.overridden | values.keys()
        try:
            yield self
        finally:
            self.frames, self.overridden = saved

    def moving(self, time: int) -> "Scope":
        """A scope at the same point in which every result is moved a little."""
        other = Scope(self.known, self.draw, slow=True)
        other.local, other.overridden = dict(self.local), self.overridden
        other.frames = [Frame(frame.values) for frame in self.frames]
        other.moves = self.draw.stream("rounding", time)
        return other

    # Names.

    def lookup(self, name: str, member: int | None = None):
        if member is None and name in self.local:
            return self.local[name]
        if member is not None and (name, member) not in self.single_members:
            if self.known.is_plain(f"{name}_{member}"):
                return self.lookup(f"{name}_{member}")
            self.single_members.add((name, member))
        slot = (name, member)
        for frame in reversed(self.frames[1:]):
            if slot in frame.values:
                self.reads.add(slot)
                return frame.values[slot]
        top = self.frames[-1]
        entry = top.cache.get(slot)
        if entry is None:
            entry = self.undisturbed(slot)
            if len(self.frames) > 1:
                if not self.overridden.isdisjoint(entry[1]):
                    entry = self.remembered(slot, top)
                top.cache[slot] = entry
        value, reads, rough = entry
        self.reads |= reads
        self.rough |= rough
        return value

    def undisturbed(self, slot):
        """The value where nothing is varied, and the slots that it was computed from."""
        base = self.frames[0]
        if slot not in base.cache:
            saved = self.frames, self.depth
            self.frames, self.depth = [base], 0
            try:
                base.cache[slot] = self.remembered(slot, base)
            finally:
                self.frames, self.depth = saved
        return base.cache[slot]

    def remembered(self, slot, frame: Frame):
        if slot in frame.computing:
            raise Problem(f"circular: {self.text(slot)} is defined through itself", kind="rule")
        frame.computing.add(slot)
        saved = self.reads, self.rough
        self.reads, self.rough = {slot}, False
        try:
            return self.compute(*slot), frozenset(self.reads), self.rough
        finally:
            frame.computing.discard(slot)
            self.reads, self.rough = saved

    def text(self, slot) -> str:
        name, member = slot
        if member is None:
            return name
        d = self.known.family(name)
        return f"{name}^{{[{member}]}}" if d and "^" in d.tex else f"{name}_{member}"

    def compute(self, name: str, member: int | None):
        known, slot = self.known, (name, member)
        if name in known.broken:
            raise Problem(f"{self.text(slot)} comes from line {known.broken[name]}, which has an error", kind="cascade")
        if member is None:
            if name in known.plain:
                return self.define(known.plain[name], {})
            d = known.declared(name)
        else:
            for made in known.rules.get(name, ()):
                local = self.applies(made, member)
                if local is not None:
                    return self.define(made, local)
            d = known.table.get((name, str(member)))
            if d is not None:
                return self.draw.value(d, member, self.shape(d))
            d = known.family(name)
            if name in known.rules:
                raise Problem(f"no definition gives {self.text(slot)}", kind="rule")
            self.not_yet(name, True)
            if d is not None:
                low, high = self.bounds(d.index)
                if not low <= member <= high:
                    raise Problem(f"there is no {self.text(slot)}: {d.index} runs from {low} to {high}", kind="shape")
        if d is None and member is None and name in CONSTANTS:
            return CONSTANTS[name]
        if d is None:
            raise self.unknown(name, member)
        if member is None:
            self.not_yet(name, False)
        if d.kind == "size":
            return self.draw.sizes[name]
        if d.kind == "index":
            raise Problem(f"the index {name} has no value here", kind="rule")
        if d.kind == "function":
            raise Problem(f"the function {name} stands without its argument", kind="shape")
        return self.draw.value(d, member, self.shape(d, member))

    def not_yet(self, name: str, family: bool) -> None:
        """Names that the page defines have no value before their definition."""
        line = self.known.heads.get((name, family))
        if line is not None:
            raise Problem(f"{name} is used before its definition in line {line}", kind="rule")

    def unknown(self, name: str, member=None) -> Problem:
        near = [n for n, _ in self.known.table if n.strip("\\").lower() == name.strip("\\").lower()]
        hint = f"did you mean {near[0]}?" if near else "declare it in the notation table"
        text = name if member is None else self.text((name, member))
        return Problem(f"{text} is neither declared nor defined above", kind="name", hint=hint)

    def applies(self, made: Definition, member: int) -> dict | None:
        """The local values with which a rule gives this member, or None."""
        if made.member is not None:
            return {} if made.member == member else None
        place = member - made.offset
        low, high = self.bounds(made.variable)
        if not low <= place <= high:
            return None
        local = {made.variable: place}
        with self.only(local):
            return local if all(self.truth(guard) for guard in made.guards) else None

    def bounds(self, index: str) -> tuple[int, int]:
        d = self.known.declared(index)
        if d is None or d.bounds is None:
            raise Problem(f"{index} is no index that the table declares", kind="name")
        if index in self._bounds:
            return self._bounds[index]
        try:
            found = self.whole(d.bounds[0]), self.whole(d.bounds[1])
            if not any(self.known.is_index(name) or self.known.is_family(name) for name in self.range_names(index)):
                self._bounds[index] = found
            return found
        except Problem as problem:
            raise Problem(f"the range {d.domain} of {index}: {problem.message}", kind=problem.kind) from None

    def places(self, letters: list[str]) -> Iterator[dict]:
        """All values of some indices; a range such as 1..n_l comes after its l."""
        if not letters:
            yield {}
            return
        first = next((a for a in letters if not self.range_names(a) & set(letters) - {a}), letters[0])
        low, high = self.bounds(first)
        for k in range(low, high + 1):
            with self.binding(**{first: k}):
                for rest in self.places([a for a in letters if a != first]):
                    yield {first: k, **rest}

    def range_names(self, index: str) -> set[str]:
        d = self.known.declared(index)
        return set().union(*(names_in(end) for end in d.bounds)) if d and d.bounds else set()

    def shape(self, d: Declaration, member: int | None = None, space: Space | None = None):
        with self.only({d.index: member} if d.index and not d.index.isdigit() else {}):
            try:
                return tuple(self.whole(size, "a size") for size in (space or d.space).shape)
            except Problem as problem:
                raise Problem(f"the domain {d.domain} of {d.tex}: {problem.message}", kind=problem.kind) from None

    def define(self, made: Definition, local: dict):
        value = self.worked_out(made, local)
        if self.spoilt is None or self.spoilt[0] is not made:
            return value
        other = 0.3 + 0.1 * np.cos(np.arange(np.size(value))).reshape(np.shape(value))
        other = other + sum(0.1 * np.sum(np.sin(local[p])) for p in made.parameters or ())
        return plain(self.spoilt[1] * np.asarray(value) + other)

    def worked_out(self, made: Definition, local: dict):
        with self.only(dict(local)):
            if not made.indices:
                return self.fitted(made, self.value(made.body))
            ranges = [self.bounds(letter) for letter in made.indices]
            shape = [high for _, high in ranges]
            if any(low != 1 for low, _ in ranges):
                raise Problem("an index of an array begins at 1", made.head, "rule")
            found = self.together(made.body, dict(zip(made.indices, ranges)))
            if found is not None:
                return found.reshape(shape + [1] * (2 - len(shape)))
            entries = []
            for place in itertools.product(*[range(1, high + 1) for high in shape]):
                self.local.update(zip(made.indices, place))
                entry = self.value(made.body)
                if np.ndim(entry):
                    raise Problem(f"the right side is an array {np.shape(entry)}, one entry is wanted", made.body, "shape")
                entries.append(entry)
            return np.array(entries).reshape(shape + [1] * (2 - len(shape)))

    def together(self, node: Node, ranges: dict[str, tuple[int, int]]):
        """All indices at once where that can be done; None where it can not."""
        if self.slow:
            return None
        axes, shape = lanes.grid(list(ranges.values()))
        try:
            return lanes.over(self, node, dict(zip(ranges, axes)), shape)
        except lanes.Fallback:
            return None

    def fitted(self, made: Definition, value):
        """In a batch of one a number is turned back into the array that the table declares."""
        if self.loose and np.ndim(value) == 0 and made.parameters is None:
            d = self.known.declared(made.name) or self.known.family(made.name)
            if d and d.space and d.space.shape:
                return np.reshape(value, (1, 1))
        return value

    # Functions.

    def apply(self, name: str, values: list, order: int = 0):
        if order:
            return self.slope(name, values, order)
        known = self.known
        if name in known.broken:
            raise Problem(f"{name} comes from line {known.broken[name]}, which has an error", kind="cascade")
        if name in known.functions:
            made = known.functions[name]
            return self.call(made, values)
        if name in BUILTIN:
            if len(values) != (2 if name in PAIRWISE else 1):
                raise Problem(f"{name} takes {2 if name in PAIRWISE else 1} arguments, not {len(values)}", kind="shape")
            if name in PAIRWISE and np.ndim(values[0]) and np.shape(values[0]) != np.shape(values[1]) and np.ndim(values[1]):
                raise fail_shape(self, name, *values)
            if self.loose and name in (r"\operatorname{diag}", r"\operatorname{vec}", r"\operatorname{tr}"):
                values = [np.reshape(values[0], (1, 1)) if np.ndim(values[0]) == 0 else values[0]]
            return BUILTIN[name](*values)
        d = known.declared(name)
        if d is None or d.kind != "function":
            raise Problem(f"{name} is no function that the page knows", kind="name")
        self.not_yet(name, False)
        return self.any_function(d, values)

    def call(self, made: Definition, values: list):
        if len(values) != len(made.parameters):
            raise Problem(f"{made.name} takes {len(made.parameters)} arguments, not {len(values)}", kind="shape")
        if len(values) == 1 and np.ndim(values[0]):
            d = self.known.declared(made.parameters[0])
            if d.kind != "value" or not d.space.shape:
                if not self.slow and not made.indices and self.spoilt is None:
                    try:
                        with self.only({}):
                            axes = {made.parameters[0]: values[0]}
                            return lanes.over(self, made.body, axes, values[0].shape)
                    except lanes.Fallback:
                        pass
                flat = [self.define(made, {made.parameters[0]: plain(x)}) for x in values[0].ravel()]
                if any(np.ndim(x) for x in flat):
                    raise Problem(f"{made.name} of every entry gives arrays", kind="shape")
                return np.array(flat).reshape(values[0].shape)
        for parameter, value in zip(made.parameters, values):
            d = self.known.declared(parameter)
            shape = self.shape(d) if d.kind == "value" else ()
            shape += (1,) if len(shape) == 1 else ()
            if shape != np.shape(value) and not (self.loose and np.size(value) == 1):
                raise Problem(
                    f"{made.name} takes {shape_text(self, shape)} for {parameter}, "
                    f"this is {shape_text(self, np.shape(value))}", kind="shape"
                )
        return self.define(made, dict(zip(made.parameters, values)))

    def any_function(self, d: Declaration, values: list):
        """A smooth function that nobody knows: random sines and squares of the argument."""
        if len(values) != len(d.arguments):
            raise Problem(f"{d.name} takes {len(d.arguments)} arguments, not {len(values)}", kind="shape")
        wanted = [self.shape(d, space=space) for space in d.arguments]
        if wanted == [()] and np.ndim(values[0]) and not d.space.shape:
            flat = [self.any_function(d, [plain(x)]) for x in values[0].ravel()]
            return np.array(flat).reshape(values[0].shape)
        for shape, value in zip(wanted, values):
            full = shape + (1,) if len(shape) == 1 else shape
            if full != np.shape(value) and not (self.loose and np.size(value) == 1):
                raise Problem(
                    f"{d.name} takes {shape_text(self, full)}, this is {shape_text(self, np.shape(value))}", kind="shape"
                )
        flat = np.concatenate([np.reshape(value, (-1, 1), order="F") for value in values])
        rng = self.draw.stream(d.name, "function")
        inner = rng.standard_normal((3, flat.shape[0])) / np.sqrt(flat.shape[0])
        hidden = inner @ flat
        shape = self.shape(d)
        outer = rng.standard_normal((int(np.prod(shape)) if shape else 1, 3))
        found = outer @ (np.sin(hidden + 0.4) + 0.3 * hidden * hidden)
        if d.space.interval:
            low, high = d.space.interval
            found = np.exp(-found) + low if np.isinf(high) else low + (high - low) / (1 + np.exp(-found))
        if not shape:
            return plain(found[0, 0])
        return found.reshape(shape + (1,) * (2 - len(shape)), order="F")

    def slope(self, name: str, values: list, order: int):
        if len(values) != 1:
            raise Problem("a prime needs a function of one variable", kind="shape")
        x = values[0]
        if order == 1 and self.depth == 0 and not np.iscomplexobj(x):
            self.depth += 1
            try:
                found = plain(np.imag(self.apply(name, [x + STEP * 1j])) / STEP)
            finally:
                self.depth -= 1
            if self.doubt:
                self.second_opinion(found, lambda h: self.apply(name, [x + h]))
            return found
        return plain(self.central(lambda h: np.asarray(self.apply(name, [x + h], order - 1))))

    # Derivatives.

    def central(self, f, h: float = 1e-3):
        self.rough = True
        return (f(-2 * h) - 8 * f(-h) + 8 * f(h) - f(2 * h)) / (12 * h)

    def second_opinion(self, slope, f) -> None:
        """The central difference must agree with the complex step."""
        rough, self.rough = self.rough, False
        self.differences += 1
        apart = []
        for step in (1e-4, 1e-6):  # the smaller step where the second derivative jumps
            difference = self.central(lambda h: np.asarray(f(h)), step)
            scale = max(1.0, float(np.max(np.abs(difference), initial=0)))
            apart.append(bool(np.all(np.abs(difference - slope) <= 1e-5 * scale)))
            if apart[-1]:
                break
        self.rough = rough
        if not any(apart):
            raise Kink(
                "the complex step and the central difference give different slopes: a kink lies here, "
                "or the function is not smooth", kind="value"
            )

    def slot(self, variable: Node):
        """What is varied: its slot, whether as a vec, and which entry."""
        known = self.known
        if variable.kind == "call" and name_of(variable[0]) == r"\operatorname{vec}":
            return self.slot(variable[1][0])[0], True, None
        if variable.kind == "layer":
            return (name_of(variable[0]), self.whole(variable[1])), False, None
        name = name_of(variable)
        if name and (known.is_plain(name) or name in self.local):
            return (name, None), False, None
        if variable.kind == "sub":
            base = name_of(variable[0])
            if base and len(variable[1]) == 1 and self.counts_members(base, variable[1][0]):
                return (base, self.whole(variable[1][0])), False, None
            slot, _, _ = self.slot(variable[0])
            place = tuple(self.whole(i) - 1 for i in variable[1])
            return slot, False, place + (0,) * (2 - len(place))
        if name:
            raise self.unknown(name)
        raise Problem("a derivative with respect to this is not in the grammar", variable, "syntax")

    def partials(self, of: Node, variable: Node):
        """The value of the variable and the partial derivatives of `of`, one per entry of it."""
        slot, as_vec, entry = self.slot(variable)
        self.must_depend(of, slot, variable)
        x = self.lookup(*slot)
        array = np.asarray(x)
        if entry is not None:
            if len(entry) != array.ndim or any(not 0 <= k < n for k, n in zip(entry, array.shape)):
                raise Problem(f"there is no such entry: the shape is {array.shape}", variable, "shape")
            places = [entry]
        elif as_vec:
            places = [(i, j) for j in range(array.shape[1]) for i in range(array.shape[0])]
        else:
            places = list(np.ndindex(*array.shape))

        def at(change):
            with self.override(slot, plain(array + change)):
                return np.asarray(self.value(of))

        found = []
        for place in places:
            unit = np.zeros(array.shape)
            unit[place] = 1
            if self.depth == 0 and not np.iscomplexobj(array):
                self.depth += 1
                try:
                    found.append(np.imag(at(unit * (STEP * 1j))) / STEP)
                finally:
                    self.depth -= 1
            else:
                found.append(self.central(lambda h, unit=unit: at(h * unit)))
        if self.doubt and self.depth == 0:
            direction = np.zeros(array.shape)
            weights = self.draw.stream("direction", slot).uniform(-1, 1, len(places))
            for place, weight in zip(places, weights):
                direction[place] = weight
            along = sum(weight * part for weight, part in zip(weights, found))
            self.second_opinion(along, lambda h: at(h * direction))
        return x, entry, found

    def must_depend(self, of: Node, slot, variable: Node) -> None:
        reached = self.known.reached(of) | {n for n in names_in(of) if n in self.local}
        if slot[0] not in reached and f"{slot[0]}_{slot[1]}" not in reached:
            raise Problem(f"nothing here depends on {self.text(slot)}: the derivative is zero", variable, "value")

    def counts_members(self, base: str, subscript: Node) -> bool:
        """Is base_subscript a member of a family? If base is an array too, the index decides."""
        known = self.known
        if not known.is_family(base):
            return False
        return not known.is_plain(base) or bool(names_in(subscript) & known.letters.get(base, set()))

    # Truth.

    def truth(self, node: Node) -> bool:
        return self.judge(node)[0]

    def judge(self, node: Node) -> tuple[bool, float]:
        """Is it true, and by how much do the sides differ?"""
        if node.kind in ("iff", "implies"):
            left = self.truth(node[0])
            self.met.setdefault(id(node), set()).add(left)
            if node.kind == "implies":
                return (self.judge(node[1]) if left else (True, 0.0))
            return left == self.truth(node[1]), 0.0
        if node.kind != "rel":
            raise Problem("a statement is needed: no relation found", node, "syntax")
        from nnfp.book.equations.relations import judge_relation

        return judge_relation(self, node)


# What each kind of node is worth. Each function gets the scope and the parts of the node.


def _num(scope, value):
    return value


def _sym(scope, name):
    return scope.lookup(name)


def _star(scope, node):
    if node.name is None:
        raise Problem("a star is for symbols", kind="syntax")
    return scope.lookup(node.name)


def _layer(scope, base, index):
    name = name_of(base)
    if name is None:
        raise Problem("a layer number belongs on a symbol", base, "syntax")
    if not scope.known.is_family(name):
        raise scope.unknown(name)
    return scope.lookup(name, scope.whole(index))


def _same(scope, what, a, b):
    if np.shape(a) == np.shape(b) or (scope.loose and np.size(a) == np.size(b) == 1):
        return
    raise fail_shape(scope, what, a, b)


def _plus(scope, a, b):
    a, b = scope.value(a), scope.value(b)
    _same(scope, "a sum needs equal shapes", a, b)
    return _seen(scope, a + b, a, b)


def _minus(scope, a, b):
    a, b = scope.value(a), scope.value(b)
    _same(scope, "a difference needs equal shapes", a, b)
    return _seen(scope, a - b, a, -b)


def _seen(scope, found, a, b):
    """A sum; at an ordinary draw none of its terms is so small beside the other that it vanishes."""
    ordinary = scope.doubt and not scope.draw.corner and len(scope.frames) == 1
    if ordinary and np.ndim(found) == 0 and a and b and found in (a, b) and np.isfinite(found):
        raise Problem("one term vanishes beside the other: numbers have 16 digits", kind="rule")
    return found


def _neg(scope, a):
    return -scope.value(a)


def _odot(scope, a, b):
    a, b = scope.value(a), scope.value(b)
    if not scope.loose and (np.ndim(a) == 0 or np.ndim(b) == 0):
        raise fail_shape(scope, r"\odot is for arrays", a, b)
    _same(scope, r"\odot needs equal shapes", a, b)
    return a * b


def _kron(scope, a, b):
    a, b = scope.value(a), scope.value(b)
    if not scope.loose and (np.ndim(a) == 0 or np.ndim(b) == 0):
        raise fail_shape(scope, r"\otimes is for arrays", a, b)
    return np.kron(a, b)


def product(scope, a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if a.shape[1] != b.shape[0]:
        if scope.loose and 1 in (a.size, b.size):
            return a * b
        raise fail_shape(scope, f"a product needs as many columns as rows, here {a.shape[1]} and {b.shape[0]}", a, b)
    found = a @ b
    return found[0, 0].item() if found.shape == (1, 1) else found


def _mul(scope, a, b):
    return product(scope, scope.value(a), scope.value(b))


def _div(scope, a, b):
    a, b = scope.value(a), scope.value(b)
    if np.ndim(b) and not (scope.loose and np.size(b) == 1):
        _same(scope, "a fraction of arrays needs equal shapes", a, b)
    return a / b


def _pow(scope, a, b):
    a, b = scope.value(a), scope.value(b)
    if np.ndim(a) or np.ndim(b):
        if scope.loose and np.size(a) == np.size(b) == 1:
            return a**b
        raise Problem("a power of an array: write \\odot, or the entries", kind="shape")
    if np.real(a) < 0 and np.real(b) != int(np.real(b)):
        raise Undefined("a root of a negative number")
    if isinstance(a, int) and isinstance(b, int) and abs(b) > 1000:
        return float(a) ** b
    return a**b


def _T(scope, a):
    a = scope.value(a)
    if np.ndim(a) == 0:
        if scope.loose:
            return a
        raise Problem("the transpose of a number", kind="shape")
    return a.T


def _abs(scope, a):
    return absolute(scope.value(a))


def _norm(scope, a, order):
    a = scope.value(a)
    if np.ndim(a) == 0 and not scope.loose:
        raise Problem("the norm of a number: write \\lvert x \\rvert", kind="shape")
    if order == "1":
        return plain(np.sum(absolute(a)))
    if order == r"\infty":
        entries = np.ravel(absolute(a))
        return entries[np.argmax(entries.real)].item()
    return plain(np.sqrt(np.sum(a * a)))


def _sqrt(scope, a):
    return plain(np.sqrt(scope.value(a)))


def _indicator(scope, relation):
    return 1 if scope.truth(relation) else 0


def _rel(scope, *parts):
    raise Problem("a statement stands where a value is needed", kind="syntax")


def _cases(scope, rows):
    hits = []
    for k, (_, condition) in enumerate(rows):
        if condition is not None and scope.truth(condition):
            hits.append(k)
    if len(hits) > 1:
        raise Problem("two cases apply at the same point", kind="rule")
    hits = hits or [k for k, (_, condition) in enumerate(rows) if condition is None]
    scope.met.setdefault(id(rows), set()).update(hits)
    if not hits:
        raise NoCase("no case applies at this point", kind="value")
    return scope.value(rows[hits[0]][0])


def _sub(scope, node):
    base, indices = node.parts
    known = scope.known
    name, short = node.name, base.name
    if name and (name in scope.local or known.is_plain(name)):
        return scope.lookup(name)
    if short and len(indices) == 1 and short not in scope.local:
        if scope.counts_members(short, indices[0]):
            return scope.lookup(short, scope.whole(indices[0]))
        if not known.is_plain(short):
            numbered = f"{short}_{scope.whole(indices[0])}"
            if known.is_plain(numbered):
                return scope.lookup(numbered)
            raise scope.unknown(name or short)
    value = scope.value(base)
    if np.ndim(value) == 0:
        if short and len(indices) == 1 and known.is_plain(f"{short}_{scope.whole(indices[0])}"):
            return scope.lookup(f"{short}_{scope.whole(indices[0])}")  # n_l beside an n
        if scope.loose and all(scope.whole(i) == 1 for i in indices):
            return value
        raise Problem("a subscript of a number", kind="shape")
    place = [scope.whole(i) for i in indices]
    if len(place) == 1 and value.shape[1] != 1 and indices[0].kind == "num" and 10 < place[0] < 100:
        place = [place[0] // 10, place[0] % 10]  # W_{12} is row 1, column 2
    if len(place) == 1 and value.shape[1] == 1:
        place.append(1)
    if len(place) != 2:
        raise Problem(f"{len(place)} subscripts for {shape_text(scope, value.shape)}", kind="shape")
    for k, (i, n) in enumerate(zip(place, value.shape)):
        if not 1 <= i <= n:
            raise Problem(f"subscript {i} where there are {n} {('rows', 'columns')[k]}", kind="shape")
    return value[place[0] - 1, place[1] - 1].item()


def _fold(scope, operation, variable, first, last, body):
    name = name_of(variable)
    if name is None:
        raise Problem("the index of a sum is a letter", variable, "syntax")
    low, high = (scope.whole(first), scope.whole(last)) if first is not None else scope.bounds(name)
    if high > low and operation == r"\sum":
        found = scope.together(body, {name: (low, high)})
        if found is not None:
            return found.sum(axis=0).item()
    values = []
    saved = scope.local
    scope.local = dict(saved)
    try:
        for k in range(low, high + 1):
            scope.local[name] = k
            values.append(scope.value(body))
    finally:
        scope.local = saved
    if not values:
        if operation in (r"\max", r"\min"):
            raise Undefined(f"{operation} of nothing")
        return 0 if operation == r"\sum" else 1
    found = values[0]
    for value in values[1:]:
        if operation == r"\sum":
            _same(scope, "the terms of a sum need equal shapes", found, value)
            found = found + value
        elif operation == r"\prod":
            found = product(scope, found, value)
        else:
            found = (larger if operation == r"\max" else smaller)(found, value)
    return found


def _block(scope, rows):
    rows = [list(row) for row in rows]
    if any(cell.kind == "dots" for row in rows for cell in row):
        if len(rows) > 1 and any(len(row) > 1 for row in rows):
            raise Problem("dots in two directions are not in the grammar", kind="syntax")
        flat = _expand(scope, [cell for row in rows for cell in row])
        rows = [[cell] for cell in flat] if len(rows) > 1 else [flat]
    values = [[np.atleast_2d(scope.value(cell)) for cell in row] for row in rows]
    for row, cells in zip(values, rows):
        for value, cell in zip(row, cells):
            if value.shape[0] != row[0].shape[0]:
                raise Problem(f"blocks of a row with {row[0].shape[0]} and {value.shape[0]} rows", cell, "shape")
    widths = [sum(value.shape[1] for value in row) for row in values]
    for width, cells in zip(widths, rows):
        if width != widths[0]:
            raise Problem(f"rows of blocks with {widths[0]} and {width} columns", cells[0], "shape")
    return np.block(values)


def _expand(scope, cells):
    """a_1, ..., a_n: what stands before and behind the dots fixes the pattern."""
    k = next(place for place, cell in enumerate(cells) if cell.kind == "dots")
    if k == 0 or k != len(cells) - 2:
        raise Problem("dots stand between the first terms and the last", cells[k], "syntax")
    ends: list = []
    hole = Node("sym", ("•",))

    def differ(a, b):
        if isinstance(a, Node) and isinstance(b, Node):
            if a == b:
                return a
            if a.kind == "num":
                ends.append((a[0], b))
                return hole
            if a.kind == b.kind and len(a.parts) == len(b.parts):
                return Node(a.kind, tuple(map(differ, a.parts, b.parts)), a.span)
        elif isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            return tuple(map(differ, a, b))
        elif a == b:
            return a
        raise Problem("the terms around the dots have no pattern", cells[k], "rule")

    pattern = differ(cells[0], cells[-1])
    if len(set(ends)) != 1:
        raise Problem("the terms around the dots have no pattern", cells[k], "rule")

    def term(part, number):
        if isinstance(part, Node):
            return Node("num", (number,)) if part == hole else Node(part.kind, tuple(term(p, number) for p in part.parts), part.span)
        return tuple(term(p, number) for p in part) if isinstance(part, tuple) else part

    low, high = ends[0][0], scope.whole(ends[0][1])
    for place, cell in enumerate(cells[:k]):
        if term(pattern, low + place) != cell:
            raise Problem("the terms before the dots do not follow the pattern", cell, "rule")
    return [term(pattern, number) for number in range(low, high + 1)]


def _call(scope, function, arguments):
    order = function[1] if function.kind == "prime" else 0
    name = name_of(function[0] if order else function)
    if name == r"\operatorname{Var}":
        mean = expectation(scope, arguments[0])
        deviation = Node("minus", (arguments[0], Node("num", (mean,))))
        return expectation(scope, Node("pow", (deviation, Node("num", (2,)))))
    return scope.apply(name, [scope.value(a) for a in arguments], order)


def _prime(scope, base, order):
    name = name_of(base)
    if scope.known.is_function(name):
        raise Problem(f"the function {name}' stands without its argument", kind="shape")
    raise Problem("a prime is for functions", kind="syntax")


def _deriv(scope, of, variable):
    x, entry, parts = scope.partials(of, variable)
    if entry is not None or np.ndim(x) == 0:
        return plain(parts[0])
    if any(part.ndim == 2 and part.shape[1] > 1 for part in parts):
        raise Problem("the derivative of a matrix: take \\operatorname{vec} of it, or an entry", of, "shape")
    if np.ndim(x) == 2 and x.shape[1] > 1 and not scope.slot(variable)[1]:
        raise Problem("the derivative by a matrix: take \\operatorname{vec} of it, or write \\nabla", variable, "shape")
    return np.hstack([np.reshape(part, (-1, 1)) for part in parts])


def _grad(scope, of, variable):
    """The gradient has the shape of its variable."""
    if variable is None:
        of, variable, scope_with = _at_point(scope, of)
        with scope_with:
            return _grad(scope, of, variable)
    x, entry, parts = scope.partials(of, variable)
    if any(part.ndim for part in parts):
        raise Problem("the gradient of an array: write the Jacobian \\frac{\\partial y}{\\partial x}", of, "shape")
    if entry is not None or np.ndim(x) == 0:
        return plain(parts[0])
    return np.array([plain(part) for part in parts]).reshape(x.shape)


def _at_point(scope, of):
    r"""\nabla g(v): the gradient of the function g at the point v."""
    if of.kind != "call" or len(of[1]) != 1:
        raise Problem(r"\nabla g(x) needs a function of one variable; or write \nabla_x", of, "syntax")
    point = Node("sym", ("•",), of[1][0].span)
    return Node("call", (of[0], (point,)), of.span), point, scope.binding(**{"•": scope.value(of[1][0])})


def _hessian(scope, of, variable):
    if variable is None:
        of, variable, scope_with = _at_point(scope, of)
        with scope_with:
            return _hessian(scope, of, variable)
    x, _, parts = scope.partials(Node("grad", (of, variable), of.span), variable)
    if np.ndim(x) == 0:
        return plain(parts[0])
    if x.shape[1] != 1:
        raise Problem("a second derivative by a matrix", variable, "shape")
    return np.hstack(parts)


def expectation(scope, node):
    """The exact mean over the finite supports of the random symbols."""
    reached = scope.known.reached(node)
    names = sorted(n for n in reached if (d := scope.known.declared(n)) and d.kind == "value" and d.says("random"))
    if not names:
        raise Problem("nothing here is random: the table says so with the word random", node, "rule")
    apart = [name for name in names if not scope.known.declared(name).says("independent")]
    if apart and (len(names) > 1 or np.size(scope.lookup(names[0])) > 1):
        raise Problem(f"several random numbers: the table must say of {apart[0]} that it is independent", node, "rule")
    spaces = []
    for name in names:
        value = scope.lookup(name)
        rng = scope.draw.stream(name, "support")
        if scope.known.declared(name).says("symmetric"):
            half = rng.uniform(0.3, 2, 2)
            support = np.concatenate([half, -half])
        else:
            support = rng.standard_normal(3) + 0.5
        outcomes = itertools.product(support, repeat=np.size(value))
        spaces.append([plain(np.reshape(point, np.shape(value))) for point in outcomes])
    if np.prod([len(space) for space in spaces]) > 20_000:
        raise Problem("too many outcomes: give the sizes small fixed values (= 2)", node, "rule")
    total, count = 0, 0
    for outcome in itertools.product(*spaces):
        with scope.frame({(name, None): value for name, value in zip(names, outcome)}):
            total, count = total + scope.value(node), count + 1
    return total / count


def _limit(scope, variable, target, body):
    from nnfp.book.equations.relations import limit

    return limit(scope, variable, target, body)


OPERATIONS = {
    "num": _num, "sym": _sym, "layer": _layer, "plus": _plus, "minus": _minus,
    "neg": _neg, "odot": _odot, "kron": _kron, "mul": _mul, "div": _div, "pow": _pow, "T": _T,
    "abs": _abs, "norm": _norm, "sqrt": _sqrt, "indicator": _indicator, "rel": _rel,
    "iff": _rel, "implies": _rel, "cases": _cases, "fold": _fold, "block": _block,
    "call": _call, "prime": _prime, "deriv": _deriv, "grad": _grad, "hessian": _hessian,
    "mean": expectation, "limit": _limit,
}  # fmt: skip
WHOLE = {"sub": _sub, "star": _star}  # these need the node itself, for its name

__all__ = ["EXACT", "ROUGH", "Scope", "children", "walk", "Iterator"]
