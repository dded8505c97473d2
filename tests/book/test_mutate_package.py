"""The corruptions of the package's code: the copy, the reading of mutmut's results, and what counts as the same."""

import argparse
import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import mutate_package as mp  # noqa: E402

TINY = '''"""A tiny package."""

compiled = staticmethod


def twice(x):
    """Twice x.

    >>> twice(3)
    6
    """
    if x is None:
        raise ValueError("x must be a number")
    return 2 * x


class Counter:
    def up(self, by=1):
        return by + 2


@compiled
def kernel(x):
    return x + 1
'''
# What mutmut makes of it, shortened: trampolines left out, of each function the original and its mutants.
MUTATED = '''def x_twice__mutmut_orig(x):
    if x is None:
        raise ValueError("x must be a number")
    return 2 * x
def x_twice__mutmut_1(x):
    if x is not None:
        raise ValueError("x must be a number")
    return 2 * x
def x_twice__mutmut_2(x):
    if x is None:
        raise ValueError("XXx must be a numberXX")
    return 2 * x
def x_twice__mutmut_3(x):
    if x is None:
        raise ValueError("x must be a number")
    return  (1 + 1) * x


class Counter:
    def xǁCounterǁup__mutmut_orig(self, by=1):
        return by + 2

    def xǁCounterǁup__mutmut_1(self, by=2):
        return by + 2
    def xǁCounterǁup__mutmut_2(self, by=1):
        return by - 2
'''.replace("(x):\n", '(x):\n    """Twice x.\n\n    >>> twice(3)\n    6\n    """\n')


def tiny(root: Path) -> Path:
    (root / "nnfp" / "extras").mkdir(parents=True)
    (root / "nnfp" / "book").mkdir()
    (root / "tests" / "book").mkdir(parents=True)
    (root / "nnfp" / "__init__.py").write_text("")
    (root / "nnfp" / "tiny.py").write_text(TINY, encoding="utf-8")
    (root / "nnfp" / "book" / "pages.py").write_text("")
    (root / "tests" / "test_tiny.py").write_text(
        "import pytest\nfrom nnfp.tiny import Counter, twice\n\n\n"
        "def test_twice():\n    assert twice(5) == 10\n    with pytest.raises(ValueError, match='x must be a number'):\n"
        "        twice(None)\n\n\ndef test_up():\n    assert Counter().up(5) == 7\n"
    )
    (root / "tests" / "book" / "test_pages.py").write_text("assert False\n")
    return root


@pytest.fixture
def ran(tmp_path) -> Path:
    """A folder as mutmut leaves it: each mutant of MUTATED with its exit code."""
    tiny(tmp_path)
    folder = tmp_path / "mutants" / "nnfp"
    folder.mkdir(parents=True)
    (folder / "tiny.py").write_text(MUTATED, encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(MUTATED)) if isinstance(node, ast.FunctionDef)]
    spans = {node.name: [node.lineno, node.end_lineno] for node in functions}
    (folder / "tiny.py.spans").write_text(json.dumps({"version": 1, "spans": spans}))
    codes = {"x_twice__mutmut_1": 1, "x_twice__mutmut_2": 0, "x_twice__mutmut_3": 0,
             "xǁCounterǁup__mutmut_1": 33, "xǁCounterǁup__mutmut_2": None}  # fmt: skip
    meta = {"exit_code_by_key": {f"nnfp.tiny.{name}": code for name, code in codes.items()}}
    (folder / "tiny.py.meta").write_text(json.dumps(meta))
    return tmp_path


def test_the_copy_has_the_package_its_tests_and_plain_passes(tmp_path):
    root, scratch = tiny(tmp_path / "root"), tmp_path / "scratch"
    mp.prepare(scratch, mp.chosen(["tiny"], root), root)
    assert sorted(p.name for p in scratch.rglob("*.py")) == ["__init__.py", "test_examples_of_docstrings.py", "test_tiny.py", "tiny.py"]
    copied = (scratch / "nnfp" / "tiny.py").read_text(encoding="utf-8")
    assert "@compiled" not in copied and len(copied.splitlines()) == len(TINY.splitlines())
    assert 'only_mutate = ["nnfp/tiny.py"]' in (scratch / "pyproject.toml").read_text(encoding="utf-8")


def test_a_module_is_named_in_three_ways_and_an_unknown_one_is_refused(tmp_path):
    root = tiny(tmp_path)
    for name in ("tiny", "nnfp/tiny.py", "nnfp.tiny"):
        assert mp.chosen([name], root) == ["nnfp/tiny.py"]
    assert mp.chosen([], root) == ["nnfp/__init__.py", "nnfp/tiny.py"]
    with pytest.raises(SystemExit, match="no module 'pages'"):
        mp.chosen(["pages"], root)
    assert "nnfp/extras/fast_numba.py" in mp.modules() and not any("book" in file for file in mp.modules())


def test_the_examples_run_more_than_once_and_can_fail(tmp_path):
    root, scratch = tiny(tmp_path / "root"), tmp_path / "scratch"
    mp.prepare(scratch, mp.modules(root), root)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "tests/test_examples_of_docstrings.py"]
    for text, code in ((TINY, 0), (TINY.replace("2 * x", "3 * x"), 1)):
        (scratch / "nnfp" / "tiny.py").write_text(text, encoding="utf-8")
        done = subprocess.run(command, cwd=scratch, env={"PYTHONPATH": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True)
        assert done.returncode == code, done.stdout
        assert "1 passed" in done.stdout if code == 0 else "nnfp.tiny.twice" in done.stdout


def test_results_are_read_with_their_place_in_the_source(ran):
    found = mp.read(ran, ["nnfp/__init__.py", "nnfp/tiny.py"])
    lines = TINY.splitlines()
    rows = [(m.function, lines[m.line - 1].strip(), m.new, m.outcome, m.reason) for m in found]
    error = 'raise ValueError("x must be a number")'
    assert rows == [
        ("twice", "if x is None:", "if x is not None:", mp.CAUGHT, ""),
        ("twice", error, error.replace("x must be a number", "XXx must be a numberXX"), mp.SURVIVED, "no test fails"),
        ("twice", "return 2 * x", "return  (1 + 1) * x", mp.SURVIVED, "no test fails"),
        ("Counter.up", "def up(self, by=1):", "def up(self, by=2):", mp.SURVIVED, "no test calls it"),
    ]
    assert all(m.old == lines[m.line - 1].strip() for m in found)


def test_only_what_python_compiles_to_the_same_code_is_the_same_by_itself(ran):
    found = mp.read(ran, ["nnfp/tiny.py"])
    assert mp.settle(found, [], whole=True) == []
    assert [m.outcome for m in found] == [mp.CAUGHT, mp.SURVIVED, mp.EQUAL, mp.SURVIVED]
    assert mp.score(mp.counts_of(found)) == 33.33


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("return 2", "return 1 + 1", True),
        ("return x", "return (x)", True),
        ("return 0.0", "return -0.0", False),
        ("return 1", "return True", False),
        ("return 1", "return 1.0", False),
        ("raise ValueError('a')", "raise ValueError('A')", False),
        ("return x < 1", "return x <= 1", False),
        ("return lambda: x", "return lambda: -x", False),
        ("return lambda: x", "return  lambda: (x)", True),
        ("return x.real", "return x.imag", False),
    ],
)
def test_the_same_code_is_told_from_nearly_the_same(one, other, same):
    assert mp.same_code(["def f(x):", f"    {one}"], ["def f(x):", "", f"    {other}"]) is same


def test_a_listed_reason_takes_a_mutant_out_and_the_list_is_held_to_the_mutants(ran):
    entry = {"file": "nnfp/tiny.py", "function": "Counter.up", "old": "def up(self, by=1):", "new": "def up(self, by=2):", "reason": "why"}
    found = mp.read(ran, ["nnfp/tiny.py"])
    assert mp.settle(found, [entry], whole=True) == []
    assert (found[-1].outcome, found[-1].reason) == (mp.EQUAL, "the same: why")

    def wrong(whole=True, **changes):
        return mp.settle(mp.read(ran, ["nnfp/tiny.py"]), [{**entry, **changes}], whole)

    assert "no mutant is like this" in wrong(new="def up(self, by=3):")[0]
    assert "no mutant is like this" in wrong(new=["def up(self, by=2):", "def up(self, by=3):"])[0]
    assert "no mutant is like this" in wrong(function="twice")[0]
    assert wrong(whole=False, function="twice") == []  # a sample may lack it
    assert "no reason" in wrong(reason=" ")[0]
    caught = {"function": "twice", "old": "if x is None:", "new": "if x is not None:"}
    assert "a test tells it from the original" in wrong(**caught)[0]


def test_the_first_score_stays_and_the_row_names_what_passes_every_test(ran):
    found = mp.read(ran, ["nnfp/tiny.py"])
    mp.settle(found, [], whole=True)
    row = mp.summary(found)
    assert {key: row[key] for key in mp.COUNTS} == {"mutants": 4, "caught": 1, "equal": 1, "survived": 2}
    assert [one["reason"] for one in row["survivors"]] == ["no test fails", "no test calls it", "the same: Python makes the same code of it"]
    once = mp.merged({}, {"nnfp/tiny.py": row})
    again = mp.merged(once, {"nnfp/tiny.py": {**row, "caught": 3, "survived": 0, "score": 100.0}})
    assert (once["score"], again["score"]) == (33.33, 100.0)
    assert again["modules"]["nnfp/tiny.py"]["first_score"]["score"] == 33.33


def test_a_run_without_a_mutant_fails_and_one_below_the_bar_too(ran, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(mp, "find_spec", lambda name: True)
    monkeypatch.setattr(mp, "prepare", lambda *_: None)
    monkeypatch.setattr(mp, "run_mutmut", lambda *_: "")
    monkeypatch.setattr(mp, "chosen", lambda named: ["nnfp/tiny.py"])
    monkeypatch.setattr(mp, "known", lambda: [])
    monkeypatch.setattr(mp, "DATA", tmp_path / "data" / "scores.json")
    options = dict(modules=[], sample=0, jobs=1, at_least=30.0, dry=False, keep=str(ran), verbose=True)
    assert mp.run(argparse.Namespace(**options)) == 0
    data = json.loads(mp.DATA.read_text(encoding="utf-8"))
    assert data["run"]["caught"] == 1 and data["first_score"]["score"] == data["score"] == 33.33
    assert "XXx must be a numberXX" in capsys.readouterr().out
    assert mp.run(argparse.Namespace(**options | {"at_least": 40.0, "dry": True})) == 1
    monkeypatch.setattr(mp, "known", lambda: [{"file": "nnfp/gone.py", "function": "f", "old": "a", "new": "b", "reason": "c"}])
    assert mp.run(argparse.Namespace(**options | {"dry": True})) == 1
    (ran / "mutants" / "nnfp" / "tiny.py.meta").write_text('{"exit_code_by_key": {}}')
    with pytest.raises(SystemExit, match="0 mutants"):
        mp.run(argparse.Namespace(**options))


@pytest.mark.slow
def test_mutmut_itself_finds_what_the_tests_of_a_tiny_package_miss(tmp_path):
    pytest.importorskip("mutmut", reason="mutmut is not installed: make mutants-package")
    root, scratch = tiny(tmp_path / "root"), tmp_path / "scratch"
    mp.prepare(scratch, ["nnfp/tiny.py"], root)
    names = mp.drawn(scratch, ["nnfp/tiny.py"], 3)
    mp.run_mutmut(scratch, 1, names)
    assert sorted(m.name for m in mp.read(scratch, ["nnfp/tiny.py"])) == sorted(names) and len(set(names)) == 3
    mp.run_mutmut(scratch, 1)
    found = mp.read(scratch, ["nnfp/tiny.py"])
    assert {m.function for m in found} == {"twice", "Counter.up", "kernel"}
    missed = {(m.function, m.new) for m in found if m.outcome == mp.SURVIVED}
    assert ("Counter.up", "def up(self, by=2):") in missed and ("kernel", "return x - 1") in missed
    assert ("twice", "return 2 / x") not in missed
    assert all(m.old in TINY for m in found)


def test_the_lock_of_mutmut_has_hashes_no_address_and_the_versions_of_the_other_lock():
    locks = [(ROOT / name).read_text(encoding="utf-8") for name in ("requirements-mutation.lock", "requirements.lock")]
    own, others = (dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock, flags=re.M)) for lock in locks)
    blocks = re.split(r"^(?=[A-Za-z])", locks[0], flags=re.M)[1:]
    assert "mutmut" in own and all("--hash=sha256:" in block for block in blocks)
    assert "://" not in locks[0] and "--index" not in locks[0] and "--find" not in locks[0]
    assert {name: own[name] for name in own.keys() & others.keys()} == {name: others[name] for name in own.keys() & others.keys()}


def test_the_last_full_run_caught_all_that_is_not_the_same_and_says_why_the_rest_is():
    data = json.loads(mp.DATA.read_text(encoding="utf-8"))
    assert data["score"] == 100 and data["run"]["survived"] == 0 and data["run"]["mutants"] > 4000
    assert data["first_score"]["score"] < 100
    assert set(data["modules"]) <= set(mp.modules()) and len(data["modules"]) > 15
    for row in data["modules"].values():
        assert row["mutants"] == sum(row[key] for key in mp.COUNTS[1:])
        assert len(row["survivors"]) == row["equal"] + row["survived"]
        assert all(one["reason"].startswith("the same: ") and one["change"] and one["line"] for one in row["survivors"])
