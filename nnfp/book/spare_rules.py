"""The style sheet of the site without what no page of it can need.

The theme brings rules for everything that it can show, and KaTeX for all that TeX can say: more than a third of the
sheet is for tabs, posts, languages from right to left and sizes of letters that this book does not have. A phone
fetches that before it shows anything. A rule goes if its selector names a class that neither a page nor a script
names; a face if no rule names its family; a property if nothing reads it. What is left stays in its order.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import tinycss2

# What the first element says about the whole site, and no script says anything else than some element does.
SETTLED = ("dir", "data-md-color-primary", "data-md-color-accent", "data-md-color-scheme")


@dataclass
class Named:
    """What the pages and scripts of a site name: classes, values of the settled attributes, custom properties."""

    names: set[str] = field(default_factory=set)
    values: set[tuple[str, str]] = field(default_factory=set)

    def add_page(self, text: str) -> None:
        for names in re.findall(r'\bclass="([^"]*)"', text):
            self.names.update(names.split())
        for attribute in SETTLED:
            self.values.update((attribute, value) for value in re.findall(rf'\b{attribute}="([^"]*)"', text))
        for part in re.findall(r"<script[^>]*>(.*?)</script>", text, flags=re.S) + re.findall(r'\bstyle="([^"]*)"', text):
            self.add_script(part)

    def add_script(self, text: str) -> None:
        self.names.update(re.findall(r"[\w-]+", text))

    def has(self, name: str) -> bool:
        """A script may put a name together: `x-ink-` names all that begin so."""
        return name in self.names or any(name[:end] in self.names for end in range(3, len(name)) if name[end - 1] == "-")


def named_in(site: Path) -> Named:
    """All pages, and all scripts but those of Python in the browser, which show nothing."""
    named = Named()
    for path in sorted(site.rglob("*.html")):
        named.add_page(path.read_text(encoding="utf-8"))
    for path in sorted(site.rglob("*.js")):
        if "vendor" not in path.relative_to(site).parts:
            named.add_script(path.read_text(encoding="utf-8"))
    return named


def without_spare_rules(css: str, named: Named) -> str:
    text = _filtered(css, lambda selector: _can_match(selector, named))
    while True:  # a property may be read by another only
        read = set(re.findall(r"var\(\s*([\w-]+)", text))
        shorter = _filtered(text, declaration=lambda name, read=read: not name.startswith("--") or name in read or named.has(name))
        if shorter == text:
            return _without_spare_faces(text)
        text = shorter


def _anything(_) -> bool:
    return True


def _filtered(css, selector: Callable[[list], bool] = _anything, declaration: Callable[[str], bool] = _anything) -> str:
    """The rules of which a selector and a declaration is kept, one on a line."""
    lines = []
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if rule.type == "error":
            raise ValueError(f"the style sheet cannot be read: line {rule.source_line}: {rule.message}")
        if rule.type == "qualified-rule":
            selectors = [tinycss2.serialize(one).strip() for one in _between_commas(rule.prelude) if selector(one)]
            said = [one.serialize() for one in _declarations(rule) if one.type != "declaration" or declaration(one.name)]
            if selectors and said:
                lines.append(f"{','.join(selectors)}{{{';'.join(said)}}}")
        elif rule.lower_at_keyword in ("media", "supports"):
            if inner := _filtered(rule.content, selector, declaration):
                lines.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude).rstrip()}{{\n{inner}}}")
        else:
            lines.append(rule.serialize())
    return "".join(f"{line}\n" for line in lines)


def _declarations(rule) -> list:
    parts = tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
    for part in parts:
        if part.type == "error":
            raise ValueError(f"the style sheet cannot be read: line {part.source_line}: {part.message}")
    return parts


def _between_commas(tokens: list) -> list[list]:
    parts = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _can_match(selector: list, named: Named) -> bool:
    """Whether all its classes and settled attributes occur; what stands in brackets, as in :is() or :not(), is not asked."""
    for before, token in zip([None, *selector], selector, strict=False):
        if token.type == "ident" and before is not None and before.type == "literal" and before.value == ".":
            if not named.has(token.value):
                return False
        elif token.type == "[] block":
            match = re.fullmatch(r"\[([\w-]+)=[\"']?([\w-]+)[\"']?\]", token.serialize())
            if match and match[1] in SETTLED and (match[1], match[2]) not in named.values:
                return False
    return True


def _without_spare_faces(text: str) -> str:
    face = re.compile(r"@font-face\s*\{[^}]*\}\s*")
    rest = face.sub("", text)

    def kept(match: re.Match) -> str:
        family = re.search(r"font-family:\s*[\"']?([^;\"'}]+)", match[0])[1].strip()
        return match[0] if family in rest else ""

    return face.sub(kept, text)
