"""scripts/mutate.py package: the code of nnfp corrupted by mutmut, one place at a time, against its own tests.

mutmut writes every corruption of a function into the module and switches one on at a time; it runs the tests
that call the function, quickest first, until one fails. It works on a copy of the package in a temporary
folder, in which three things differ from the repository:

- nnfp/book and the tests of the book, the site, the pages and against PyTorch are not there;
- the examples of the docstrings are a test file, because mutmut's copies of a function hide them from pytest;
- the passes of nnfp/extras/fast_numba.py are plain Python, because mutmut leaves decorated functions out.

What mutmut leaves alone is not counted: tables and constants of a module, decorated functions (properties),
annotations, the calls of len and isinstance, f-strings and docstrings.

A mutant that passes every test is the same as the original if Python compiles both to the same code, or if
tests/mutants_equivalent.toml says why it is. An entry of that file that fits no mutant, or one that a test
catches, fails the run.
"""

import argparse
import ast
import difflib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "docs" / "reference" / "data" / "mutation_package.json"
KNOWN = ROOT / "tests" / "mutants_equivalent.toml"

# These look at the repository, the book or other libraries, not at what a function of the package gives.
LEFT_OUT = {"test_package.py", "test_pitfalls.py", "test_third_witness.py"}
CAUGHT, EQUAL, SURVIVED = "caught", "equal", "survived"
COUNTS = ("mutants", CAUGHT, EQUAL, SURVIVED)
CATCHES = {1, 3, 35, 36, -24, 24, 152, 255, -11, -9}  # a test failed, ran too long, or the process died

DOCTESTS = '''"""The examples of the docstrings, each function's once."""

import copy
import doctest
import importlib
import re
from pathlib import Path

import nnfp
import pytest

HERE = Path(__file__).resolve().parents[1]
assert Path(nnfp.__file__).resolve().is_relative_to(HERE), "another nnfp is imported"


def examples():
    for path in sorted((HERE / "nnfp").rglob("*.py")):
        name = ".".join(path.relative_to(HERE).with_suffix("").parts).removesuffix(".__init__")
        for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name), name):
            if test.examples and not re.search(r"__mutmut_\\d+$", test.name):
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("test", list(examples()))
def test_example(test):
    fresh = copy.copy(test)
    fresh.globs = dict(test.globs)  # a run empties it, and mutmut runs everything more than once
    doctest.DebugRunner(verbose=False).run(fresh)
'''
# In the copy, since mutmut reads its settings where it runs.
NAMES = (
    "import json, pathlib, sys; from mutmut.mutation.file_mutation import mutate_file_contents as mutate; "
    "print(json.dumps({f: list(mutate(f, pathlib.Path(f).read_text(encoding='utf-8')).mutant_names) for f in sys.argv[1:]}))"
)


@dataclass
class Mutant:
    """One corruption: where it is, what changed, what became of it."""

    name: str  # as mutmut calls it
    file: str
    function: str
    line: int
    old: str
    new: str
    outcome: str
    reason: str = ""
    same_code: bool = field(default=False, repr=False)

    @property
    def change(self) -> str:
        return f"{self.old} → {self.new or '(nothing)'}"


def modules(root: Path = ROOT) -> list[str]:
    """The files of the public package: nnfp/losses.py."""
    files = [*(root / "nnfp").glob("*.py"), *(root / "nnfp" / "extras").glob("*.py")]
    return sorted(file.relative_to(root).as_posix() for file in files)


def chosen(named: list[str], root: Path = ROOT) -> list[str]:
    """The files that were asked for: losses, nnfp/losses.py or nnfp.losses."""
    known = {}
    for file in modules(root):
        known |= dict.fromkeys((file, Path(file).stem, file.removesuffix(".py").replace("/", ".")), file)
    if unknown := [name for name in named if name not in known]:
        raise SystemExit(f"no module {unknown[0]!r} of the package; choose some of: {', '.join(modules(root))}")
    return sorted({known[name] for name in named}) if named else modules(root)


# ---------------------------------------------------------------------------------------------- the copy


def prepare(scratch: Path, files: list[str], root: Path = ROOT) -> None:
    """A copy of the package and its tests, set up for mutmut."""
    for file in modules(root):
        target = scratch / file
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (root / file).read_text(encoding="utf-8")
        target.write_text(re.sub(r"^@compiled$", "", text, flags=re.M), encoding="utf-8")  # a line stays a line
    (scratch / "tests").mkdir()
    for test in [*(root / "tests").glob("*.py")]:
        if test.name not in LEFT_OUT:
            shutil.copy(test, scratch / "tests")
    (scratch / "tests" / "test_examples_of_docstrings.py").write_text(DOCTESTS, encoding="utf-8")
    settings = {}
    if (root / "pyproject.toml").exists():
        settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    kept = {key: settings[key] for key in ("markers", "filterwarnings", "xfail_strict") if key in settings}
    pytest = {"addopts": ["--import-mode=importlib", "-p", "no:cacheprovider"], **kept}
    mutmut = {
        "source_paths": ["nnfp"],
        "only_mutate": files,
        "pytest_add_cli_args": ["-m", "not witness"],  # the score is the same where there is no PyTorch
        "pytest_add_cli_args_test_selection": ["tests"],
        "use_git_change_detection": False,
        "timeout_constant": 10.0,
    }
    lines = ["[tool.pytest.ini_options]", *toml(pytest), "", "[tool.mutmut]", *toml(mutmut), ""]
    (scratch / "pyproject.toml").write_text("\n".join(lines), encoding="utf-8")


def toml(table: dict) -> list[str]:
    """Text, truths, numbers and lists of text are written in TOML as in JSON."""
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items()]


def run_mutmut(scratch: Path, jobs: int, names: list[str] = ()) -> str:
    """What mutmut said; its verdicts are in the folder mutants."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # each mutant starts pytest anew: compiled tests save time
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(jobs), *names]
    done = subprocess.run(command, cwd=scratch, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout[-4000:]}\nmutmut ended with {done.returncode}")
    return done.stdout


def drawn(scratch: Path, files: list[str], sample: int) -> list[str]:
    """The names of so many mutants a module, always the same ones."""
    done = subprocess.run([sys.executable, "-c", NAMES, *files], cwd=scratch, capture_output=True, text=True, check=True)
    names = []
    for file, found in json.loads(done.stdout).items():
        names += [f"{dotted(file)}.{name}" for name in random.Random(0).sample(found, min(sample, len(found)))]
    return names


def dotted(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


# ---------------------------------------------------------------------------------------------- reading


def read(scratch: Path, files: list[str]) -> list[Mutant]:
    """Every mutant that mutmut ran, with what became of it."""
    found = []
    for file in files:
        path = scratch / "mutants" / f"{file}.meta"
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"] if path.exists() else {}
        if not codes:
            continue
        text = (scratch / "mutants" / file).read_text(encoding="utf-8").splitlines()
        spans = json.loads((scratch / "mutants" / f"{file}.spans").read_text(encoding="utf-8"))["spans"]
        lines = first_lines((scratch / file).read_text(encoding="utf-8"))
        for key, code in codes.items():
            if code is None:
                continue  # outside a sample
            name = key.rpartition(".")[2]
            group, number = name.split("__mutmut_")
            function = group.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
            original, mutated = (
                source(text, spans[f"{group}__mutmut_{part}"], f"{group}__mutmut_{part}", function) for part in ("orig", number)
            )
            offset, old, new = difference(original, mutated)
            outcome = CAUGHT if code in CATCHES else SURVIVED
            reason = "" if outcome == CAUGHT else "no test fails" if code == 0 else "no test calls it"
            found.append(Mutant(key, file, function, lines[function] + offset, old, new, outcome, reason, same_code(original, mutated)))
    return found


def first_lines(text: str) -> dict[str, int]:
    """The line of every def, by name: f, Class.method."""
    lines = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            lines[node.name] = node.lineno
        elif isinstance(node, ast.ClassDef):
            lines |= {f"{node.name}.{one.name}": one.lineno for one in node.body if isinstance(one, ast.FunctionDef)}
    return lines


def source(text: list[str], span: list[int], name: str, function: str) -> list[str]:
    """The lines of one copy of a function from its def on, under its own name and without indentation."""
    lines = text[span[0] - 1 : span[1]]
    start = next(k for k, line in enumerate(lines) if re.match(rf"\s*def {name}\b", line))
    indent = len(lines[start]) - len(lines[start].lstrip())
    lines = [line[indent:] for line in lines[start:]]
    return [lines[0].replace(name, function.rpartition(".")[2], 1), *lines[1:]]


def difference(original: list[str], mutated: list[str]) -> tuple[int, str, str]:
    """How far below the def the change begins, the old lines and the new ones, each as one line."""
    matcher = difflib.SequenceMatcher(None, original, mutated, autojunk=False)
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    if not changes:
        return 0, "", ""
    (_, i, _, j, _), (_, _, i_end, _, j_end) = changes[0], changes[-1]
    old, new = (" ".join(line.strip() for line in part if line.strip()) for part in (original[i:i_end], mutated[j:j_end]))
    return i, old, new


def same_code(original: list[str], mutated: list[str]) -> bool:
    """Whether Python makes the same code of both."""
    try:
        with_lines = [compile("\n".join(lines), "<mutant>", "exec", dont_inherit=True) for lines in (original, mutated)]
    except SyntaxError:
        return False
    return essence(with_lines[0]) == essence(with_lines[1])


def essence(code: CodeType) -> tuple:
    """What runs, without the places in the text; a number is its digits, so that 0.0, -0.0, 0 and False differ."""
    constants = [essence(one) if isinstance(one, CodeType) else (type(one).__name__, repr(one)) for one in code.co_consts]
    return (code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags,
            code.co_argcount, code.co_kwonlyargcount, code.co_exceptiontable, tuple(constants))  # fmt: skip


# ---------------------------------------------------------------------------------------------- equivalence


def known(path: Path = KNOWN) -> list[dict]:
    """The mutants that are said to be the same as the original: {file, function, old, new, reason}."""
    return tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", []) if path.exists() else []


def fits(entry: dict, mutant: Mutant) -> bool:
    news = [entry["new"]] if isinstance(entry["new"], str) else entry["new"]
    return (mutant.file, mutant.function, mutant.old) == (entry["file"], entry["function"], entry["old"]) and mutant.new in news


def settle(mutants: list[Mutant], entries: list[dict], whole: bool) -> list[str]:
    """Mark what is the same as the original; what is wrong with the list of those, if anything is."""
    wrong = []
    for mutant in mutants:
        if mutant.outcome == SURVIVED and mutant.same_code:
            mutant.outcome, mutant.reason = EQUAL, "the same: Python makes the same code of it"
    for entry in entries:
        place = f"{entry['file']}, {entry['function']}: {entry['old']}"
        if not entry.get("reason", "").strip():
            wrong.append(f"{place}: no reason is given")
        news = [entry["new"]] if isinstance(entry["new"], str) else entry["new"]
        for new in news:
            fitting = [mutant for mutant in mutants if fits({**entry, "new": new}, mutant)]
            if not fitting and whole:
                wrong.append(f"{place} → {new}: no mutant is like this")
            for mutant in fitting:
                if mutant.outcome == CAUGHT:
                    wrong.append(f"{place} → {new}: a test tells it from the original")
                else:
                    mutant.outcome, mutant.reason = EQUAL, f"the same: {entry['reason']}"
    return wrong


# ---------------------------------------------------------------------------------------------- the score


def score(counts: dict) -> float:
    """Caught, of all mutants that are not the same as the original."""
    real = counts[CAUGHT] + counts[SURVIVED]
    return round(100 * counts[CAUGHT] / real, 2) if real else 100.0


def counts_of(mutants: list[Mutant]) -> dict:
    counts = Counter(mutant.outcome for mutant in mutants)
    return {"mutants": len(mutants), **{key: counts[key] for key in COUNTS[1:]}}


def summary(mutants: list[Mutant]) -> dict:
    """The row of a module: survivors first, then what passes every test because it is the same."""
    counts = counts_of(mutants)
    passing = sorted((m for m in mutants if m.outcome != CAUGHT), key=lambda m: (m.outcome != SURVIVED, m.line))
    return {
        "score": score(counts), **counts,
        "survivors": [{"file": m.file, "line": m.line, "function": m.function, "change": m.change, "reason": m.reason} for m in passing],
    }  # fmt: skip


def merged(data: dict, rows: dict[str, dict]) -> dict:
    """The file of scores with new rows; the first score of a module stays."""
    table = {**data.get("modules", {})}
    for file, row in rows.items():
        first = table.get(file, {}).get("first_score", {key: row[key] for key in ("score", *COUNTS)})
        table[file] = {**row, "first_score": first}
    total = {key: sum(row[key] for row in table.values()) for key in COUNTS}
    return {**data, "score": score(total), "modules": dict(sorted(table.items()))}


def commit() -> str:
    """The commit that is checked out, with a + when the package or its tests were changed since."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    paths = [":(glob)nnfp/*.py", "nnfp/extras", ":(glob)tests/*.py", "tests/mutants_equivalent.toml"]
    changed = subprocess.run([*git, "status", "--porcelain", "--", *paths], capture_output=True, text=True).stdout
    return head + ("+" if head and changed else "")


def run(arguments: argparse.Namespace) -> int:
    if find_spec("mutmut") is None:
        raise SystemExit("mutmut is not installed; write: make mutants-package")
    files, started = chosen(arguments.modules), time.perf_counter()
    when = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "commit": commit()}  # of the copy that is made now
    with tempfile.TemporaryDirectory(prefix="nnfp-mutants-") as folder:
        scratch = Path(arguments.keep or folder)
        prepare(scratch, files)
        names = drawn(scratch, files, arguments.sample) if arguments.sample else []
        run_mutmut(scratch, arguments.jobs, names)
        mutants = read(scratch, files)
    if not mutants:
        raise SystemExit("0 mutants: nothing was tried")
    entries = [entry for entry in known() if entry["file"] in files]
    wrong = settle(mutants, entries, whole=not arguments.sample)
    if not arguments.modules:
        wrong += [f"{entry['file']}: there is no such module" for entry in known() if entry["file"] not in files]
    rows = {file: summary(ours) for file in files if (ours := [m for m in mutants if m.file == file])}
    total = counts_of(mutants)
    for file, row in rows.items():
        print(f"{file}: {row['score']:.2f} % of {row[CAUGHT] + row[SURVIVED]} caught, {row[EQUAL]} the same", flush=True)
        if arguments.verbose:
            for one in row["survivors"]:
                print(f"    {one['line']}: {one['function']}: {one['change']} ({one['reason']})")
    seconds = time.perf_counter() - started
    if not arguments.dry and not arguments.sample:
        data = merged(json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}, rows)
        if not arguments.modules:
            data["modules"] = {file: row for file, row in data["modules"].items() if file in rows}
            data = merged(data, {})
            data["run"] = {**when, "seconds": round(seconds), "processes": arguments.jobs, **total}
            data.setdefault("first_score", {"score": score(total), **when, **total})
        DATA.parent.mkdir(parents=True, exist_ok=True)
        DATA.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{total['mutants']} mutants: {score(total):.2f} % caught, {total[SURVIVED]} survive, {total[EQUAL]} are the same, {seconds:.0f} s")
    for line in wrong:
        print(f"{KNOWN.relative_to(ROOT)}: {line}")
    return 0 if score(total) >= arguments.at_least and not wrong else 1


def add(commands) -> None:
    """The sub-command of scripts/mutate.py."""
    command = commands.add_parser("package", help="the code of the package, against its own tests, with mutmut")
    command.add_argument("modules", nargs="*", help="modules such as losses; all when none is named")
    command.add_argument("--sample", type=int, default=0, help="so many mutants a module, drawn with a fixed seed; nothing is written")
    command.add_argument("--jobs", type=int, default=1, help="processes; the recorded score is that of 1")
    command.add_argument("--at-least", type=float, default=0.0, help="fail below this score, in per cent")
    command.add_argument("--dry", action="store_true", help="write nothing")
    command.add_argument("--keep", help="work in this empty folder and leave it, in place of a temporary one")
    command.add_argument("-v", "--verbose", action="store_true", help="print every survivor")
    command.set_defaults(run=run)
