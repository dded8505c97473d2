"""Python for the browser: only the right bytes are taken, and without them there are no buttons."""

import hashlib
import importlib.util
import json

import pytest

from nnfp.book.sources import ROOT

spec = importlib.util.spec_from_file_location("fetch_runtime", ROOT / "scripts" / "fetch_runtime.py")
fetch = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fetch)

DATA = b"the wheel, as Pyodide's lock knows it" * 100
DIGEST = hashlib.sha256(DATA).hexdigest()


def flipped(place: int) -> bytes:
    changed = bytearray(DATA)
    changed[place] ^= 1
    return bytes(changed)


@pytest.mark.parametrize("place", [0, len(DATA) // 2, len(DATA) - 1])
def test_one_flipped_bit_is_refused(place):
    assert fetch.check(DATA, DIGEST, "here") == DATA
    with pytest.raises(fetch.Refused, match=r"here: SHA-256 .*the lock says"):
        fetch.check(flipped(place), DIGEST, "here")


def test_the_next_place_is_asked_when_one_is_bad_or_gone(tmp_path, capsys):
    (tmp_path / "bad").mkdir()
    (tmp_path / "good").mkdir()
    (tmp_path / "bad" / "numpy.whl").write_bytes(flipped(7))
    (tmp_path / "good" / "numpy.whl").write_bytes(DATA)
    places = [(n, lambda n=n: fetch.from_folder(tmp_path / n, "numpy.whl")) for n in ("gone", "bad", "good")]
    assert fetch.wheel("numpy.whl", DIGEST, iter(places)) == DATA
    told = capsys.readouterr().err
    assert "not from gone" in told and "not from bad: bad: SHA-256" in told
    assert fetch.wheel("numpy.whl", DIGEST, iter(places[:2])) is None


def test_an_address_is_a_place_too(tmp_path):
    path = tmp_path / "numpy.whl"
    path.write_bytes(DATA)
    assert fetch.from_address(path.as_uri()) == DATA
    with pytest.raises(OSError):
        fetch.from_address((tmp_path / "none.whl").as_uri())


def test_the_lock_names_the_wheel(tmp_path):
    entry = {"file_name": "numpy.whl", "sha256": DIGEST}
    (tmp_path / "pyodide-lock.json").write_text(json.dumps({"packages": {"numpy": entry}}))
    assert fetch.wanted(tmp_path) == ("numpy.whl", DIGEST)


def test_the_bundle_is_pinned_by_version_and_hash():
    import re

    assert re.fullmatch(r"[\w-]+==[\w.]+ --hash=sha256:[0-9a-f]{64}", fetch.BUNDLE)
