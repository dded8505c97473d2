"""Addresses outside the book: their form, and whether two of them are the same place.

Nothing is fetched here; scripts/check_links.py asks the web, once a week.
"""

import re
from urllib.parse import parse_qsl, urlsplit

from nnfp.book.reading import Book

HTTP_ONLY = ("neuralnetworksanddeeplearning.com",)  # have no certificate of their own
_DOI = re.compile(r"^10\.\d{4,9}/\S+$")
_ARXIV = re.compile(r"^/abs/(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})$")


def wrong(address: str) -> str | None:
    """What is wrong with the form of an address, None if nothing is."""
    if not address.startswith(("https://", "http://")) or "." not in address.split("/")[2]:
        return f"{address} is no web address"
    parts = urlsplit(address)
    host, path = parts.netloc.lower(), parts.path
    if parts.scheme == "http" and host not in HTTP_ONLY:
        return f"write https:// for {address}"
    if parts.netloc != host:
        return f"{address}: the name of a host is written in small letters"
    if any(name.startswith("utm_") or name in ("ref", "fbclid", "gclid") for name, _ in parse_qsl(parts.query)):
        return f"{address} carries the mark of whoever counts its readers: leave out ?{parts.query}"
    if host in ("arxiv.org", "www.arxiv.org") and (host[0] == "w" or not _ARXIV.match(path)):
        return f"{address}: a paper on arXiv is https://arxiv.org/abs/ and its number, without a version"
    if host in ("doi.org", "dx.doi.org") and (host[1] == "x" or not _DOI.match(path[1:])):
        return f"{address}: a DOI is https://doi.org/10.NNNN/ and the rest"
    if address.endswith((".", ",", ";", ")")) and address.count("(") != address.count(")"):
        return f"{address} ends in a mark of the sentence"
    return None


def key(address: str) -> str:
    """Equal for two addresses of one document: parts of it, versions and a last slash do not count."""
    parts = urlsplit(address)
    host = parts.netloc.lower().removeprefix("www.").removeprefix("dx.")
    path = re.sub(r"/(?:index\.html?)?$", "", parts.path)
    if host == "arxiv.org":
        path = re.sub(r"^/(?:pdf|html)/", "/abs/", re.sub(r"(?:v\d+)?(?:\.pdf)?$", "", path))
    return f"{host}{path}?{parts.query}"


def addresses(book: Book) -> dict[str, list[str]]:
    """Address without its fragment -> the places that link to it, pages and sources of the package."""
    found: dict[str, list[str]] = {}
    for page in book.pages:
        for link in page.links:
            if link.text.startswith(("http://", "https://")):
                place = f"{page.shown}:{link.line}"
                found.setdefault(link.text.partition("#")[0], []).append(place)
    others = [*sorted((book.root / "nnfp").rglob("*.py")), *sorted(book.root.glob("*.md"))]
    for path in others:
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            for address in re.findall(r"(?:\]\(|^\s*Source:\s+|<)(https?://[^\s)>\"'`]+)", line):
                place = f"{path.relative_to(book.root).as_posix()}:{number}"
                found.setdefault(address.partition("#")[0], []).append(place)
    return found
