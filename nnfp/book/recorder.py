"""The checker, with a note on each display of what a reader wants to see beside it."""

from dataclasses import dataclass, field

from nnfp.book.equations.lexer import tokens
from nnfp.book.equations.nodes import walk
from nnfp.book.equations.symbols import visit
from nnfp.book.equations.verdict import PageCheck


@dataclass
class Note:
    """What a display is made of: `spots` are (first token, token after the last, symbol)."""

    spots: list = field(default_factory=list)
    equality: bool = False
    made: frozenset = frozenset()
    reached: frozenset = frozenset()

    def places(self, rows: list) -> list[list[int]]:
        """The spots with the number of their row in the table of symbols."""
        number = {row[0]: k for k, row in enumerate(rows)}
        return [[first, last, number[symbol]] for first, last, symbol in self.spots if symbol in number]


class Recorder(PageCheck):
    """Checks a page like PageCheck, and remembers."""

    def __init__(self, *args, **options):
        self.noted: dict[str, Note] = {}
        self.last_work = None
        super().__init__(*args, **options)

    def check_display(self, display, run: bool = True):
        result = super().check_display(display, run)
        if self.last_work is not None:
            self.noted[display.label] = self.note(display, self.last_work)
        return result

    def note(self, display, work) -> Note:
        bodies = [made.body for made in work.made]
        trees = [*(made.head for made in work.made), *bodies, *work.claims, *work.guards]
        found: list = []
        for tree in trees:
            visit(self.known, tree, found)
        stream = tokens(display.tex, display.start)
        starts = {token.start: k for k, token in enumerate(stream)}
        ends = {token.end: k + 1 for k, token in enumerate(stream)}
        spots = {(starts[a], ends[b], row[0]) for (a, b), row in found if a in starts and b in ends}
        signs = {sign for claim in work.claims for node in walk(claim) if node.kind == "rel" for sign in node[1]}
        equality = bool(signs & {"=", r"\approx"}) or "code" in work.ways
        reached = set().union(*(self.known.reached(tree) for tree in [*bodies, *work.claims]), set())
        return Note(sorted(spots), equality, frozenset(made.name for made in work.made), frozenset(reached))

    def users(self, label: str) -> list[str]:
        """The other displays whose value depends on what this one defines."""
        made = self.noted[label].made
        return [other for other, note in self.noted.items() if other != label and made & note.reached]
