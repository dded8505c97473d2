"""Numbers in prose that report a result: `0.0021<!-- final_loss -->`.

The comment is an expression over the page's namespace; the number must be its value at the
precision shown. Forms: 0.25, -3, 6,900, 2.1e-09, $2.1 \\times 10^{-9}$, $10^{-6}$ (the order
of magnitude), 3/16, three, half, `(6, 4)`, (2, −8) (the entries of an array); a tolerance follows the expression: 1.9<!-- ratio ±40% -->.
"""

import ast
import math
import re
import warnings
from dataclasses import dataclass

from nnfp.book.reading import Comment, Failure, FigureUse, Page
from nnfp.book.running import Run, describe

_COUNT = "zero one two three four five six seven eight nine ten eleven twelve".split()
WORDS = dict(zip(_COUNT, range(13), strict=True)) | {
    "twice": 2, "half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "tenth": 0.1, "hundredth": 0.01,
    "thousandth": 0.001, "hundred": 100, "thousand": 1000, "million": 10**6,
}  # fmt: skip
_SIGN = r"[-−+]?"
NUMBER = (
    rf"{_SIGN}(?:\d{{1,3}}(?:[,\u2009\u202f]\d{{3}})+|\d+)(?:\.\d+)?"
    rf"(?:[eE]{_SIGN}\d+|(?:\s*(?:\\times|\\cdot|×|·)\s*10\^?(?:\{{{_SIGN}\d+\}}|\d|{_SIGN}\d+|[⁻⁰¹²³⁴-⁹]+)))?"
)
_SHOWN = re.compile(
    rf"(?:(?P<code>`[^`]+`)|(?<![\w.])(?P<word>(?i:{'|'.join(WORDS)}))"
    rf"|(?<!\w)(?P<tuple>\((?:{NUMBER}, ?)+(?:{NUMBER})?\))|(?<![\w.,/])(?P<fraction>\d+/\d+)"
    rf"|(?<![\w.,])(?P<power>10\^\{{-?\d+\}})|(?<![\w.,])(?P<number>{NUMBER}))"
    r"(?P<after>(?:\s?(?:\\,)?\s?\\?%|×|°|\$|\*{1,2}|_)*)$"
)
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")


@dataclass(frozen=True)
class Binding:
    """A number on the page, the expression that it claims to be, and a tolerance."""

    line: int
    start: int
    end: int
    shown: str
    kind: str  # number, word, code, tuple, fraction or power
    expression: str
    tolerance: float | None
    relative: bool


def bindings(page: Page) -> tuple[list[Binding], list[Failure]]:
    """All bound numbers of a page, and the comments that look like one but bind nothing."""
    found, failures = [], []
    for comment in page.comments:
        if comment.alone:
            continue
        match = _SHOWN.search(comment.before)
        if not match:
            message = f"the comment {comment.text!r} does not follow a number directly"
            failures.append(page.failure(comment.line, "number", message))
            continue
        binding = _binding(comment, match)
        if not _computes(binding.expression):
            message = f"{binding.expression!r} says the number once more: bind {binding.shown} to what makes it"
            failures.append(page.failure(comment.line, "number", message))
        found.append(binding)
    return found, failures


def _computes(expression: str) -> bool:
    """Is it more than a number again? What is no Python is left to the run."""
    try:
        nodes = ast.walk(ast.parse(expression, mode="eval"))
    except SyntaxError:
        return True
    return any(isinstance(node, ast.Name | ast.BinOp) for node in nodes)


def _binding(comment: Comment, match: re.Match) -> Binding:
    kind = next(k for k, text in match.groupdict().items() if text and k != "after")
    shift = comment.start - len(comment.before)
    expression, tolerance, relative = comment.text, None, False
    if found := re.search(r"\s*(?:±|\+/-)\s*([\d.]+)\s*(%?)$", expression):
        expression = expression[: found.start()]
        relative = bool(found[2])
        tolerance = float(found[1]) / (100 if relative else 1)
    return Binding(
        comment.line, shift + match.start(kind), shift + match.end(kind), match[kind], kind,
        expression, tolerance, relative,
    )  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """How a number is written: decimals, exponent form, thousands separator, sign character."""

    value: float
    decimals: int
    exponent: str | None  # the separator between mantissa and exponent, None if there is none
    tail: str
    comma: str
    minus: str
    plus: bool


def parse(text: str) -> Shape:
    """Read a number as it is printed."""
    minus = next((sign for sign in "−" if text.startswith(sign)), "-")
    match = re.match(r"([-−+]?)([\d,\u2009\u202f]+)(?:\.(\d+))?(.*)$", text, flags=re.S)
    sign, whole, fraction, rest = match.groups()
    comma = next((c for c in ",\u2009\u202f" if c in whole), "")
    mantissa = whole.replace(comma, "") if comma else whole
    value = float(f"{mantissa}.{fraction or 0}") * (-1 if sign in tuple("-−") else 1)
    exponent, tail = None, ""
    if rest:
        power = re.match(r"(.*?(?:[eE]|10\^?\{?))([-−+]?\d+|[⁻⁰¹²³⁴-⁹]+)(\}?)$", rest, flags=re.S)
        exponent, digits, tail = power.groups()
        digits = digits.translate(_RAISED)
        value = float(f"{value}e{int(digits)}")
    return Shape(value, len(fraction or ""), exponent, tail, comma, minus, sign == "+")


def write_like(text: str, value: float) -> str:
    """`value` written in the form of the printed number `text`."""
    shape = parse(text)
    if shape.exponent is None:
        new = f"{value:{',' if shape.comma else ''}.{shape.decimals}f}"
        if shape.comma:
            new = new.replace(",", shape.comma)
    else:
        mantissa, power = f"{value:.{shape.decimals}e}".split("e")
        old = text[len(text) - len(shape.tail) - 9 :]
        if shape.exponent in "eE":
            width = len(re.search(r"\d+$", old)[0])
            sign = "-" if power[0] == "-" else ("+" if re.search(r"\+\d+$", old) else "")
            power = f"{sign}{abs(int(power)):0{width}d}"
        else:
            power = str(int(power))
            if re.search(r"[⁻⁰¹²³⁴-⁹]$", text):
                power = power.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        new = f"{mantissa}{shape.exponent}{power}{shape.tail}"
    if re.fullmatch(r"-[0.,]+", new):
        new = new[1:]
    if new.startswith("-"):
        return shape.minus + new[1:]
    return "+" + new if shape.plus else new


def _canonical(text: str) -> str:
    return re.sub(
        r"e[-+]?0*(?=\d)", lambda m: m[0].rstrip("0").replace("+", ""), text.translate(_RAISED)
    )


def agrees(text: str, value: float) -> bool:
    """True if the printed number is the value, rounded as printed."""
    return math.isfinite(value) and _canonical(write_like(text, value)) == _canonical(text)


def scalar(value: object) -> float:
    """A number from whatever an expression gave."""
    if hasattr(value, "size") and hasattr(value, "item"):
        if value.size != 1:
            raise ValueError(f"is an array of shape {value.shape}, not one number")
        value = value.item()
    if isinstance(value, str | bytes):
        raise ValueError(f"is the text {value!r}, not a number")
    return float(value)


def evaluate(binding: Binding, page: Page, namespace: dict) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return eval(compile(binding.expression, page.shown, "eval"), namespace)


def check(binding: Binding, page: Page, namespace: dict) -> tuple[str | None, str | None]:
    """(what is wrong or None, the text that would be right or None)."""
    try:
        value = evaluate(binding, page, namespace)
    except Exception as error:
        return f"{binding.expression}: {describe(error)}", None
    if binding.kind == "code":
        inner = binding.shown[1:-1]
        if inner in (str(value), repr(value)):
            return None, None
        if re.fullmatch(NUMBER, inner):
            wrong, right = _compare(binding, inner, value)
            return wrong, right and f"`{right}`"
        return f"{binding.expression} is {value!r}, the page says {inner}", f"`{value}`"
    if binding.kind == "tuple":
        return _compare_tuple(binding, value)
    return _compare(binding, binding.shown, value)


def _compare_tuple(binding: Binding, value: object) -> tuple[str | None, str | None]:
    """(2, −8) against the entries of an array, in its order."""
    shown = re.findall(NUMBER, binding.shown)
    try:
        entries = value.ravel().tolist() if hasattr(value, "ravel") else [*map(scalar, value)]
    except (TypeError, ValueError) as error:
        return f"{binding.expression} {error}", None
    said = f"{binding.expression} is {value!r}, the page says {binding.shown}"
    if len(entries) != len(shown):
        return said, None
    if all(agrees(text, entry) for text, entry in zip(shown, entries, strict=True)):
        return None, None
    right = [write_like(text, entry) for text, entry in zip(shown, entries, strict=True)]
    return said, f"({', '.join(right)}{',' * (len(right) == 1)})"


def _compare(binding: Binding, text: str, value: object) -> tuple[str | None, str | None]:
    try:
        number = scalar(value)
    except (TypeError, ValueError) as error:
        return f"{binding.expression} {error}", None
    said = f"{binding.expression} is {number:.6g}, the page says {text}"
    if not math.isfinite(number):
        return said, None
    if binding.kind == "power":
        power = math.floor(math.log10(abs(number)) + 1e-9) if number else None
        if power == int(text[4:-1]):
            return None, None
        return said, None if power is None else f"10^{{{power}}}"
    if binding.kind in ("word", "fraction") and binding.tolerance is None:
        if binding.kind == "fraction":
            part, whole = map(int, text.split("/"))
            said_value = part / whole
        else:
            said_value = WORDS[text.lower()]
        if math.isclose(number, said_value, rel_tol=1e-12):
            return None, None
        if binding.kind == "fraction" or number not in range(len(_COUNT)):
            return said, None
        word = _COUNT[int(number)]
        return said, word.capitalize() if text[0].isupper() else word
    if binding.tolerance is not None:
        shown = WORDS[text.lower()] if binding.kind == "word" else parse(text).value
        limit = binding.tolerance * (abs(shown) if binding.relative else 1)
        if abs(number - shown) <= limit:
            return None, None
        percent = f"{100 * binding.tolerance:g}%" if binding.relative else f"{limit:g}"
        right = None if binding.kind == "word" else write_like(text, number)
        return f"{said} ± {percent}", right
    return (None, None) if agrees(text, number) else (said, write_like(text, number))


def in_caption(binding: Binding, page: Page) -> FigureUse | None:
    """The figure in whose paragraph the number stands."""
    return next((f for f in page.figures if f.start <= binding.start < f.end), None)


def namespace_of(binding: Binding, run: Run) -> dict:
    """Facts of the figure first for a caption, else the page's namespace."""
    use = in_caption(binding, run.page)
    if use is None:
        return run.namespace
    from nnfp.book import figures

    return {**run.namespace, **figures.facts(use.name)}


def numbers_in(text: str) -> list[str]:
    """Every number that a text states; 2-D and the like are words."""
    return re.findall(rf"(?<![\w.,])(?:{NUMBER})(?![\w]|-[A-Za-z]|[.,]\d)", text)


def flat(facts: dict) -> list[float]:
    """All numbers among the facts of a figure."""
    found = []

    def collect(value):
        if isinstance(value, list):
            for part in value:
                collect(part)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append(float(value))

    for value in facts.values():
        collect(value)
    return found
