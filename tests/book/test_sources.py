"""The content hash under the caches of figures and checks: whatever they depend on counts, the rest not."""

import shutil

import pytest

from nnfp.book import sources

CHAPTERS = ["layer", "losses", "backpropagation", "training", "optimisers", "fast"]


@pytest.fixture
def prints(tmp_path):
    """The package copied; a function that gives the hash of every chapter's figures."""
    shutil.copytree(sources.ROOT / "nnfp", tmp_path / "nnfp", ignore=shutil.ignore_patterns("__pycache__"))

    def read():
        return {c: sources.fingerprint(f"nnfp.book.figures.{c}", tmp_path, ("numpy",)) for c in CHAPTERS}

    read.root = tmp_path
    return read


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("nnfp/optimisers.py", {"optimisers"}),
        ("nnfp/losses.py", {"losses", "training", "backpropagation"}),
        ("nnfp/notation.py", {"layer", "losses", "backpropagation", "training", "optimisers"}),
        ("nnfp/book/figures/fast.py", {"fast"}),
        ("nnfp/extras/fast_numba.py", set()),
        ("nnfp/book/museum.py", set()),
    ],
)
def test_a_change_deep_down_is_seen_by_those_who_stand_on_it(prints, file, expected):
    before = prints()
    with (prints.root / file).open("a", encoding="utf-8") as source:
        source.write("\n# another byte\n")
    after = prints()
    assert {chapter for chapter in CHAPTERS if after[chapter] != before[chapter]} == expected


def test_putting_the_byte_back_brings_the_old_hash_back(prints):
    before, path = prints(), prints.root / "nnfp/notation.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "#", encoding="utf-8")
    assert prints() != before
    path.write_text(text, encoding="utf-8")
    assert prints() == before
