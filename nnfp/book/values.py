"""What the code of each page leaves behind, recorded: a silent change of any value is noticed.

What a page prints and states is compared with its code. What it computes on the way is not on the page; a
short summary of every variable stands in docs/reference/data/values.json instead. `check --update` rewrites it.
"""

import dataclasses
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nnfp.book import running
from nnfp.book.reading import Book, Failure, Page
from nnfp.book.sources import write

CLOSE = 1e-5  # other processors and other versions of NumPy round otherwise
DEPTH = 4


def path_of(book: Book) -> Path:
    return book.docs / "reference" / "data" / "values.json"


def load(book: Book) -> dict:
    path = path_of(book)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def weights(size: int) -> np.ndarray:
    """Fixed and without order, between 1/2 and 3/2: two numbers that change places change the sum."""
    return 0.5 + (np.arange(1, size + 1) * 0.6180339887498949) % 1.0


def of_array(value: np.ndarray) -> list:
    """Kind and shape, the weighted sum of the entries, the sum of their sizes."""
    flat = np.ascontiguousarray(value).ravel()
    if flat.dtype.kind not in "biufc":
        return [str(flat.dtype), list(value.shape), " ".join(map(str, flat.tolist()))[:200]]
    wide = flat.astype(np.complex128 if flat.dtype.kind == "c" else np.float64)
    if not np.all(np.isfinite(wide)):
        return [str(flat.dtype), list(value.shape), "not finite", int(np.isfinite(wide).sum())]
    with np.errstate(over="ignore"):
        scale = float(np.abs(wide).max(initial=0.0)) or 1.0
        total = complex(weights(flat.size) @ (wide / scale)) * scale
        size = float(np.abs(wide / scale).sum()) * scale
    parts = [total.real] if flat.dtype.kind != "c" else [total.real, total.imag]
    return [str(flat.dtype), list(value.shape), *(float(f"{part:.9g}") for part in parts), float(f"{size:.9g}")]


def summaries(name: str, value: object, depth: int = 0) -> Iterator[tuple[str, object]]:
    """(path of names, summary) for a value and what is inside it; nothing for code, modules and the like."""
    if depth > DEPTH or isinstance(value, type) or callable(value):
        return
    if isinstance(value, np.random.Generator):
        yield name, ["generator", str(value.bit_generator.seed_seq.entropy)[:40]]
    elif isinstance(value, np.ndarray | np.generic):
        yield name, of_array(np.asarray(value))
    elif isinstance(value, bool | str | type(None)):
        yield name, value if not isinstance(value, str) else ["str", value[:200]]
    elif isinstance(value, int | float | complex):
        yield name, [type(value).__name__, *of_array(np.asarray(value))[2:]] if abs(value) < 1e300 else repr(value)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from summaries(f"{name}[{key!r}]", part, depth + 1)
    elif isinstance(value, list | tuple):
        try:
            array = np.array(value)
        except ValueError:
            array = None
        if array is not None and array.dtype.kind in "biufc":
            yield name, [type(value).__name__, *of_array(array)]
            return
        for place, part in enumerate(value[:12]):
            yield from summaries(f"{name}[{place}]", part, depth + 1)
    elif dataclasses.is_dataclass(value) or type(value).__module__.split(".")[0] in ("nnfp", "__main__"):
        for key, part in getattr(value, "__dict__", {}).items():
            if not key.startswith("_"):
                yield from summaries(f"{name}.{key}", part, depth + 1)


def of_run(run: running.Run) -> dict[str, object]:
    """The summary of everything that a page's code leaves behind."""
    found = {}
    for name, value in run.namespace.items():
        if not name.startswith("_"):
            found.update(summaries(name, value))
    return json.loads(json.dumps(found))


def agree(one: object, other: object) -> bool:
    """Equal, numbers up to rounding; the last number of a summary says what is small."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        numbers = [x for x in (one[-1], other[-1]) if isinstance(x, float)]
        scale = max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)
        return all(
            abs(a - b) <= CLOSE * scale if isinstance(a, float) and isinstance(b, float) else a == b
            for a, b in zip(one, other, strict=True)
        )
    return one == other


def check(page: Page, run: running.Run, book: Book) -> tuple[int, list[Failure]]:
    """How many values were compared, and those that are not as recorded."""
    kept = load(book).get(page.home)
    if not run.complete or (kept is None and not run.statements) or not path_of(book).is_file():
        return 0, []
    kept = kept or {"values": {}, "timed": []}
    found, timed, failures = of_run(run), set(kept["timed"]), []
    advice = "if that is meant: python -m nnfp.book check --update"
    for name in dict.fromkeys([*kept["values"], *found]):
        if re.split(r"[.\[]", name)[0] in timed:
            continue
        line = line_of(page, name)
        if name not in found:
            failures.append(page.failure(line, "value", f"{name} is recorded and is not made any more; {advice}"))
        elif name not in kept["values"]:
            failures.append(page.failure(line, "value", f"{name} is not recorded; {advice}"))
        elif not agree(kept["values"][name], found[name]):
            failures.append(page.failure(line, "value", f"{name} is not what it was; {advice}"))
    return len(found), failures


def line_of(page: Page, name: str) -> int:
    """Where a variable gets its last value, as far as the text tells."""
    stem = re.split(r"[.\[]", name)[0]
    found = 1
    for fence in page.fences:
        if fence.runs:
            for number, text in enumerate(fence.body.split("\n"), fence.first):
                if re.search(rf"\b{re.escape(stem)}\b[^=]*(?<![=!<>])=(?!=)|\bfor\b.*\b{re.escape(stem)}\b|import.*\b{re.escape(stem)}\b", text):
                    found = number
    return found


def update(page: Page, book: Book) -> bool:
    """Record the values of a page; those that differ between two runs are timings. False if nothing is new."""
    if not path_of(book).is_file():
        return False  # a book that keeps no record
    one, two = running.run(page), running.run(page)
    if not one.complete:
        return False
    first, second = of_run(one), of_run(two)
    timed = sorted({re.split(r"[.\[]", name)[0] for name in first.keys() | second.keys() if first.get(name) != second.get(name)})
    kept = {name: value for name, value in first.items() if re.split(r"[.\[]", name)[0] not in timed}
    data, path = load(book), path_of(book)
    old = data.get(page.home)
    same = old and old["timed"] == timed and old["values"].keys() == kept.keys() and all(
        agree(old["values"][name], kept[name]) for name in kept
    )  # fmt: skip
    if same or (not kept and old is None):
        return False
    data[page.home] = {"values": kept, "timed": timed}
    pages = ",\n".join(f"{json.dumps(home)}: {_lines(data[home])}" for home in sorted(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, "{\n" + pages + "\n}\n")
    return True


def _lines(entry: dict) -> str:
    """One line a value, so that a change is seen in a diff."""
    values = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in entry["values"].items())
    return '{"timed": ' + json.dumps(entry["timed"]) + ', "values": {\n' + values + "}}"
