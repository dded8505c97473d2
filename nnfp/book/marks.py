r"""The quiet mark beside an equation number, and the symbols of a display that can be pointed at.

mkdocs.yml names this module: `nnfp.book.markdown: {mark: nnfp.book.marks}`. The mark is a <details>
element, so it opens without scripts, by keyboard and by touch. The TeX of a display is given
\htmlData{s=3}{...} around each symbol: its row in the table of the panel.
"""

import html
import posixpath
import re
import xml.etree.ElementTree as etree
from functools import cache

from markdown.util import AtomicString
from pygments.lexers import PythonLexer
from pygments.token import Token

from nnfp.book import katex, scores
from nnfp.book.equations.lexer import tokens
from nnfp.book.reading import Page
from nnfp.book.verdicts import Verdict, verdicts  # noqa: F401  (nnfp.book.markdown asks here)

CHECKED = "reference/checks.md"  # the page that lists every equation
TESTS = "reference/tests.md"  # the page that shows the tests
ICON = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="9"/><path d="m8 12.4 2.7 2.7L16 9.6"/></svg>'
)
TALL = 22  # lines of code from which on a panel scrolls them; Material sees to what is too wide
COLOURS = ((Token.Keyword, "k"), (Token.Comment, "c1"), (Token.Literal.Number, "mi"), (Token.Literal.String, "s2"))
_ATOM = re.compile(
    r"\\mathbb\{(?P<set>[RNZ])\}|\\(?P<command>[A-Za-z]+|[{},])\s*|(?P<script>[_^])\s*(?P<body>\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|.)"
    r"|(?P<letter>[A-Za-z])|(?P<number>\d+(?:\.\d+)?)|(?P<sign>[-+(),])|\s+"
)
COMMANDS = {"times": " × ", "to": " → ", "dots": "…", "{": "{", "}": "}", ",": "", "infty": "∞", "ell": "<i>ℓ</i>"}
SIGNS = {"-": "−", ",": ", "}


def ready(text: str) -> str:
    """Sets HTML apart that is finished: `tree` keeps it as it is."""
    return f"\ue000{text}\ue001"


_READY = re.compile("\ue000(.*?)\ue001", re.S)


def tree(text: str, store) -> etree.Element:
    """HTML as an element of the page, so that its links to .md files are resolved, and checked, as any other.

    What is set apart as ready goes to `store`, which is Markdown's stash of finished HTML.
    """
    kept: list[str] = []

    def keep(match: re.Match) -> str:
        kept.append(match[1])
        return f"\ue000{len(kept) - 1}\ue001"

    root = etree.fromstring(_READY.sub(keep, text))
    for element in root.iter():
        for part in ("text", "tail"):
            if words := getattr(element, part):
                words = _READY.sub(lambda match: store(kept[int(match[1])]), words)
                setattr(element, part, AtomicString(words))
    return root


def formula(tex: str) -> str:
    """A formula in a line of text."""
    return ready(f'<bdi class="math" data-search-exclude>{katex.render(tex)}</bdi>')


def domain(tex: str) -> str:
    """A domain as plain HTML, far lighter than KaTeX; what this cannot read is left to KaTeX."""
    out, at = [], 0
    while at < len(tex):
        match = _ATOM.match(tex, at)
        if match is None or (match["command"] and match["command"] not in COMMANDS):
            return formula(tex)
        at = match.end()
        if match["set"]:
            out.append({"R": "ℝ", "N": "ℕ", "Z": "ℤ"}[match["set"]])
        elif match["command"]:
            out.append(COMMANDS[match["command"]])
        elif match["script"]:
            body = match["body"]
            inner = domain(body[1:-1] if body.startswith("{") else body)
            tag = "sub" if match["script"] == "_" else "sup"
            out.append(f"<{tag}>{inner.replace(' ', '')}</{tag}>")
        elif match["letter"]:
            out.append(f"<i>{match['letter']}</i>")
        elif match["number"] or match["sign"]:
            out.append(match["number"] or SIGNS.get(match["sign"], match["sign"]))
    return "".join(out)


def words(text: str) -> str:
    """The meaning of a symbol as the table writes it: words, `code` and $formulas$."""
    parts = re.split(r"(\$[^$]+\$|`[^`]+`)", text)
    shown = {"$": lambda part: formula(part[1:-1]), "`": lambda part: f"<code>{html.escape(part[1:-1])}</code>"}
    return "".join(shown.get(part[:1], html.escape)(part) for part in parts)


# Symbols in a display.


def marked(tex: str, places: list) -> str:
    r"""The TeX of a display with \htmlData{s=row}{...} around each symbol and its scripts."""
    stream = tokens(tex)
    texts = [token.text for token in stream]
    bare, spans = _bare(texts), []
    for first, last, row in places:
        if last > len(stream):
            return tex
        spans.append((stream[first].start, stream[_scripts(texts, last) - 1].end, first, row))
    opened: dict[int, str] = {}
    closed: dict[int, str] = {}
    for start, end, first, row in sorted(spans, key=lambda span: (span[0], -span[1])):
        braces = first in bare
        opened[start] = opened.get(start, "") + "{" * braces + rf"\htmlData{{s={row}}}{{"
        closed[end] = "}" + "}" * braces + closed.get(end, "")
    cuts = sorted({0, len(tex), *opened, *closed})
    pieces = [closed.get(a, "") + opened.get(a, "") + tex[a:b] for a, b in zip(cuts, cuts[1:])]
    return "".join(pieces) + closed.get(len(tex), "")


def _scripts(texts: list[str], k: int) -> int:
    """The end of the scripts and primes that follow token k - 1."""
    while k < len(texts) and texts[k] in ("_", "^", "'"):
        if texts[k] == "'":
            k += 1
            continue
        k = _group(texts, k + 1)
    return k


def _group(texts: list[str], k: int) -> int:
    """The end of one token or of a {...} group."""
    depth = 0
    while k < len(texts):
        depth += {"{": 1, "}": -1}.get(texts[k], 0)
        k += 1
        if not depth:
            break
    return k


def _bare(texts: list[str]) -> set[int]:
    """Arguments that are one token without braces."""
    found = set()
    for k, text in enumerate(texts):
        count = 2 if text in (r"\frac", r"\tfrac", r"\dfrac") else text in ("_", "^", r"\sqrt")
        k += 1
        for _ in range(count):
            found |= {k} if texts[k : k + 1] != ["{"] else set()
            k = _group(texts, k)
    return found


ANNOTATION = re.compile(r'(<annotation encoding="application/x-tex">).*?(</annotation>)', re.S)


def display(tex: str, verdict: Verdict) -> str:
    """A display whose symbols can be pointed at; what a screen reader and the search get is unchanged."""
    with_data = marked(tex, verdict.places)
    rendered = katex.render(with_data, True)
    if with_data == tex:
        return rendered
    return ANNOTATION.sub(lambda match: match[1] + html.escape(tex, quote=False) + match[2], rendered)


# The panel.


def tenth(error: float) -> str:
    """An error as the power of ten that it stays below; machine precision is not told apart."""
    power = -15
    while error >= 10.0**power and power < 0:
        power += 1
    return f"10<sup>−{-power}</sup>" if power else "1"


@cache
def code(text: str) -> str:
    """Python with colour where it helps; names and signs stay plain, which halves the size of a page."""
    parts = []
    for kind, words in PythonLexer(stripnl=False).get_tokens(text):
        short = next((css for group, css in COLOURS if kind in group), "")
        words = html.escape(words, quote=False)
        parts.append(f'<span class="{short}">{words}</span>' if short else words)
    shown = "".join(parts).rstrip()
    tall = ' is-tall" tabindex="0" role="group" aria-label="Code' if text.count("\n") > TALL else ""
    return ready(f'<div class="highlight mark-code{tall}"><pre><code>{shown}</code></pre></div>')


def link(equations: dict, page: Page, label: str) -> str:
    """(2.3), linked from `page`, as HTML."""
    owner, _, number = equations[label]
    return f'<a href="{address(page.home, owner.home)}#{label}">({number})</a>'


def address(here: str, there: str) -> str:
    """The way from one page to another, as Markdown files: what builds the site turns it into an address."""
    return "" if here == there else posixpath.relpath(there, posixpath.dirname(here) or ".")


def how(verdict: Verdict, equations: dict, page: Page) -> list[str]:
    """What was run, a sentence each, as HTML."""
    parts = [part for part in verdict.checked_by.split("; ") if part and "third witness" not in part]
    lines = []
    for part in parts:
        if part.startswith("both sides"):
            kind = "both sides" if verdict.equality else "the statement"
            lines.append(f"{kind}{part.removeprefix('both sides')}: {verdict.comparisons} comparisons")
        elif part == "the code of the package":
            lines.append(f"against <code>{html.escape(verdict.witness or '')}</code>")
        else:
            lines.append(html.escape(part))
    libraries: dict[str, list] = {}
    for file, test, library in verdict.tests:
        libraries.setdefault(library, []).append((file, test))
    for library, found in libraries.items():
        way = address(page.home, TESTS)
        tests = ", ".join(f'<a href="{way}#{test}"><code>{html.escape(test)}</code></a>' for _, test in found)
        lines.append(f"against {html.escape(library)}: {tests}" if library else tests)
    if not verdict.comparisons and verdict.used_by:
        links = ", ".join(link(equations, page, label) for label in verdict.used_by[:4])
        more = " and others" if len(verdict.used_by) > 4 else ""
        lines.append(f"shape and value of the definition; borne out by {links}{more}, which use it")
    return [line[0].upper() + line[1:] if line[0].isalpha() else line for line in lines]


def panel(equations: dict, page: Page, verdict: Verdict) -> str:
    """The mark of one equation with its panel, as HTML for `tree`; `equations` are those of the book."""
    label = verdict.id
    number = equations[label][2]
    rows = "".join(
        f'<tr data-s="{k}"><td>{formula(symbol)}</td><td class="mark-domain">{domain(space)}</td>'
        f"<td>{words(meaning)}</td></tr>"
        for k, (symbol, space, meaning) in enumerate(verdict.symbols)
    )
    parts = []
    if rows:
        parts.append(f'<p class="mark-head">Symbols</p><table class="mark-symbols"><tbody>{rows}</tbody></table>')
    if verdict.numpy_form:
        parts.append(f'<p class="mark-head">In NumPy, tested</p>{code(verdict.numpy_form)}')
    lines = how(verdict, equations, page)
    if verdict.equality:
        lines.append(f"Largest difference: below {tenth(verdict.worst_error)}, relative")
    if score := scores.of(page.home, label):
        target = f"{address(page.home, CHECKED)}#{label}"
        lines.append(scores.sentence(score).replace("[", f'<a href="{target}">').replace("]", "</a>"))
    items = "".join(f"<li>{line}</li>" for line in lines)
    parts.append(f'<p class="mark-head">Checked</p><ul class="mark-how">{items}</ul>')
    parts.append(
        f'<p class="mark-more">Run it: <code>python -m nnfp.book check docs/{page.home}</code> · '
        f'<a href="{address(page.home, TESTS)}#test_equation">the test</a> · '
        f'<a href="{address(page.home, CHECKED)}">what is checked</a></p>'
    )
    return (
        f'<details class="mark" data-search-exclude=""><summary title="How it is checked">{ready(ICON)}'
        f'<span class="mark-name">How equation {number} is checked</span></summary>'
        f'<div class="mark-panel">{"".join(parts)}</div></details>'
    )


def formulas(shown: list[tuple[str, Verdict]]) -> list[tuple[str, bool]]:
    """Every formula that the marks of a page need, so that they can be taken from disk at once."""
    wanted = [(marked(tex, verdict.places), True) for tex, verdict in shown]
    return wanted + [(symbol, False) for _, verdict in shown for symbol, _, _ in verdict.symbols]
