"""Corrupts every equation of the book in one place at a time, and counts what its page's check catches.

    python scripts/mutate.py equations [--sample N] [--jobs N] [--record] [--loose] [PAGES]

--sample N tries N corruptions a page, drawn with a fixed seed; without it all are tried.
--record writes docs/reference/data/mutation_equations.json; the first score of a page is kept there for good.
"""

import argparse
import json
import os
import random
import sys
import time
from collections import Counter, defaultdict
from multiprocessing import Pool
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nnfp.book.equations import public_names  # noqa: E402
from nnfp.book.equations.mutation import Mutant, Outcome, Trial, mutants  # noqa: E402
from nnfp.book.equations.reading import read  # noqa: E402

RECORD = ROOT / "docs" / "reference" / "data" / "mutation_equations.json"
_trials: dict[str, Trial] = {}


def trial_of(path: str, strict: bool) -> Trial:
    if path not in _trials:
        _trials[path] = Trial(Path(path).read_text(encoding="utf-8"), public_names(), strict)
    return _trials[path]


def attempt(job: tuple[str, int, Mutant, bool]) -> Outcome:
    path, number, mutant, strict = job
    trial = trial_of(path, strict)
    if number in trial.skip:
        return Outcome("skipped")
    try:
        return trial.run(number, mutant)
    except Exception as error:  # a crash of the checker is not a catch
        return Outcome("crash", type(error).__name__, str(error)[:200])


def jobs_of(path: str, sample: int | None, strict: bool) -> list:
    source = read(path)
    jobs = [(path, number, mutant, strict) for number, mutant in mutants(source)]
    if sample is not None and sample < len(jobs):
        kept = sorted(random.Random(Path(path).stem).sample(range(len(jobs)), sample))
        jobs = [jobs[k] for k in kept]
    return jobs


def shown(path: str, mutant: Mutant) -> tuple[int, str]:
    """The line and the corrupted text, marked, in the middle of its line."""
    text = Path(path).read_text(encoding="utf-8")
    line = text.count("\n", 0, mutant.start) + 1
    before = text[max(text.rfind("\n", 0, mutant.start) + 1, mutant.start - 30) : mutant.start]
    end = text.find("\n", mutant.end)
    after = text[mutant.end : min(end, mutant.end + 30)]
    return line, f"{before}⟦{text[mutant.start : mutant.end]} → {mutant.new.strip()}⟧{after}"


def score(counts: Counter) -> float:
    """Caught among those that say something else and are not true as well, in per cent."""
    open_ = counts["survived"] + counts["timeout"] + counts["crash"]
    total = counts["caught"] + open_
    return round(100 * counts["caught"] / total, 2) if total else 100.0


def summary(results: list[tuple[Mutant, Outcome]]) -> dict:
    counts = Counter(outcome.status for _, outcome in results)
    ways = Counter(outcome.how for _, outcome in results if outcome.status == "caught")
    return {
        "tried": sum(counts.values()) - counts["skipped"],
        **{k: counts[k] for k in ("caught", "equivalent", "true", "survived", "timeout", "crash", "skipped") if counts[k]},
        "score": score(counts),
        "caught_by": dict(sorted(ways.items())),
    }


def record(pages: dict[str, list], sample: int | None) -> None:
    kept = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {"pages": {}}
    for page, rows in sorted(pages.items()):
        entry = kept["pages"].setdefault(page, {})
        found = summary([(mutant, outcome) for _, _, mutant, outcome in rows])
        found["sample"] = sample or "all"
        entry.setdefault("first", found)
        entry["last"] = found
        entry["survivors"] = [
            {"id": name, "kind": mutant.kind, "line": line, "tex": tex, "status": outcome.status, "why": outcome.message}
            for path, name, mutant, outcome in rows
            if outcome.status in ("survived", "timeout", "crash", "true")
            for line, tex in [shown(path, mutant)]
        ]
        entry["equations"] = equations_of(rows)
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def equations_of(rows: list) -> dict:
    """Tried and caught per display, and one corruption of it that a reader can try."""
    found: dict = defaultdict(lambda: {"tried": 0, "caught": 0})
    for path, name, mutant, outcome in rows:
        entry = found[name]
        entry["tried"] += outcome.status not in ("equivalent", "skipped")
        entry["caught"] += outcome.status == "caught"
        if outcome.status == "caught" and outcome.how == "value" and "example" not in entry:
            entry["example"] = {"tex": shown(path, mutant)[1], "says": outcome.message}
    return dict(found)


def equations(arguments) -> int:
    paths = arguments.pages or sorted(map(str, (ROOT / "docs").rglob("*.md")))
    jobs = [job for path in paths for job in jobs_of(path, arguments.sample, not arguments.loose)]
    start = time.perf_counter()
    with Pool(arguments.jobs) as pool:
        outcomes = pool.map(attempt, jobs, chunksize=25)
    pages, kinds = defaultdict(list), defaultdict(list)
    for (path, number, mutant, _), outcome in zip(jobs, outcomes):
        name = read(path).displays[number].label if arguments.record else str(number)
        pages[Path(path).stem].append((path, name, mutant, outcome))
        kinds[mutant.kind].append((mutant, outcome))
        if outcome.status not in ("caught", "equivalent", "skipped"):
            line, tex = shown(path, mutant)
            print(f"{path}:{line}: {outcome.status}: {mutant.kind}: {tex} {outcome.message}")
    for table in (kinds, {page: [(m, o) for _, _, m, o in rows] for page, rows in pages.items()}):
        print()
        for name, rows in sorted(table.items()):
            found = summary(rows)
            rest = ", ".join(f"{v} {k}" for k, v in found.items() if k not in ("tried", "score", "caught_by"))
            print(f"{name:16} {found['tried']:6}  {found['score']:6.2f} %  {rest}")
    everything = summary([row for rows in kinds.values() for row in rows])
    print(f"\n{everything}\n{time.perf_counter() - start:.0f} s, {arguments.jobs} jobs")
    if arguments.record:
        record(pages, arguments.sample)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["equations"])
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--sample", type=int, help="corruptions a page")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--record", action="store_true", help="write the scores down")
    parser.add_argument("--loose", action="store_true", help="names that definitions introduce need no row")
    return equations(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
