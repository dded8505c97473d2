"""Corrupts what the book says, one symbol at a time, and counts what the checks catch.

    python scripts/mutate.py equations [--sample N] [--jobs N] [PAGES]
    python scripts/mutate.py pages [--sample N] [--jobs N] [PAGES]
    python scripts/mutate.py package [--sample N] [--jobs N] [MODULES]

A corruption of a page that says the same is no corruption: tests/page_mutants_equivalent.toml names those that
no program sees to be the same, each with its reason.

Each corruption is tried as if a slip had happened on the page: in its displayed equations, or in its code,
outputs, numbers, formulas, tables, captions and links; or in the code of the package, for which see
scripts/mutate_package.py. The scores and every survivor are written to
docs/reference/data/mutation_*.json, from which the site's pages are made. The first score that a page ever
got stays there, whatever was mended afterwards.
"""

import argparse
import dataclasses
import json
import multiprocessing
import os
import random
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import mutate_package  # noqa: E402

from nnfp.book import page_mutation  # noqa: E402
from nnfp.book.equations import public_names  # noqa: E402
from nnfp.book.equations.mutation import CAUGHT, EQUAL, SAME, SURVIVED, Bench  # noqa: E402
from nnfp.book.reading import Book  # noqa: E402

DATA = ROOT / "docs" / "reference" / "data" / "mutation_equations.json"
DATA_OF_PAGES = DATA.with_name("mutation_pages.json")
KNOWN_OF_PAGES = ROOT / "tests" / "page_mutants_equivalent.toml"
COUNTS = ("mutants", "caught", "same", "equal", "survived")
_BENCHES: dict[str, Bench] = {}


def bench(path: str) -> Bench:
    if path not in _BENCHES:
        _BENCHES.clear()
        _BENCHES[path] = Bench(path, public_names())
    return _BENCHES[path]


def trials(job: tuple[str, list]) -> list:
    path, chosen = job
    return [bench(path).trial(place, mutant) for place, mutant in chosen]


def pages(named: list[str]) -> list[str]:
    if named:
        return named
    return [str(path) for path in sorted((ROOT / "docs").rglob("*.md")) if bench(str(path)).source.displays]


def score(counts: Counter) -> float:
    """Caught, of all mutants that do not say the same as the page."""
    real = counts[CAUGHT] + counts[SURVIVED]
    return round(100 * counts[CAUGHT] / real, 2) if real else 100.0


def summary(results: list) -> dict:
    counts = Counter(trial.outcome for trial in results)
    equations: dict[str, Counter] = {}
    for trial in results:
        equations.setdefault(trial.label, Counter())[trial.outcome] += 1
    ways = Counter(trial.how for trial in results if trial.outcome == CAUGHT)
    return {
        "score": score(counts),
        "mutants": len(results),
        "caught": counts[CAUGHT],
        "same": counts[SAME],
        "equal": counts[EQUAL],
        "survived": counts[SURVIVED],
        "caught_by": dict(sorted(ways.items())),
        "equations": {
            label: {"tried": sum(c.values()), "caught": c[CAUGHT], "same": c[SAME] + c[EQUAL], "survived": c[SURVIVED]}
            for label, c in equations.items()
        },
        "survivors": [
            {"equation": t.label, "operation": t.operation, "tex": " ".join(t.tex.split()), "reason": t.how}
            for t in results if t.outcome == SURVIVED
        ],
    }  # fmt: skip


def write(data: dict, path: Path = DATA) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def commit() -> str:
    """The commit that is checked out, with a + when something was changed since."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    paths = [":(glob)docs/**/*.md", ":(glob)nnfp/*.py", "nnfp/book/equations"]
    changed = subprocess.run([*git, "status", "--porcelain", "--", *paths], capture_output=True, text=True).stdout
    return head + ("+" if head and changed else "")


def equations(arguments: argparse.Namespace) -> int:
    data = json.loads(DATA.read_text()) if DATA.exists() else {"pages": {}}
    total, started = Counter(), time.perf_counter()
    operations: dict[str, Counter] = {}
    for path in pages(arguments.pages):
        home = Path(path).resolve()
        home = home.relative_to(ROOT / "docs").as_posix() if home.is_relative_to(ROOT / "docs") else home.name
        chosen = list(bench(path).mutants())
        if arguments.sample and arguments.sample < len(chosen):
            chosen = random.Random(0).sample(chosen, arguments.sample)
            chosen.sort(key=lambda item: item[0])
        size = max(1, min(40, len(chosen) // (4 * arguments.jobs) + 1))
        jobs = [(path, chosen[k : k + size]) for k in range(0, len(chosen), size)]
        if arguments.jobs > 1:
            with multiprocessing.Pool(arguments.jobs) as pool:
                parts = pool.map(trials, jobs, chunksize=1)
        else:
            parts = [trials(job) for job in jobs]
        trials_of_page = [trial for part in parts for trial in part]
        found = summary(trials_of_page)
        for trial in trials_of_page:
            operations.setdefault(trial.operation, Counter())[trial.outcome] += 1
        found["sample"] = bool(arguments.sample) and found["mutants"] == arguments.sample
        old = data["pages"].get(home, {})
        first = {key: found[key] for key in ("score", *COUNTS, "sample")}
        found["first_score"] = old.get("first_score", first)
        if "first_full_score" in old or not found["sample"]:
            found["first_full_score"] = old.get("first_full_score", first)
        data["pages"][home] = found
        total.update({key: found[key] for key in COUNTS})
        print(f"{home}: {found['score']:.2f} % of {found['caught'] + found['survived']} caught; "
              f"{found['same']} the same, {found['equal']} equal", flush=True)  # fmt: skip
        if arguments.verbose:
            for survivor in found["survivors"]:
                print(f"    {survivor['equation']} [{survivor['operation']}] {survivor['tex']}: {survivor['reason']}")
        if arguments.log:
            with open(arguments.log, "a") as log:
                for trial in trials_of_page:
                    log.write(json.dumps([home, *dataclasses.astuple(trial)]) + "\n")
        if not arguments.dry:
            data["pages"] = dict(sorted(data["pages"].items()))
            everything = Counter()
            for page in data["pages"].values():
                everything.update({CAUGHT: page["caught"], SURVIVED: page["survived"]})
            data["score"] = score(everything)
            write(data)
    seconds = time.perf_counter() - started
    if not arguments.dry and not arguments.pages and not arguments.sample:
        read = {Path(path).resolve().relative_to(ROOT / "docs").as_posix() for path in pages([])}
        data["pages"] = {home: page for home, page in data["pages"].items() if home in read}
        data["run"] = {
            "date": time.strftime("%Y-%m-%d", time.gmtime()), "commit": commit(),
            "seconds": round(seconds), "processes": arguments.jobs, **{key: total[key] for key in COUNTS},
            "operations": {
                name: {"tried": sum(c.values()), "caught": c[CAUGHT], "same": c[SAME] + c[EQUAL], "survived": c[SURVIVED]}
                for name, c in sorted(operations.items())
            },
        }  # fmt: skip
        firsts = [page["first_full_score"] for page in data["pages"].values() if "first_full_score" in page]
        data["first_full_score"] = score(Counter({k: sum(first[k] for first in firsts) for k in (CAUGHT, SURVIVED)}))
        write(data)
    real = Counter({CAUGHT: total["caught"], SURVIVED: total["survived"]})
    print(f"{total['mutants']} mutants: {score(real):.2f} % caught, {total['survived']} survive, "
          f"{seconds:.0f} s")  # fmt: skip
    return 0 if score(real) >= arguments.at_least else 1


def page_trials(job: tuple[str, int, int, int]) -> list:
    """Every `parts`-th corruption of a page, beginning with `part`."""
    home, sample, part, parts = job
    bench_of_page = page_mutation.Bench(home)
    chosen = bench_of_page.mutants()
    if sample and sample < len(chosen):
        chosen = sorted(random.Random(0).sample(chosen, sample), key=lambda mutant: mutant.start)
    return list(bench_of_page.trials(chosen[part::parts]))


def page_summary(results: list) -> dict:
    counts = Counter(trial.outcome for trial in results)
    kinds: dict[str, Counter] = {}
    for trial in results:
        kinds.setdefault(f"{trial.place}: {trial.operation}", Counter())[trial.outcome] += 1
    return {
        "score": score(counts),
        "mutants": len(results),
        **{key: counts[outcome] for key, outcome in zip(COUNTS[1:], (CAUGHT, SAME, EQUAL, SURVIVED), strict=True)},
        "operations": {name: {"tried": sum(c.values()), "caught": c[CAUGHT], "survived": c[SURVIVED]} for name, c in sorted(kinds.items())},
        "survivors": [
            {"line": t.line, "operation": f"{t.place}: {t.operation}", "change": t.change, "reason": t.how}
            for t in sorted(results, key=lambda t: t.line) if t.outcome == SURVIVED or t.how.startswith("the same: ")
        ],
    }  # fmt: skip


def excuse(home: str, results: list, known: list[dict], whole: bool) -> tuple[list, list[str]]:
    """The trials of a page, those that tests/page_mutants_equivalent.toml explains as the same; what is wrong with that file."""
    wrong, changed = [], list(results)
    for entry in (entry for entry in known if entry["page"] == home):
        fits = [k for k, trial in enumerate(changed) if trial.change == entry["change"]]
        if whole and not fits:
            wrong.append(f"{home}: no corruption gives {entry['change']}")
        for k in fits:
            if changed[k].outcome == CAUGHT:
                wrong.append(f"{home}: a check catches {entry['change']}")
            elif changed[k].outcome == SURVIVED:
                changed[k] = dataclasses.replace(changed[k], outcome=EQUAL, how=f"the same: {entry['reason']}")
    return changed, wrong


def of_pages(arguments: argparse.Namespace) -> int:
    """The corruptions of everything on the pages but the displays."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    started, total, wrong = time.perf_counter(), Counter(), []
    known = tomllib.loads(KNOWN_OF_PAGES.read_text(encoding="utf-8")).get("mutant", [])
    data = json.loads(DATA_OF_PAGES.read_text()) if DATA_OF_PAGES.exists() else {"pages": {}}
    book = Book()
    homes = [book.page(path).home for path in arguments.pages] or [page.home for page in book.pages]
    parts = max(1, arguments.jobs)
    jobs = [(home, arguments.sample, part, parts) for home in homes for part in range(parts)]
    with multiprocessing.get_context("spawn").Pool(parts, maxtasksperchild=4) as pool:
        results: dict[str, list] = {}
        for (home, *_, part, _), found in zip(jobs, pool.imap(page_trials, jobs), strict=True):
            results.setdefault(home, []).extend(found)
            if part < parts - 1 or not results[home]:
                continue
            results[home], more = excuse(home, results[home], known, not arguments.sample)
            wrong += more
            row = page_summary(results[home])
            row["sample"] = bool(arguments.sample) and row["mutants"] == arguments.sample
            old = data["pages"].get(home, {})
            row["first_score"] = old.get("first_score", {key: row[key] for key in ("score", *COUNTS, "sample")})
            data["pages"][home] = row
            total.update({key: row[key] for key in COUNTS})
            print(f"{home}: {row['score']:.2f} % of {row['caught'] + row['survived']} caught, {row['equal']} the same", flush=True)
            if arguments.verbose:
                for one in row["survivors"]:
                    print(f"    {one['line']}: {one['operation']}: {one['change']} ({one['reason']})")
    real = Counter({CAUGHT: total["caught"], SURVIVED: total["survived"]})
    seconds = time.perf_counter() - started
    if not arguments.dry:
        there = {page.home for page in book.pages}
        data["pages"] = {home: row for home, row in sorted(data["pages"].items()) if home in there}
        data["score"] = score(Counter({key: sum(row[name] for row in data["pages"].values())
                                       for key, name in ((CAUGHT, "caught"), (SURVIVED, "survived"))}))  # fmt: skip
        if not arguments.pages:
            data["run"] = {
                "date": time.strftime("%Y-%m-%d", time.gmtime()), "commit": commit(), "seconds": round(seconds),
                "processes": parts, "sample": arguments.sample, **{key: total[key] for key in COUNTS},
            }  # fmt: skip
            data.setdefault("first_score", {"score": score(real), **{key: total[key] for key in COUNTS}, "sample": arguments.sample})
        write(data, DATA_OF_PAGES)
    print(f"{total['mutants']} mutants: {score(real):.2f} % caught, {total['survived']} survive, {seconds:.0f} s")
    for line in wrong:
        print(f"{KNOWN_OF_PAGES.relative_to(ROOT)}: {line}")
    return 0 if score(real) >= arguments.at_least and not wrong else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="what")
    parts = {
        "equations": (equations, "the displayed equations of the chapters"),
        "pages": (of_pages, "code, outputs, numbers, formulas, tables, captions and links of the pages"),
    }
    for name, (run, what) in parts.items():
        command = commands.add_parser(name, help=what)
        command.add_argument("pages", nargs="*", help="Markdown files; all chapters when none is named")
        command.add_argument("--sample", type=int, default=0, help="so many mutants a page, drawn with a fixed seed")
        command.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
        command.add_argument("--at-least", type=float, default=0.0, help="fail below this score, in per cent")
        command.add_argument("--dry", action="store_true", help="write nothing")
        if name == "equations":
            command.add_argument("--log", help="append what became of every mutant to this file, one JSON list a line")
        command.add_argument("-v", "--verbose", action="store_true", help="print every survivor")
        command.set_defaults(run=run)
    mutate_package.add(commands)
    arguments = parser.parse_args()
    sys.setrecursionlimit(5000)
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
