"""What a reader installs: NumPy and the package, quickly imported, nothing of the book's tools."""

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import nnfp

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
BARE = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def run(*code: str, env=BARE) -> str:
    done = subprocess.run(
        [sys.executable, *code], env=env, capture_output=True, text=True, cwd=ROOT.anchor
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules that `import nnfp` loads beyond those of NumPy."""
    code = "import json, sys, numpy; a = set(sys.modules); import nnfp; print(json.dumps([*set(sys.modules) - a]))"
    return set(json.loads(run("-c", code)))


def test_the_import_loads_itself_and_nearly_nothing_that_numpy_has_not(imported):
    """No numpy.random (12 ms), pathlib, zipfile, json: what few functions need they import."""
    light = {"__future__", "collections", "functools", "itertools", "math", "os", "sys", "time", "typing"}
    assert {name for name in imported if name.split(".")[0] != "nnfp"} <= light


def test_the_import_does_not_load_the_tools_of_the_book(imported):
    assert not any(name.startswith("nnfp.book") for name in imported)


def test_every_module_of_the_package_is_found_from_its_front(imported):
    modules = {path.stem for path in (ROOT / "nnfp").glob("*.py")} - {"__init__"}
    assert modules <= {name.removeprefix("nnfp.") for name in imported if name.startswith("nnfp.")}


def test_every_public_name_has_one_home_and_can_be_imported_from_the_front():
    homes: dict[str, str] = {}
    for path in sorted((ROOT / "nnfp").glob("*.py")):
        if path.stem != "__init__":
            module = importlib.import_module(f"nnfp.{path.stem}")
            for name in module.__all__:
                assert name not in homes, f"{name} is in {homes[name]} and in {path.stem}"
                assert getattr(nnfp, name) is getattr(module, name), name
                homes[name] = path.stem
    assert len(homes) > 60


def test_numpy_is_the_only_dependency():
    assert [re.split(r"[<>=!~ ]", d)[0] for d in PROJECT["dependencies"]] == ["numpy"]


def test_the_wheel_holds_the_package_and_its_licences_and_is_the_same_every_time(tmp_path):
    import zipfile

    pytest.importorskip("hatchling")
    contents = []
    for name in ("one", "two"):
        target = tmp_path / name
        run("-c", f"import os; os.chdir({str(ROOT)!r}); from hatchling.builders.wheel import WheelBuilder as B; "
                  f"print(*B(os.getcwd()).build(directory={str(target)!r}, versions=['standard']))")  # fmt: skip
        (wheel,) = target.glob("*.whl")
        contents.append(wheel.read_bytes())
    assert contents[0] == contents[1]
    names = zipfile.ZipFile(tmp_path / "one" / wheel.name).namelist()
    assert {"nnfp/__init__.py", "nnfp/network.py", "nnfp/book/markdown.py"} <= {*names}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert all(name.startswith(("nnfp/", f"nnfp-{PROJECT['version']}.dist-info/")) for name in names)


def test_the_lock_pins_every_requirement_with_hashes_and_names_no_address():
    pins = re.findall(r"^([A-Za-z0-9._-]+)==\S+", LOCK, flags=re.M)
    blocks = re.split(r"^(?=[A-Za-z])", LOCK, flags=re.M)[1:]
    assert len(pins) == len(blocks) > 80
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in LOCK and "--index" not in LOCK and "--find" not in LOCK


def test_the_lock_holds_what_the_extras_ask_for_and_no_witness():
    extras = PROJECT["optional-dependencies"]
    plain = re.compile(r"^[A-Za-z0-9._-]+")

    def names(requirements):
        return {plain.match(r)[0].lower().replace("_", "-") for r in requirements}

    locked = {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)==", LOCK, flags=re.M)}
    wanted = names(extras["book"] + extras["test"] + extras["dev"] + PROJECT["dependencies"])
    assert wanted <= locked
    assert not names(extras["witness"]) & locked


def test_the_npm_lock_has_a_hash_for_every_package_and_no_address():
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages and all("integrity" in entry for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())


def test_every_action_of_a_workflow_is_pinned_to_a_commit():
    files = [*(ROOT / ".github" / "workflows").glob("*.yml")]
    used = [u for file in files for u in re.findall(r"uses:\s*(\S+)", file.read_text(encoding="utf-8"))]
    assert len(used) > 5
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used)


def test_the_version_is_the_same_wherever_it_is_written():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {PROJECT['version']}\n" in citation
