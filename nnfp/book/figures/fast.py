"""Figures of docs/fast.md and docs/reference/benchmark.md, drawn from the benchmark's data."""

import hashlib
import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from nnfp.book.figures import figure

DATA = Path(__file__).resolve().parents[3] / "docs/reference/data/benchmark.json"
OTHER = DATA.with_name("benchmark_other.json")
# `make bench` writes these lines with the data, so that a change of the data changes the figures.
DATA_SHA256 = "1d407e29eb8c8081e161d18cfa1769b141d19518d4aecf6c61f2e100b311a016"
OTHER_SHA256 = "30124e7b7097ea98b3680f913092815d88da77283c68510719ee445f76e25e97"

SIZES = {2: "2-16-16-1, batch 32", 64: "64-128-128-10, batch 64", 784: "784-256-128-10, batch 128",
         1024: "1024-1024-1024-10, batch 256"}  # fmt: skip
PEERS = {
    "fast": "FastTraining", "fast_numba": "with Numba", "readable": "readable nnfp", "torch_eager": "PyTorch",
    "torch_compiled": "PyTorch compiled", "jax_jit": "JAX jit", "jax_scan": "JAX scan",
    "sklearn": "scikit-learn", "autograd": "autograd", "tinygrad": "tinygrad",
}  # fmt: skip
LADDER = ["readable", "bare", "in_place", "fast_apart", "fast_joined"]


def _read(path: Path, digest: str) -> dict:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{path.name} is not the file that figures/fast.py names; run make bench")
    return json.loads(data)


@cache
def results() -> dict:
    """The data of the last run of the benchmark, after a look whether they are the ones meant."""
    return _read(DATA, DATA_SHA256)


@cache
def other() -> dict:
    """The first run on the processor before, ratios only."""
    return _read(OTHER, OTHER_SHA256)


def site() -> dict:
    """What scripts/measure_site.py found."""
    return json.loads(DATA.with_name("site.json").read_bytes())


def cell(run: int, inputs: int, loss: str = "mse", rule: str = "sgd", dtype: str = "float32") -> dict:
    """One cell of one run, named by its number of inputs."""
    wanted = dict(loss=loss, rule=rule, dtype=dtype)
    for found in results()["runs"][run]["cells"]:
        if found["sizes"][0] == inputs and all(found[k] == v for k, v in wanted.items()):
            return found
    raise ValueError(f"no cell {inputs} {wanted}")


def ratio(name: str, inputs: int, run: int = 0, **kind) -> float:
    """Median time of a step over the floor of its cell."""
    return cell(run, inputs, **kind)["steps"][name]["ratio"][1]


def against(name: str, inputs: int, run: int = 0, **kind) -> float:
    """How many times as long as FastTraining a contestant takes."""
    steps = cell(run, inputs, **kind)["steps"]
    return steps[name]["ratio"][1] / steps["fast"]["ratio"][1]


@figure(width=6.6, height=3.6)
def ladder(fig, style):
    """What each rewriting of the step gave, at four sizes."""
    ax = fig.subplots()
    colours = [style.purple, style.blue, style.green, style.orange]
    facts = {"sizes": len(SIZES)}
    labels = ["readable", "no checks", "in place", "fast,\nbias apart", "fast,\nones row"]
    for (inputs, label), colour, marker in zip(SIZES.items(), colours, "os^D", strict=True):
        heights = [ratio(name, inputs) for name in LADDER]
        ax.plot(range(len(LADDER)), heights, marker + "-", color=colour, markersize=5, label=label)
        facts |= {f"{name}_{inputs}": h for name, h in zip(LADDER, heights, strict=True)}
    ax.axhline(1, color=style.foreground, linewidth=1)
    ax.set_yscale("log")
    ticks = [1, 1.5, 2, 3, 5, 10, 20, 50]
    ax.set_yticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()
    ax.set_xticks(range(len(LADDER)), labels)
    ax.set_ylabel("time of a step / floor")
    ax.legend(loc="upper right")
    return facts


@figure(width=6.8, height=5.2)
def ratios(fig, style):
    """FastTraining and its peers over the floor, four sizes, quartiles of the rounds."""
    axes = fig.subplots(2, 2).ravel()
    facts = {}
    for ax, (inputs, label) in zip(axes, SIZES.items(), strict=True):
        steps = cell(0, inputs)["steps"]
        shown = [name for name in PEERS if name in steps]
        for y, name in enumerate(reversed(shown)):
            low, middle, high = steps[name]["ratio"]
            colour = style.blue if name.startswith("fast") else style.orange
            ax.plot([low, high], [y, y], color=colour, linewidth=3, solid_capstyle="butt")
            ax.plot(middle, y, "o", color=colour, markersize=5)
            facts[f"{name}_{inputs}"] = middle
        ax.axvline(1, color=style.foreground, linewidth=1)
        ax.set_yticks(range(len(shown)), [PEERS[name] for name in reversed(shown)])
        ax.set_xscale("log")
        top = max(steps[name]["ratio"][2] for name in shown)
        ticks = [t for t in (1, 2, 5, 10, 20, 50, 100) if t < 1.3 * top]
        ax.set_xticks(ticks, [str(t) for t in ticks])
        ax.minorticks_off()
        ax.set_title(label.partition(",")[0])
        ax.set_xlabel("time of a step / floor")
    return facts


@figure(width=6.4, height=3.4)
def roofline(fig, style):
    """Operations a second of floor and FastTraining against operations per byte."""
    ax = fig.subplots()
    run = results()["runs"][0]
    peak, memory = run["limits"]["gflops_float32"], run["limits"]["memory_gb_s"]
    x = np.geomspace(1, 300, 50)
    ax.plot(x, np.minimum(peak, memory * x), color=style.foreground, linewidth=1.2,
            label="limit from memory and large products")  # fmt: skip
    facts = {"peak": peak, "memory": memory}
    for inputs, label in SIZES.items():
        found = cell(0, inputs)
        sizes, B = found["sizes"], found["batch"]
        pairs = list(pairwise(sizes))
        products = [2 * B * n * m for n, m in pairs]
        operations = 3 * sum(products) - products[0]
        moved = [4 * (m * n + n * B + m * B) for n, m in pairs]
        density = operations / (3 * sum(moved) - moved[0])
        for name, colour, marker in (("floor", style.orange, "s"), ("fast", style.blue, "o")):
            rate = operations / found["steps"][name]["us"][1] / 1e3
            first = inputs == 2
            ax.plot(density, rate, marker, color=colour, markersize=6,
                    label=("products alone" if name == "floor" else "FastTraining") if first else None)  # fmt: skip
            facts[f"{name}_{inputs}"] = rate
        ax.annotate(label.partition(",")[0], (density, facts[f"fast_{inputs}"]), xytext=(4, -12),
                    textcoords="offset points", fontsize=8, color=style.muted)  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(1.5, 1.6 * peak)
    ax.set_xlabel("operations per byte of the products")
    ax.set_ylabel("billion operations a second")
    ax.legend(loc="lower right")
    return facts


@figure(width=6.8, height=3.0)
def scaling(fig, style):
    """Measured time and memory of a step against what was counted."""
    left, right = fig.subplots(1, 2)
    points = results()["runs"][0]["scaling"]
    colours = dict(width=style.blue, depth=style.orange, batch=style.green)
    for (axis, colour), marker in zip(colours.items(), "os^", strict=True):
        mine = [p for p in points if p["axis"] == axis]
        left.loglog([p["operations"] for p in mine], [p["us"] for p in mine], marker + "-",
                    color=colour, markersize=4, linewidth=1, label=axis)  # fmt: skip
        right.loglog([p["counted_bytes"] / 1e6 for p in mine], [p["bytes"] / 1e6 for p in mine],
                     marker, color=colour, markersize=4, label=axis)  # fmt: skip
    big = [p for p in points if p["operations"] > 1e8]
    rate = float(np.median([p["operations"] / p["us"] for p in big]))
    ends = np.array([1e5, max(p["operations"] for p in points)])
    left.loglog(ends, ends / rate, "--", color=style.muted, linewidth=1)
    sizes = np.array([min(p["counted_bytes"] for p in points), max(p["counted_bytes"] for p in points)])
    right.loglog(sizes / 1e6, sizes / 1e6, "--", color=style.muted, linewidth=1)
    left.set_xlabel("operations, counted")
    left.set_ylabel("time of a step (µs)")
    right.set_xlabel("memory, counted (MB)")
    right.set_ylabel("memory, measured (MB)")
    left.legend(loc="upper left")
    off = [p["bytes"] / p["counted_bytes"] for p in points if p["counted_bytes"] > 1e6]
    return {"gflops": rate / 1e3, "memory_most": max(off), "memory_least": min(off)}
