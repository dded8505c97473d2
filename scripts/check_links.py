"""Ask the web for every address that the book links to: python scripts/check_links.py [ADDRESS ...]

Fails if a place is gone. A server that refuses programs, or is too busy, proves nothing: it is only
listed. A place that has moved for good is listed with its new address. Standard library only; needs
the files of the book and PyYAML, which reads mkdocs.yml.
"""

import argparse
import concurrent.futures
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

AGENT = "Mozilla/5.0 (compatible; nnfp link check)"
GONE = (404, 410)
_hosts: dict[str, threading.Lock] = {}
_guard = threading.Lock()


class _Moves(urllib.request.HTTPRedirectHandler):
    """Follows redirections and remembers whether all of them are for good."""

    def redirect_request(self, request, file, code, message, headers, address):
        new = super().redirect_request(request, file, code, message, headers, address)
        if new is not None:
            new.for_good = getattr(request, "for_good", True) and code in (301, 308)
        return new


def ask(address: str, timeout: float = 20, tries: int = 3, pause: float = 2) -> tuple[str, str]:
    """("ok" | "moved" | "unclear" | "gone", what there is to say); one question a host at a time."""
    with _guard:
        lock = _hosts.setdefault(urlsplit(address).netloc, threading.Lock())
    with lock:
        for number in range(tries):
            verdict = _once(address, timeout)
            if verdict[0] in ("ok", "moved") or verdict[1] in map(str, GONE):
                return verdict
            if number + 1 < tries:
                time.sleep(pause * (number + 1))
        return verdict


def _once(address: str, timeout: float) -> tuple[str, str]:
    opener = urllib.request.build_opener(_Moves)
    request = urllib.request.Request(address, headers={"User-Agent": AGENT, "Accept": "*/*"})
    try:
        with opener.open(request, timeout=timeout) as answer:
            answer.read(1)
            return _moved(address, answer.geturl())
    except urllib.error.HTTPError as error:
        return ("gone" if error.code in GONE else "unclear"), str(error.code)
    except urllib.error.URLError as error:
        text = str(error.reason)
        nobody = "Name or service not known" in text or "nodename nor servname" in text
        return ("gone" if nobody else "unclear"), text
    except (TimeoutError, OSError, ValueError) as error:
        return "unclear", f"{type(error).__name__}: {error}"


def _moved(address: str, arrived: str) -> tuple[str, str]:
    """Another host than asked for is worth a line; doi.org always leads elsewhere."""
    before, after = urlsplit(address), urlsplit(arrived)
    if before.netloc in ("doi.org",) or before.netloc.removeprefix("www.") == after.netloc.removeprefix("www."):
        return "ok", ""
    return "moved", arrived


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("addresses", nargs="*", help="these instead of the book's")
    parser.add_argument("--timeout", type=float, default=20)
    parser.add_argument("--pause", type=float, default=2)
    arguments = parser.parse_args(argv)
    if arguments.addresses:
        places = {address: ["command line"] for address in arguments.addresses}
    else:
        from nnfp.book import links
        from nnfp.book.reading import Book

        places = links.addresses(Book())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda a: ask(a, arguments.timeout, pause=arguments.pause), places)
        found = dict(zip(places, answers, strict=True))
    for address, (verdict, text) in sorted(found.items(), key=lambda item: item[1]):
        if verdict != "ok":
            print(f"{verdict:7} {address} {text} ({', '.join(places[address])})")
    counts = {v: sum(verdict == v for verdict, _ in found.values()) for v in ("ok", "moved", "unclear", "gone")}
    print(f"{len(found)} addresses: " + ", ".join(f"{n} {v}" for v, n in counts.items()))
    if found and counts["unclear"] == len(found):
        print("nothing answered: is there a network?", file=sys.stderr)
        return 1
    return 1 if counts["gone"] else 0


if __name__ == "__main__":
    sys.exit(main())
