r"""Exercises that answer back: a typed answer is graded in the page, and every grader is checked.

A block under an exercise:

    ```answer
    ask: The result of the layer
    kind: expression
    given: W (3, 5), X (5, 2), b (3, 1)
    right: W @ X + b <!-- affine(W, X, b) -->
    also: b + W @ X
    wrong: X @ W + b -> The order of the factors: `W` has as many columns as `X` has rows.
    ```

`kind` is number, shape, expression or choice. `given` declares random arrays: `x` is a number, `Z (3, 4)` an
array, `v (3, 1) > 0` a positive one, `W[1] (3, 2)` an entry of a dictionary, `lr = 0.1` a constant. The comment
behind `right` is the code of the book that must give the same, run in the namespace of the page: on it the
right answer rests. `within: 0.0005` is for a rounded number. A long line goes on, indented, in the next one.
The page's JavaScript evaluates the same expressions (docs/javascripts/answers.js).
"""

import builtins
import hashlib
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

import nnfp
from nnfp.book import katex
from nnfp.book.markdown import shared_book
from nnfp.book.reading import Book, BookError, Failure, Fence, Page
from nnfp.book.running import describe

MARK = "<answers-progress></answers-progress>"
KINDS = ("number", "shape", "expression", "choice")
FIELDS = ("ask", "kind", "given", "within", "right", "also", "wrong")
ONCE = ("ask", "kind", "given", "within", "right")
TRIALS = 8
_FIELD = re.compile(r"^(\w+):(?: (.*))?$")
_GIVEN = re.compile(r"^(\w+)(?:\[(\d+)\])?(?:\s*\(([\d\s,]*)\))?(?:\s*(>)\s*0|\s*=\s*([-\d.e]+))?$")

# What the language of the answers knows, with and without np. in front.
NUMPY = (
    "exp log sqrt abs tanh sign square log1p expm1 maximum minimum where sum mean max min zeros ones eye"
    " zeros_like ones_like outer kron diag array argmax transpose dot matmul reshape amin amax absolute"
).split()
BOOK = ("sigmoid", "relu")


def _own(name: str):
    """`sum`, `max` and `min` without np. are Python's: over the first axis, or of several numbers."""
    of_array, own = getattr(np, name), getattr(builtins, name)

    def function(*given, **named):
        if named or (len(given) == 1 and (name != "sum" or np.ndim(given[0]) < 2)):
            return of_array(*given, **named)
        return own(*given)

    return function


WORLD = {name: getattr(np, name) for name in NUMPY} | {
    name: getattr(nnfp, name) for name in BOOK if hasattr(nnfp, name)
}
WORLD |= {name: _own(name) for name in ("sum", "max", "min")}
WORLD |= {"np": np, "pi": np.pi, "e": np.e, "len": len}


class AnswerError(ValueError):
    """A block that cannot be read; `line` counts from the first line of the block."""

    def __init__(self, line: int, message: str):
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Given:
    """A name that an answer may use."""

    name: str
    layer: int | None
    shape: tuple[int, ...] | None  # None for a constant
    positive: bool = False
    value: float | None = None

    @property
    def shown(self) -> str:
        text = self.name if self.layer is None else f"{self.name}[{self.layer}]"
        if self.value is not None:
            return f"{text} = {self.value:g}"
        return f"{text} {self.shape}" if self.shape else text


@dataclass(frozen=True)
class Answer:
    """One block. `line` is that of its fence on the page; `lines` those of its fields, from 0 in the block."""

    id: str
    line: int
    ask: str
    kind: str
    given: tuple[Given, ...]
    within: float
    right: str
    code: str
    also: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]
    lines: tuple[tuple[str, int], ...]

    def line_of(self, field: str, number: int = 0) -> int:
        found = [line for name, line in self.lines if name == field]
        return self.line + 1 + found[number] if number < len(found) else self.line

    @property
    def data(self) -> dict:
        """What the page's JavaScript gets."""
        names = [
            {
                name: value
                for name, value in vars(g).items()
                if value is not None and value is not False
            }
            for g in self.given
        ]
        data = {"kind": self.kind, "given": names, "within": self.within, "right": self.right}
        return data | {"also": self.also, "wrong": self.wrong}


def fields(body: str) -> dict[str, list[tuple[int, str]]]:
    """Each field with its values and their lines from 0."""
    found: dict[str, list[tuple[int, str]]] = {}
    last = ""
    for number, text in enumerate(body.split("\n")):
        if match := _FIELD.match(text):
            last = match[1]
            if last not in FIELDS:
                raise AnswerError(number, f"there is no field {last}: {', '.join(FIELDS)}")
            found.setdefault(last, []).append((number, (match[2] or "").strip()))
        elif text[:1] == " " and last:
            at, value = found[last].pop()
            found[last].append((at, f"{value} {text.strip()}".strip()))
        elif text.strip():
            raise AnswerError(number, f"not a field: {text.strip()}")
    for name in ("ask", "kind", "right"):
        if name not in found:
            raise AnswerError(0, f"the block has no line {name}:")
    for name in ONCE:
        if len(found.get(name, [])) > 1:
            raise AnswerError(found[name][1][0], f"{name}: stands there twice")
    return found


def read_given(text: str, line: int) -> tuple[Given, ...]:
    """`W (3, 5), x, v (3, 1) > 0, lr = 0.1`."""
    names = []
    for part in re.split(r",(?![^()]*\))", text) if text else []:
        match = _GIVEN.match(part.strip())
        if not match or (match[3] is not None and match[5] is not None):
            raise AnswerError(
                line, f"given: name, name (3, 2), name > 0 or name = 0.1, not {part.strip()!r}"
            )
        shape = tuple(int(size) for size in (match[3] or "").split(",") if size.strip())
        value = None if match[5] is None else float(match[5])
        layer = None if match[2] is None else int(match[2])
        names.append(
            Given(match[1], layer, None if value is not None else shape, bool(match[4]), value)
        )
    return tuple(names)


def read_answer(fence: Fence, anchor: str) -> Answer:
    found = fields(fence.body)
    one = {name: found[name][0][1] for name in ONCE if name in found}
    if one["kind"] not in KINDS:
        raise AnswerError(found["kind"][0][0], f"kind is one of {', '.join(KINDS)}")
    wrong = []
    for line, text in found.get("wrong", []):
        slip, arrow, hint = text.partition(" -> ")
        if not arrow or not hint.strip():
            raise AnswerError(line, "wrong: the answer, then -> and a hint")
        if "$" in hint:
            raise AnswerError(line, "a hint is plain words and `code`, no formula")
        wrong.append((slip.strip(), hint.strip()))
    if not wrong:
        raise AnswerError(0, "the block lists no wrong answer")
    right, _, code = one["right"].partition("<!--")
    code = code.strip().removesuffix("-->").strip()
    if not code and one["kind"] != "choice":
        line = found["right"][0][0]
        raise AnswerError(
            line, "right: 3 <!-- code of this page that gives it -->: the code is missing"
        )
    given = read_given(one.get("given", ""), found["given"][0][0] if "given" in found else 0)
    lines = sorted((line, name) for name, values in found.items() for line, _ in values)
    return Answer(
        anchor, fence.line, one["ask"], one["kind"], given, float(one.get("within") or 0), right.strip(), code,
        tuple(text for _, text in found.get("also", [])), tuple(wrong),
        tuple((name, line) for line, name in lines),
    )  # fmt: skip


def blocks(page: Page) -> list[tuple[Fence, str]]:
    """Each block with its id: that of the heading above, counted from the second under the same one."""
    found: list[tuple[Fence, str]] = []
    used: Counter = Counter()
    for fence in page.fences:
        if fence.language == "answer":
            above = [h for h in page.headings if h.line < fence.line]
            anchor = above[-1].anchor if above else "answer"
            used[anchor] += 1
            number = f"-{used[anchor]}" if used[anchor] > 1 else ""
            found.append((fence, f"{anchor}{number}"))
    return found


def answers(page: Page) -> list[Answer]:
    """The blocks of a page that can be read."""
    found = []
    for fence, anchor in blocks(page):
        try:
            found.append(read_answer(fence, anchor))
        except AnswerError:
            continue  # the check says so
    return found


# ---- The check


def draw(given: tuple[Given, ...], rng: np.random.Generator) -> dict:
    """One value for each name; dictionaries for W[1]."""
    names: dict = {}
    for g in given:
        value = g.value
        if value is None:
            low = 0.2 if g.positive else -2.0
            value = rng.uniform(low, 2.0, g.shape) if g.shape else float(rng.uniform(low, 2.0))
        if g.layer is None:
            names[g.name] = int(value) if g.value is not None and g.value == int(g.value) else value
        else:
            names.setdefault(g.name, {})[g.layer] = value
    return names


def evaluate(text: str, names: dict) -> object:
    with np.errstate(all="ignore"):
        return eval(
            compile(text, "answer", "eval"), {"__builtins__": {"__import__": __import__}}, names
        )


def same(a: object, b: object, within: float = 0.0) -> bool:
    """Equal shapes and, to rounding or to `within`, equal numbers."""
    if isinstance(a, tuple) != isinstance(b, tuple):
        return False
    a, b = (np.asarray(value, dtype=float) for value in (a, b))
    if a.shape != b.shape:
        return False
    scale = max(np.abs(b).max(initial=0.0), 1e-300)
    return bool(np.all(np.abs(a - b) <= (within or 1e-9 * scale)))


def slips_alike(a: object, b: object, within: float) -> bool:
    """A slip may be much smaller than what `within` allows around the right answer."""
    small = 0.005 * float(np.abs(np.asarray(b, dtype=float)).max(initial=0.0))
    return same(a, b, min(within, small))


def seed(answer: Answer) -> int:
    return int(hashlib.sha256(f"{answer.id} {answer.right}".encode()).hexdigest()[:8], 16)


def faults(answer: Answer, namespace: dict) -> Iterator[tuple[int, str]]:
    """(line, message) for each thing that is wrong with a block."""
    if answer.kind == "choice":
        options = [answer.right, *(slip for slip, _ in answer.wrong)]
        if len(set(options)) < len(options):
            yield answer.line, "two options are the same"
        return
    rng = np.random.default_rng(seed(answer))
    trials = [draw(answer.given, rng) for _ in range(TRIALS if answer.given else 1)]

    def values(text: str) -> list:
        return [evaluate(text, WORLD | names) for names in trials]

    at = answer.line_of("right")
    try:
        right = values(answer.right)
    except Exception as error:
        yield at, f"right: {answer.right}: {describe(error)}"
        return
    if not all(np.all(np.isfinite(np.asarray(value, dtype=float))) for value in right):
        yield at, f"right: {answer.right} is not finite"
    if answer.kind == "shape" and not isinstance(right[0], tuple):
        yield at, f"right: {answer.right} is no shape, write (3, 2)"
    if answer.kind == "number" and np.ndim(right[0]):
        yield at, f"right: {answer.right} is not one number"
    try:
        for names, value in zip(trials, right, strict=True):
            own = eval(compile(answer.code, "answer", "eval"), {**namespace, **names})
            if not same(value, own, answer.within):
                yield (
                    at,
                    f"right: {answer.right} is {_shown(value)}, {answer.code} is {_shown(own)}",
                )
                break
    except Exception as error:
        yield at, f"{answer.code}: {describe(error)}"
    for number, text in enumerate(answer.also):
        try:
            equal = all(same(a, b, answer.within) for a, b in zip(values(text), right, strict=True))
        except Exception as error:
            yield answer.line_of("also", number), f"also: {text}: {describe(error)}"
            continue
        if not equal:
            yield answer.line_of("also", number), f"also: {text} is not the right answer"
    known: dict[str, list] = {}
    for number, (text, _) in enumerate(answer.wrong):
        line = answer.line_of("wrong", number)
        try:
            found = values(text)
        except SyntaxError as error:
            yield line, f"wrong: {text}: {describe(error)}"
            continue
        except NameError as error:
            yield line, f"wrong: {text}: {error}"
            continue
        except (ValueError, TypeError, KeyError, IndexError):
            continue  # shapes that do not fit are a slip too
        if all(same(a, b, answer.within) for a, b in zip(found, right, strict=True)):
            yield line, f"wrong: {text} is a right answer"
        for other, those in known.items():
            if all(slips_alike(a, b, answer.within) for a, b in zip(found, those, strict=True)):
                yield line, f"wrong: {text} is the same as {other}: the second hint is never shown"
        known[text] = found


def _shown(value: object) -> str:
    if isinstance(value, tuple) or not np.ndim(value):
        return f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"an array of shape {np.shape(value)} beginning with {np.ravel(value)[0]:.6g}"


def check(page: Page, namespace: dict) -> tuple[int, list[Failure]]:
    """Number of answer blocks, and what is wrong with them."""
    failures, found = [], blocks(page)
    for fence, anchor in found:
        try:
            answer = read_answer(fence, anchor)
        except (AnswerError, ValueError) as error:
            line = fence.first + getattr(error, "line", 0)
            failures.append(page.failure(line, "answer", str(error)))
            continue
        failures += [
            page.failure(line, "answer", message) for line, message in faults(answer, namespace)
        ]
    answered = {anchor for _, anchor in found}
    for heading in page.headings:
        if heading.text.startswith("Exercise: ") and heading.anchor not in answered:
            message = "the exercise has no ```answer block: nothing can be typed"
            failures.append(page.failure(heading.line, "answer", message))
    return len(found), failures


# ---- What the reader sees


def words(text: str) -> str:
    """Plain words with `code` and $formulas$ as HTML."""
    parts = re.split(r"(`[^`]+`|\$[^$]+\$)", text)
    shown = []
    for part in parts:
        if part[:1] == "`" and len(part) > 1:
            shown.append(f"<code>{html.escape(part[1:-1])}</code>")
        elif part[:1] == "$" and len(part) > 1:
            shown.append(f'<bdi class="math">{katex.render(part[1:-1])}</bdi>')
        else:
            shown.append(html.escape(part))
    return "".join(shown)


HELP = {
    "number": "A number, a fraction or a sum: <code>3/16</code>, <code>sqrt(5)</code>.",
    "shape": "A shape: <code>(rows, columns)</code>.",
    "expression": "",
    "choice": "",
}


def help_line(answer: Answer) -> str:
    """One line on what can be typed."""
    if answer.kind != "expression":
        return HELP[answer.kind]
    if not answer.given:
        return "An array, row by row: <code>[[1, 2], [3, 4]]</code>."
    names = ", ".join(f"<code>{html.escape(g.shown)}</code>" for g in answer.given)
    return (
        f"You have {names}. NumPy: <code>+ - * / @ **</code>, <code>.T</code>, "
        "<code>.sum(axis=1, keepdims=True)</code>, <code>np.maximum(a, b)</code>."
    )


def render(answer: Answer, home: str) -> str:
    """The form; the page's JavaScript answers it, without scripts it is not shown."""
    field_id = f"answer-{answer.id}"
    data = html.escape(json.dumps(answer.data, ensure_ascii=False), quote=True)
    key = f"{home.removesuffix('.md')}#{answer.id}"
    hint = help_line(answer)
    described = f' aria-describedby="{field_id}-help"' if hint else ""
    hint = f'<p class="answer-help" id="{field_id}-help">{hint}</p>' if hint else ""
    if answer.kind == "choice":
        options = sorted([answer.right, *(slip for slip, _ in answer.wrong)], key=order)
        radios = "".join(
            f'<label><input type="radio" name="{field_id}" value="{html.escape(option)}"> '
            f"<span>{words(option)}</span></label>"
            for option in options
        )
        field = (
            f'<fieldset><legend class="answer-ask">{words(answer.ask)}</legend>{radios}</fieldset>'
        )
        button = '<div class="answer-row"><button type="submit">Check</button></div>'
    else:
        field = f'<label class="answer-ask" for="{field_id}">{words(answer.ask)}</label>'
        button = (
            f'<div class="answer-row"><input id="{field_id}" type="text" autocomplete="off" autocapitalize="off" '
            f'autocorrect="off" spellcheck="false" enterkeyhint="done"{described}>'
            '<button type="submit">Check</button></div>'
        )
    return (
        f'<form class="answer" action="#" data-search-exclude data-key="{html.escape(key)}" data-answer="{data}">'
        f'{field}{button}{hint}<output class="answer-says" aria-live="polite"></output></form>'
    )


def order(text: str) -> str:
    """Options in an order that tells nothing, the same in every build."""
    return hashlib.sha256(text.encode()).hexdigest()


def overview(book: Book, home: str) -> str:
    """Every exercise of the book by chapter; the page's JavaScript marks those answered."""
    import posixpath

    parts = []
    for page in book.pages:
        shown = [(a, h) for a in answers(page) for h in page.headings if h.anchor == a.id]
        if not shown:
            continue
        path = posixpath.relpath(page.home, posixpath.dirname(home) or ".")
        title = next((h.text for h in page.headings if h.level == 1), page.stem)
        parts += ["", f"## {title}", ""]
        for answer, heading in shown:
            name = heading.text.removeprefix("Exercise: ")
            key = f"{page.home.removesuffix('.md')}#{answer.id}"
            link = f"[{name[:1].upper()}{name[1:]}]({path}#{heading.anchor})"
            parts.append(f'- {link}{{ .answer-link data-key="{key}" }}')
    return "\n".join(parts)


class _State:
    """The page that is being rendered, found by its text before anything is changed."""

    def __init__(self, root: str):
        self.root = root
        self.home = ""


class _Find(Preprocessor):
    def __init__(self, md: Markdown, state: _State):
        super().__init__(md)
        self.state = state

    def run(self, lines: list[str]) -> list[str]:
        text, self.state.home = "\n".join(lines), "page.md"
        if "```answer" in text or MARK in lines:
            book = shared_book(self.state.root)
            key = text.replace("\r\n", "\n").strip()
            homes = [
                page.home for page in book.pages if page.body.replace("\r\n", "\n").strip() == key
            ]
            self.state.home = homes[0] if homes else "page.md"
        return lines


class _Overview(Preprocessor):
    def __init__(self, md: Markdown, state: _State):
        super().__init__(md)
        self.state = state

    def run(self, lines: list[str]) -> list[str]:
        if MARK not in lines:
            return lines
        place, book = lines.index(MARK), shared_book(self.state.root)
        panel = '<div class="answers-panel" markdown="0"></div>'
        return [
            *lines[:place],
            panel,
            "",
            *overview(book, self.state.home).split("\n"),
            *lines[place + 1 :],
        ]


class _Forms(Preprocessor):
    """Puts forms in place of the blocks."""

    def __init__(self, md: Markdown, state: _State):
        super().__init__(md)
        self.state = state

    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines)
        if "```answer" not in text:
            return lines
        home = self.state.home
        page, out, at = Page(Path(home), home, text), [], 0
        for fence, anchor in blocks(page):
            try:
                form = render(read_answer(fence, anchor), home)
            except (AnswerError, ValueError, katex.TexError) as error:
                raise BookError(f"{home}: answer block under #{anchor}: {error}") from error
            out += [*lines[at : fence.line - 1], "", self.md.htmlStash.store(form), ""]
            at = fence.first + fence.body.count("\n") + 1
        return out + lines[at:]


class AnswersExtension(Extension):
    """Forms for the exercises, and the page that lists them."""

    def __init__(self, **settings):
        self.config = {"root": ["", "The folder of the book; that of the package when empty"]}
        super().__init__(**settings)

    def extendMarkdown(self, md: Markdown) -> None:
        state = _State(str(self.getConfig("root")))
        md.preprocessors.register(_Find(md, state), "nnfp-answers-page", 250)
        # after the page is read (200), before anything else reads the text
        md.preprocessors.register(_Overview(md, state), "nnfp-answers-list", 150)
        # after line ends are made alike (30), which removes placeholders, and before fences are read (25)
        md.preprocessors.register(_Forms(md, state), "nnfp-answers", 28)


def makeExtension(**settings) -> AnswersExtension:
    return AnswersExtension(**settings)
