"""A new chapter starts green: its stubs pass the checks that finished chapters pass."""

import shutil
import subprocess
import sys

import pytest

from nnfp.book import stubs
from nnfp.book.sources import ROOT


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A scratch copy of what a chapter needs, with a new chapter in it."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(
        ROOT / "nnfp/book", root / "nnfp/book", ignore=shutil.ignore_patterns("__pycache__")
    )
    for path in (root / "nnfp/book/figures").glob("*.py"):
        if path.name != "__init__.py":
            path.unlink()
    shutil.copy(ROOT / "nnfp/notation.py", root / "nnfp/notation.py")
    (root / "nnfp/__init__.py").write_text("from nnfp.weight_decay import weight_decay_example\n")
    (root / "mkdocs.yml").write_text("nav: [weight_decay.md]\n")
    stubs.new_chapter("weight_decay", "Weight decay", root)
    (root / "docs/notation.md").write_text("# Notation\n")
    return root


def run(root, *arguments):
    environment = {"PATH": "", "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, capture_output=True, text=True, env=environment
    )


def test_the_page_passes_its_check(project):
    done = run(project, "-m", "nnfp.book", "check", "docs/weight_decay.md")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 fences" in done.stdout and "1 figures" in done.stdout and "5 numbers" in done.stdout


def test_the_tests_and_doctests_pass(project):
    done = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--doctest-modules",
               "tests/test_weight_decay.py", "nnfp/weight_decay.py")  # fmt: skip
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout


def test_nothing_is_overwritten(project):
    with pytest.raises(
        ValueError, match=r"docs/weight_decay\.md, nnfp/weight_decay\.py, .* exists already"
    ):
        stubs.new_chapter("weight_decay", "Again", project)


@pytest.mark.parametrize("stem", ["Weight", "1st", "weight-decay", "../x", ""])
def test_a_stem_must_be_a_module_name(tmp_path, stem):
    with pytest.raises(ValueError, match="lower-case Python name"):
        stubs.new_chapter(stem, "Title", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_explains_itself(capsys):
    assert stubs.main([]) == 2
    assert "new_chapter.py STEM" in capsys.readouterr().err
