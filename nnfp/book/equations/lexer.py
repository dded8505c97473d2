"""TeX to tokens. A token knows its place; decorations such as \\hat{y} are one token."""

import re
from dataclasses import dataclass

SPACING = {
    r"\,", r"\;", r"\!", r"\:", "\\ ", r"\left", r"\right", r"\big", r"\Big", r"\bigl", r"\bigr",
    r"\Bigl", r"\Bigr", r"\displaystyle", r"\textstyle", r"\limits", "~",
}  # fmt: skip
ACCENTS = "hat|bar|tilde|vec|dot|widehat|widetilde|overline"
FONTS = "mathbf|mathrm|mathcal|mathbb|operatorname|text|boldsymbol|mathit|mathsf|bm"
GREEK = set(
    r"""\alpha \beta \gamma \delta \epsilon \varepsilon \zeta \eta \theta \vartheta \kappa \lambda
    \mu \nu \xi \pi \rho \sigma \tau \phi \varphi \chi \psi \omega \Gamma \Delta \Theta \Lambda \Xi
    \Pi \Sigma \Phi \Psi \Omega \ell""".split()
)
_BODY = r"(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\[A-Za-z]+|[A-Za-z0-9])"
_TOKEN = re.compile(
    rf"\\(?P<mark>{ACCENTS}|{FONTS})(?![A-Za-z])\*?\s*(?P<body>{_BODY})"
    r"|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\S",
    re.S,
)


@dataclass(frozen=True)
class Token:
    """`kind` is number, symbol, text (words between formulas), or sign for everything else."""

    text: str
    kind: str
    start: int
    end: int


def tokens(tex: str, offset: int = 0) -> list[Token]:
    found = []
    for match in _TOKEN.finditer(tex):
        text, kind = match[0], "sign"
        if text in SPACING:
            continue
        if match["mark"]:
            text, kind = _decorated(match["mark"], match["body"])
        elif re.fullmatch("[A-Za-z]", text) or text in GREEK:
            kind = "symbol"
        elif text[0].isdigit():
            kind = "number"
        found.append(Token(text, kind, offset + match.start(), offset + match.end()))
    return found


def _decorated(mark: str, body: str) -> tuple[str, str]:
    r"""\hat y and \hat{y} are one name; \mathbf{1} is a name, \text{if } is words."""
    body = body[1:-1] if body.startswith("{") else body
    if mark == "text" and not re.fullmatch(r"[A-Z][A-Za-z]*|[a-z]{1,3}", body.strip()):
        return body.strip(), "text"
    if mark == "text" and body.strip() in ("if", "for", "all", "and"):
        return body.strip(), "text"
    body = re.sub(r"\s+|\\,", "", body)
    return f"\\{mark}{{{body}}}", "symbol"
