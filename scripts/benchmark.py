"""Time full training steps against other libraries: `make bench`, or `make bench ARGS=--full`.

Writes docs/reference/data/benchmark.json, which docs/reference/benchmark.md and docs/fast.md draw.
A BLAS kernel is chosen when NumPy is imported, so every kernel gets a process of its own. In a
process all contestants of a cell run in turn, in an order shuffled each round; ratios are taken
within a round. Before anything is timed, the first step of each contestant is compared with
nnfp's readable one.
"""

import argparse
import datetime
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "docs/reference/data/benchmark.json"
OTHER = DATA.with_name("benchmark_other.json")  # what the last other processor gave, in short
FIGURES = ROOT / "nnfp/book/figures/fast.py"
TOLERANCE = {"float32": 2e-3, "float64": 1e-9}
PARTS: list[Path] = []  # what the processes of this run wrote, removed at its end
TINY, SMALL = ((2, 16, 16, 1), 32), ((64, 128, 128, 10), 64)
MEDIUM, LARGE = ((784, 256, 128, 10), 128), ((1024, 1024, 1024, 10), 256)


def cells(full: bool):
    """(sizes, batch, loss, rule, dtype) of every cell."""
    import itertools

    if full:
        axes = ("mse", "cross_entropy"), ("sgd", "adam"), ("float32", "float64")
        return [(*s, *c) for s in (TINY, SMALL, MEDIUM, LARGE) for c in itertools.product(*axes)
                if not (s is TINY and c[0] == "cross_entropy")]  # fmt: skip
    plain = ("mse", "sgd", "float32")
    return [
        (*TINY, *plain), (*SMALL, *plain), (*MEDIUM, *plain), (*LARGE, *plain),
        (*TINY, "mse", "adam", "float32"), (*SMALL, "cross_entropy", "adam", "float32"),
        (*SMALL, "mse", "sgd", "float64"), (*MEDIUM, "mse", "adam", "float32"),
        (*MEDIUM, "cross_entropy", "sgd", "float32"), (*MEDIUM, "mse", "sgd", "float64"),
    ]  # fmt: skip


# --- in the process of one kernel and one number of threads ---------------------------


def quantiles(values):
    import numpy as np

    return [float(q) for q in np.quantile(values, (0.25, 0.5, 0.75))]


def measure(contestants: dict, seconds: float, rounds: int, clock, pause: float = 0) -> dict:
    """name -> microseconds a step and ratio to the floor, as quartiles.

    A team of threads goes on waiting for work after its last product and holds the cores meanwhile;
    pause is the time it gets to fall asleep before the next contestant begins."""
    import numpy as np

    loops = {}
    for name, (step, _, _) in contestants.items():
        for _ in range(3):
            step()
        start = clock()
        step()
        once = max(clock() - start, 1e-6)
        loops[name] = max(1, int(seconds / rounds / len(contestants) / once))
    order, rng = list(contestants), np.random.default_rng(0)
    times = {name: [] for name in order}
    for _ in range(rounds):
        for name in rng.permutation(order):
            step, _, inner = contestants[name]
            if pause:
                time.sleep(pause)
                step()
            start = clock()
            for _ in range(loops[name]):
                step()
            times[name].append((clock() - start) / loops[name] / inner)
    base = np.array(times["floor"])
    return {
        name: {"us": quantiles(np.array(t) * 1e6), "ratio": quantiles(np.array(t) / base)}
        for name, t in times.items()
    }


def run_cell(cell, names, arguments) -> dict:
    # The processor's time of the process, all its threads: other programs don't count in it.
    clock = time.process_time if arguments.threads == 1 else time.perf_counter
    from contestants import NAMES, error, fits

    contestants, errors, other = {}, {}, []
    for name in names:
        plain = (cell.loss, cell.rule, cell.dtype) == ("mse", "sgd", "float32")
        if not fits(name, cell) or (name == "torch_compiled" and not (plain or arguments.full)):
            continue
        try:
            contestants[name] = NAMES[name](cell)
        except ImportError as reason:
            print(f"    {name}: {reason}", flush=True)
            continue
        off = error(cell, contestants[name])
        if off is not None:
            errors[name] = off
            if not off < TOLERANCE[cell.dtype]:
                print(f"    {name} does other work in {cell}, not timed: {off:.1e}", flush=True)
                del contestants[name], errors[name]
                other.append(name)
    if "micrograd" in contestants:  # hundreds of times slower than the rest: timed by itself
        step = contestants.pop("micrograd")[0]
        start = clock()
        step()
        alone = clock() - start
    else:
        alone = None
    pause = 0.05 if arguments.threads > 1 else 0
    result = measure(contestants, arguments.seconds, arguments.rounds, clock, pause)
    if alone:
        ratio = alone * 1e6 / result["floor"]["us"][1]
        result["micrograd"] = {"us": [alone * 1e6] * 3, "ratio": [ratio] * 3}
    return {
        "sizes": cell.sizes, "batch": cell.batch, "loss": cell.loss, "rule": cell.rule,
        "dtype": cell.dtype, "errors": errors, "other_work": other, "steps": result,
    }  # fmt: skip


def best(call, seconds=0.3) -> float:
    """The shortest of many runs, in seconds."""
    call()
    found, end, clock = float("inf"), time.process_time() + seconds, time.process_time
    while clock() < end:
        start = clock()
        call()
        found = min(found, clock() - start)
    return found


def limits() -> dict:
    """What this core can do: operations a second in a large product, bytes a second of memory."""
    import numpy as np

    found = {}
    for dtype in ("float32", "float64"):
        A, B, C = (np.ones((1024, 1024), dtype) for _ in range(3))
        found[f"gflops_{dtype}"] = 2 * 1024**3 / best(lambda A=A, B=B, C=C: np.dot(A, B, out=C)) / 1e9
    x, y = np.ones(2**25, "float32"), np.ones(2**25, "float32")
    found["memory_gb_s"] = 2 * x.nbytes / best(lambda: np.copyto(y, x)) / 1e9
    return found


def scaling() -> list[dict]:
    """How a step of FastTraining grows with depth, width and batch; operations are counted."""
    from contestants import Cell, fast, floor

    found = []
    sweeps = {
        "width": [((w, w, w, 10), 64) for w in (16, 32, 64, 128, 256, 512, 1024)],
        "depth": [((128,) * (L + 1), 64) for L in (1, 2, 4, 8, 16)],
        "batch": [((128, 128, 128, 10), B) for B in (1, 4, 16, 64, 256, 1024)],
    }
    for axis, points in sweeps.items():
        for sizes, batch in points:
            cell = Cell(sizes, batch)
            products = [2 * batch * n * m for n, m in pairwise(sizes)]
            step, bare = fast(cell)[0], floor(cell)[0]
            found.append({
                "axis": axis, "sizes": sizes, "batch": batch,
                "operations": 3 * sum(products) - products[0],
                "us": best(step, 0.15) * 1e6, "floor_us": best(bare, 0.1) * 1e6,
                "bytes": held_bytes(cell), "counted_bytes": counted_bytes(cell),
            })  # fmt: skip
    return found


def epochs() -> list[dict]:
    """How an epoch grows with the data: time a sample, memory beyond the data themselves."""
    import tracemalloc

    import numpy as np

    from nnfp import FastTraining, random_parameters

    found = []
    for N in (256, 1024, 4096, 16384, 65536):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((64, N)).astype("float32")
        parameters = random_parameters([64, 64, 10], rng)
        parameters = type(parameters)(*({l: a.astype("float32") for l, a in p.items()} for p in parameters))
        tracemalloc.start()
        course = FastTraining(parameters, 1e-3).epochs(X, X[:10], 64, rng)
        next(course)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        found.append({"samples": N, "us": best(lambda c=course: next(c), 0.5) * 1e6, "bytes": held,
                      "copied_bytes": 4 * 74 * N})  # fmt: skip
    return found


def held_bytes(cell) -> int:
    """Memory that FastTraining takes, as Python's allocator sees it."""
    import tracemalloc

    from contestants import fast

    cell.problem()
    tracemalloc.start()
    kept = fast(cell)
    kept[0]()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held


def counted_bytes(cell) -> int:
    """Parameters and gradients; per neuron and sample an activation, an error, a scratch, a gate."""
    from nnfp.fast import SMALL

    P = sum(m * (n + 1) for n, m in zip(cell.sizes, cell.sizes[1:]))
    n, copied = sum(cell.sizes[1:]), cell.sizes[0] if P <= SMALL else 0
    return 4 * 2 * P + cell.batch * (4 * (copied + 3 * n) + n)


def import_cost() -> dict:
    """Milliseconds of `import numpy` and `import nnfp` in fresh processes, in turn, compiled before."""
    import tempfile

    code = "import time; s = time.perf_counter(); import {}; print(time.perf_counter() - s)"
    found = {name: [] for name in ("numpy", "nnfp")}
    with tempfile.TemporaryDirectory() as compiled:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        for turn in range(22):
            for name, times in found.items():
                out = subprocess.run([sys.executable, "-c", code.format(name)], cwd=ROOT, check=True,
                                     env=environment, capture_output=True, text=True)  # fmt: skip
                if turn:  # the first one compiles
                    times.append(float(out.stdout) * 1e3)
    more = [b - a for a, b in zip(found["numpy"], found["nnfp"])]
    return {name: quantiles(values) for name, values in (found | {"difference": more}).items()}


def kernel() -> dict:
    """Which BLAS NumPy calls, and which of its kernels."""
    import numpy as np

    try:
        from threadpoolctl import threadpool_info

        for info in threadpool_info():
            if info["user_api"] == "blas" and "numpy" in info["filepath"]:
                return {k: info.get(k) for k in ("internal_api", "architecture", "version")}
    except ImportError:
        pass
    blas = np.show_config("dicts")["Build Dependencies"]["blas"]
    return {"internal_api": blas["name"], "architecture": "unknown", "version": blas["version"]}


def worker(arguments) -> None:
    """One process: all cells with the kernel and the threads that the environment sets."""
    if arguments.threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]
    from contestants import NAMES, Cell

    names = [n for n in NAMES if n not in arguments.without.split(",")]
    if "torch_eager" in names:
        try:
            import torch

            torch.set_num_threads(arguments.threads)
        except ImportError:
            pass
    part = Path(arguments.worker)  # a run that was stopped goes on where it stood
    if part.exists():
        result = json.loads(part.read_text())
    else:
        result = {"kernel": kernel(), "threads": arguments.threads, "limits": limits(), "cells": []}
    for values in cells(arguments.full)[len(result["cells"]) :]:
        cell = Cell(*values)
        start = time.perf_counter()
        result["cells"].append(run_cell(cell, names, arguments))
        steps = result["cells"][-1]["steps"]
        shown = "  ".join(f"{n} {s['ratio'][1]:.2f}" for n, s in steps.items() if n != "floor")
        print(f"  {cell.sizes} {cell.loss} {cell.rule} {cell.dtype}, floor "
              f"{steps['floor']['us'][1]:.1f} us: {shown} ({time.perf_counter() - start:.0f} s)",
              flush=True)  # fmt: skip
        part.write_text(json.dumps(result))
    if arguments.extras and "scaling" not in result:
        result["scaling"], result["epochs"], result["import_ms"] = scaling(), epochs(), import_cost()
    part.write_text(json.dumps(result))


# --- the run as a whole ----------------------------------------------------------------


def machine() -> dict:
    """What the numbers depend on; no names of machines or people."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*:\s*(.*)", info)
    flags = re.search(r"flags\s*:\s*(.*)", info)
    flags = flags[1].split() if flags else []
    versions = {}
    for name in ("numpy", "torch", "jax", "scikit-learn", "autograd", "micrograd", "numba", "scipy", "tinygrad"):
        try:
            from importlib.metadata import version

            versions[name] = version(name)
        except ImportError:
            pass
    return {
        "processor": model[1] if model else platform.processor() or platform.machine(),
        "cores": os.cpu_count(), "system": platform.system(),
        "instructions": [f for f in ("avx2", "avx512f", "amx_tile") if f in flags],
        "python": platform.python_version(), "versions": versions,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }  # fmt: skip


def launch(kernel_name: str, threads: int, arguments, without=(), extras=False) -> dict:
    part = ROOT / ".book-cache" / f"bench-{kernel_name or 'detected'}-{threads}{'-full' * arguments.full}.json"
    part.parent.mkdir(exist_ok=True)
    environment = os.environ | {
        "OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads), "PYTHONWARNINGS": "ignore", "JAX_PLATFORMS": "cpu",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}",
    }  # fmt: skip
    for chosen in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # what OpenBLAS finds by itself
        environment.pop(chosen, None)
    if kernel_name:
        environment["OPENBLAS_CORETYPE"] = kernel_name
    command = [
        sys.executable, __file__, "--worker", str(part), "--threads", str(threads), "--without",
        ",".join(without), "--seconds", str(arguments.seconds), "--rounds", str(arguments.rounds),
    ]  # fmt: skip
    command += ["--full"] * arguments.full + ["--extras"] * extras
    print(f"kernel {kernel_name or 'as detected'}, {threads} thread(s)", flush=True)
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    PARTS.append(part)
    return json.loads(part.read_text())


def set_aside(processor: str) -> None:
    """Keep the first run of the data so far if it comes from another processor: one machine says little."""
    before = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else None
    if not before or before["machine"]["processor"] == processor:
        return
    first = before["runs"][0]
    for cell in first["cells"]:
        cell["steps"] = {name: {"ratio": step["ratio"]} for name, step in cell["steps"].items()}
    short = {"date": before["date"], "machine": before["machine"]}
    short["runs"] = [{k: first[k] for k in ("kernel", "threads", "limits", "cells")}]
    OTHER.write_text(json.dumps(short, indent=1) + "\n", encoding="utf-8")


def stamp() -> None:
    """Tell the figures which data they draw, so that their cache sees a change."""
    text = FIGURES.read_text(encoding="utf-8")
    for name, path in [("DATA_SHA256", DATA), ("OTHER_SHA256", OTHER)]:
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
        text = re.sub(rf'\b{name} = "\w*"', f'{name} = "{digest}"', text)
    FIGURES.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="every combination with one thread; ten with two")
    parser.add_argument("--all", action="store_true", help="with --full: every combination with two threads too")
    parser.add_argument("--seconds", type=float, default=3.0, help="of timing for a cell")
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--note", default="", help="a sentence about the machine, for the page")
    parser.add_argument("--without", default="", help="contestants to leave out, by comma")
    for hidden in ("--worker", "--threads"):
        parser.add_argument(hidden, default=None, type=int if hidden == "--threads" else str, help=argparse.SUPPRESS)
    parser.add_argument("--extras", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(arguments)
    begin, about = time.time(), machine()
    left_out = tuple(filter(None, arguments.without.split(",")))
    runs = [launch("", 1, arguments, left_out, extras=True)]
    found = (runs[0]["kernel"]["architecture"] or "").lower()
    if "avx512f" in about["instructions"]:
        other = "Haswell" if found in ("skylakex", "cooperlake", "sapphirerapids", "zen") else "SkylakeX"
        runs.append(launch(other, 1, arguments, (*left_out, "micrograd", "torch_compiled")))
    threads_too, arguments.full = arguments.full, arguments.all
    if threads_too:
        runs.append(launch("", 2, arguments, (*left_out, "micrograd")))
    result = {
        "date": datetime.date.today().isoformat(), "seconds": round(time.time() - begin),
        "note": arguments.note, "clock": "processor time at one thread, wall time at two",
        "machine": about, "rounds": arguments.rounds, "runs": runs,
    }  # fmt: skip
    DATA.parent.mkdir(parents=True, exist_ok=True)
    set_aside(about["processor"])
    DATA.write_text(json.dumps(_rounded(result), indent=1) + "\n", encoding="utf-8")
    stamp()
    for part in PARTS:
        part.unlink()
    print(f"wrote {DATA.relative_to(ROOT)} in {result['seconds']} s; now: python -m nnfp.book check --update")


def _rounded(value):
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, (list, tuple)) else value


if __name__ == "__main__":
    main()
