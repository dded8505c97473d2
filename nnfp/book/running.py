# ruff: noqa: NPY002  (the old random state is only watched here)
"""Runs the fences of a page in reading order, in one namespace, and keeps what they print."""

import ast
import contextlib
import io
import os
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from nnfp.book import shapes
from nnfp.book.reading import Failure, Fence, Page

MARK = "#>"


@dataclass
class Statement:
    """One top-level statement of a fence with the output lines written below it."""

    fence: Fence
    nodes: list[ast.stmt]
    last: int  # line of the page on which it ends
    expected: list[tuple[int, str]]  # (line of the page, text after "#> ")
    printed: list[str] | None = None  # None until it has run


@dataclass
class Run:
    """What running a page gave."""

    page: Page
    statements: list[Statement] = field(default_factory=list)
    namespace: dict = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    complete: bool = False
    seconds: float = 0.0
    shapes: int = 0  # shape comments that were compared


def split(page: Page, fence: Fence) -> list[Statement]:
    """The statements of a fence. Line numbers of the nodes are those of the page."""
    tree = ast.parse(fence.body + "\n", page.shown)
    ast.increment_lineno(tree, fence.first - 1)
    lines = fence.body.split("\n")
    statements: list[Statement] = []
    for node in tree.body:
        if statements and statements[-1].last == node.lineno:
            statements[-1].nodes.append(node)
            statements[-1].last = node.end_lineno
        else:
            statements.append(Statement(fence, [node], node.end_lineno, []))
    ends = [s.nodes[0].lineno for s in statements[1:]] + [fence.first + len(lines)]
    for statement, end in zip(statements, ends, strict=True):
        for number in range(statement.last + 1, end):
            text = lines[number - fence.first].strip()
            if text.startswith(MARK):
                statement.expected.append((number, text[len(MARK) :].removeprefix(" ")))
    return statements


def misplaced(page: Page, fence: Fence, statements: list[Statement]) -> list[Failure]:
    """Output lines that follow no statement, or stand inside one, would never be compared."""
    known = {number for statement in statements for number, _ in statement.expected}
    inside = set()  # lines of strings may well begin with the mark
    for statement in statements:
        for node in statement.nodes:
            for part in ast.walk(node):
                if isinstance(part, ast.Constant | ast.JoinedStr):
                    inside.update(range(part.lineno + 1, part.end_lineno + 1))
    return [
        page.failure(number, "output", "an output line must follow a whole top-level statement")
        for number, text in enumerate(fence.body.split("\n"), fence.first)
        if text.strip().startswith(MARK) and number not in known | inside
    ]


@contextlib.contextmanager
def isolated():
    """A scratch folder, warnings as errors, and NumPy's and Python's settings put back."""
    import numpy as np

    here, options, errors = os.getcwd(), np.get_printoptions(), np.geterr()
    state, path, hook = np.random.get_state(), sys.path[:], sys.displayhook
    sys.path[:] = [os.path.abspath(entry) for entry in path]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        os.chdir(folder)
        np.set_printoptions(**_PRINT)
        np.seterr(all="warn", under="ignore")
        try:
            yield
        finally:
            os.chdir(here)
            np.set_printoptions(**options)
            np.seterr(**errors)
            np.random.set_state(state)
            sys.path[:], sys.displayhook = path, hook


_PRINT = dict(
    precision=8, threshold=1000, edgeitems=3, linewidth=75, suppress=False, nanstr="nan",
    infstr="inf", formatter=None, sign="-", floatmode="maxprec", legacy=False,
)  # fmt: skip


def _where(error: BaseException, page: Page, default: int) -> int:
    """The deepest line of the page in a traceback."""
    if isinstance(error, SyntaxError) and error.filename == page.shown and error.lineno:
        return error.lineno
    lines = [
        f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == page.shown
    ]
    return lines[-1] if lines else default


def describe(error: BaseException) -> str:
    text = str(error.msg if isinstance(error, SyntaxError) else error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _random_state() -> tuple:
    import numpy as np

    state = np.random.get_state()
    return state[2], state[1].tobytes()


def run(page: Page) -> Run:
    """Run every fence of the page that runs; stop at the first error."""
    result = Run(page, namespace={"__name__": "__main__", "__builtins__": __builtins__})
    started = time.perf_counter()
    for _ in steps(result):
        pass
    result.seconds = time.perf_counter() - started
    return result


def steps(result: Run) -> Iterator[int]:
    """Runs `result.page` fence by fence; yields the place of each fence that is about to run.

    Whoever goes through it may put another page into `result` that differs from that fence on.
    """
    seeded, place = False, 0
    with isolated():
        before = _random_state()
        while place < len(result.page.fences):
            if result.page.fences[place].runs and not result.page.fences[place].includes:
                yield place
                page = result.page
                fence = page.fences[place]
                try:
                    statements = split(page, fence)
                except SyntaxError as error:
                    line = fence.first + (error.lineno or 1) - 1
                    message = f"{describe(error)}; the rest of the page was not run"
                    result.failures.append(page.failure(line, "error", message))
                    return
                result.failures += misplaced(page, fence, statements)
                result.failures += unseeded(page, fence, statements)
                seeded = seeded or "np.random.seed(" in fence.body
                claims = shapes.claims(fence.body + "\n", fence.first)
                result.namespace[shapes.HOOK] = shapes.recorder(claims)
                for statement in statements:
                    result.statements.append(statement)
                    if not _execute(result, statement, claims):
                        return
                for line, message in shapes.verdicts(claims):
                    result.failures.append(page.failure(line, "shape", message))
                result.shapes += len(claims)
                if not seeded and _random_state() != before:
                    message = (
                        "uses NumPy's global random state, so that each run differs: "
                        "make rng = np.random.default_rng(seed)"
                    )
                    result.failures.append(page.failure(fence.line, "random", message))
                    seeded = True
            place += 1
    result.complete = True


def unseeded(page: Page, fence: Fence, statements: list[Statement]) -> list[Failure]:
    """default_rng() without a seed prints something else each time."""
    calls = [
        node
        for statement in statements
        for top in statement.nodes
        for node in ast.walk(top)
        if isinstance(node, ast.Call) and not node.args and not node.keywords
    ]
    return [
        page.failure(call.lineno, "random", "default_rng() needs a seed: default_rng(0)")
        for call in calls
        if ast.unparse(call.func).endswith("default_rng")
    ]


def _execute(result: Run, statement: Statement, claims: dict[int, shapes.Claim]) -> bool:
    """Run one statement; False if it raised."""
    page, out = result.page, io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            nodes = shapes.instrument(statement.nodes, claims)
            code = compile(ast.Module(nodes, []), page.shown, "exec")
            exec(code, result.namespace)
    except (Exception, SystemExit) as error:
        line = _where(error, page, statement.nodes[0].lineno)
        kind = "warning" if isinstance(error, Warning) else "error"
        message = f"{describe(error)}; the rest of the page was not run"
        result.failures.append(page.failure(line, kind, message))
        return False
    text = re.sub(r"[ \t]+$", "", out.getvalue(), flags=re.M)
    statement.printed = text.removesuffix("\n").split("\n") if text else []
    return True


def compare(result: Run) -> list[Failure]:
    """One failure for each statement whose output is not the output on the page."""
    failures = []
    for statement in result.statements:
        if statement.printed is None:
            continue
        shown = [text.rstrip() for _, text in statement.expected]
        if shown == statement.printed:
            continue
        place = 0
        both = list(zip(shown, statement.printed, strict=False))
        while place < len(both) and both[place][0] == both[place][1]:
            place += 1
        if place < len(both):
            line, message = (
                statement.expected[place][0],
                f"prints {both[place][1]!r}, the page shows {both[place][0]!r}",
            )
        elif place < len(shown):
            line, message = statement.expected[place][0], f"prints no such line as {shown[place]!r}"
        else:
            line = statement.last
            message = f"prints {statement.printed[place]!r}, the page does not show it"
        failures.append(result.page.failure(line, "output", message))
    return failures
