"""The scores of the corruptions, as scripts/mutate.py wrote them, for the pages of the site."""

import json
from functools import lru_cache
from pathlib import Path

from nnfp.book.sources import ROOT

FOLDER = ROOT / "docs" / "reference" / "data"


def load(name: str) -> dict:
    """One file of scores, {} if there is none: load("mutation_equations")."""
    path = FOLDER / f"{name}.json"
    return _load(path, path.stat().st_mtime_ns) if path.is_file() else {}


@lru_cache(maxsize=8)
def _load(path: Path, stamp: int) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def of(home: str, label: str) -> dict:
    """What became of the corruptions of one equation; {} if none was tried."""
    return load("mutation_equations").get("pages", {}).get(home, {}).get("equations", {}).get(label, {})


def sentence(score: dict) -> str:
    """tried, caught, survived in words; [ ] stand around what is linked."""
    real = score["caught"] + score["survived"]
    same = f"; {score['same']} more say the same" if score["same"] else ""
    return f"[{score['caught']} of {real} corruptions] of it are caught{same}"
