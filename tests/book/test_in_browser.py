"""What runs the snippets in the browser, run here: outputs compared, errors told, order kept."""

import builtins
import json
import zipfile
from io import BytesIO

import numpy as np
import pytest
from small_book import NEURON, make

from nnfp.book import in_browser, runtime
from nnfp.book.in_browser import compare, outputs, same_line, without_outputs
from nnfp.book.running import run as run_page
from nnfp.book.sources import ROOT


@pytest.fixture(autouse=True)
def settings():
    options, errors = np.get_printoptions(), np.geterr()
    in_browser._session.page = ""
    yield
    np.set_printoptions(**options)
    np.seterr(**errors)


def run(*fences, source=None, page="/p/"):
    *earlier, last = fences
    return json.loads(in_browser.run(page, list(earlier), last if source is None else source, last))


def test_lines_of_output_are_told_from_code_and_strings():
    fence = 'print("a")\n#> a\ntext = """\n#> no output\n"""\nfor k in [1]:\n    print(k)\n    #> 1\n'
    assert outputs(fence) == ["a", "1"]
    assert without_outputs(fence) == 'print("a")\ntext = """\n#> no output\n"""\nfor k in [1]:\n    print(k)\n'


@pytest.mark.parametrize(
    "shown, printed, same",
    [
        ("[[0. 0. 3.]]", "[[0.  0. 3.]]", True),
        ("loss 0.12345", "loss 0.12346", True),  # the last of many digits
        ("loss 0.12345", "loss 0.12347", False),
        ("0.25", "0.26", False),  # two digits are a claim, no rounding
        ("3", "4", False),
        ("1.2e-17", "-3.1e-18", True),  # nothing but rounding
        ("1.2e-12", "3.1e-12", False),
        ("-0.5", "0.5", False),
        ("x1 = 2.0", "x2 = 2.0", False),
        ("nan", "inf", False),
        ("(2, 3)", "(2, 4)", False),
        ("1.0 2.0", "1.0", False),
    ],
)  # fmt: skip
def test_lines_agree_up_to_rounding(shown, printed, same):
    assert same_line(shown, printed) is same and same_line(printed, shown) is same


def test_the_verdict_says_where_it_differs():
    assert compare(["a", "b"], ["a", "b"]) == ("agrees", "Agrees with the page.")
    assert compare([], [])[0] == "agrees"
    assert compare(["a", "b"], ["a", "c"])[1].endswith("line 2 of the output, which shows: b")
    assert compare(["a"], []) == ("differs", "Differs from the page, which shows 1 line of output.")
    assert compare([], ["a"])[0] == "differs"
    assert "up to rounding" in compare(["0.12345"], ["0.12346"])[1]
    assert "32 bits" in compare(["got int64;"], ["got int32;"])[1]


def test_earlier_snippets_come_along_once_and_in_order():
    first, second = "calls = []\nx = 2\n", "calls.append(x)\nprint(len(calls), x)\n#> 1 2\n"
    assert run(first, second) | {"python": ""} == {
        "verdict": "agrees", "sentence": "Agrees with the page.", "output": "1 2\n",
        "trace": [], "before": 1, "python": "",
    }  # fmt: skip
    third = "print(sum(calls))\n#> 2\n"
    assert run(first, second, third)["before"] == 0, "both have run in this namespace"
    assert run(first, second)["verdict"] == "agrees", "once more: not a second time in the same lists"
    assert run("calls = []\nx = 5\n", second)["sentence"].startswith("Differs from the page in line 1")
    assert run(second, page="/other/")["trace"][-1] == "NameError: name 'calls' is not defined"


def test_an_edited_snippet_is_compared_with_what_the_page_shows():
    fence = "print(1 + 1)\n#> 2\n"
    assert run(fence, source="print(3 - 1)\n")["sentence"] == "Edited; the output agrees with the page."
    assert run(fence, source="print(5)\n")["verdict"] == "differs"


def test_an_error_shows_the_lines_that_matter():
    fence = "import numpy as np\nfrom nnfp import relu\nprint('so far')\ndef f(z):\n    return relu(z)\nf([1, 2])\n"
    found = run(fence)
    assert found["verdict"] == "error" and found["output"] == "so far\n"
    assert found["trace"][:2] == ["line 6: f([1, 2])", "line 5: return relu(z)"]
    assert found["trace"][2].startswith("  in relu, nnfp/activations.py line ")
    assert len(found["trace"]) == 4 and "np.array" in found["trace"][3]
    assert run("1 +\n")["trace"] == ["line 1: 1 +", "SyntaxError: invalid syntax"]
    earlier = run("x = 1 / 0\n", "print(x)\n")
    assert "earlier snippet of the page, number 1" in earlier["sentence"]
    assert earlier["trace"] == ["snippet 1, line 1: x = 1 / 0", "ZeroDivisionError: division by zero"]
    assert run("raise SystemExit\n")["trace"][-1] == "SystemExit"


def test_output_without_end_is_stopped():
    found = run("while True:\n    print('x' * 99)\n")
    assert "TooMuch" in found["trace"][-1] and len(found["output"]) <= in_browser.LIMIT


@pytest.mark.parametrize(
    "code, shown",
    [
        ("print('start')\n", "start\n"),
        ("print('one')\nprint('two', end='')\n", "one\ntwo"),
        ("for k in range(3):\n    print(k)\n    last = list(pieces)\npieces = last\n", "0\n1\n2\n"),
    ],
)
def test_what_is_printed_is_shown_before_the_next_statement(monkeypatch, code, shown):
    monkeypatch.setattr(builtins, "pieces", [], raising=False)
    handed = builtins.pieces
    in_browser.run("/p/", [], f"{code}early = ''.join(pieces)\n", "", handed.append)
    assert in_browser._session.names["early"] == shown
    assert "".join(handed) == shown


def test_what_is_printed_in_a_loop_is_shown_a_few_times_a_second():
    handed = []
    in_browser.run("/p/", [], "for k in range(5000):\n    print(k)\n", "", handed.append)
    assert "".join(handed) == "".join(f"{k}\n" for k in range(5000)) and len(handed) < 100


def test_warnings_are_shown_and_not_raised():
    found = run("import numpy as np\nprint(np.exp(np.array([1000.0])))\n#> [inf]\n")
    assert found["verdict"] == "differs" and "RuntimeWarning: overflow" in found["output"]


def test_it_agrees_with_the_page_check(tmp_path):
    page = make(tmp_path).book.pages[0]
    fences = [f.body for f in page.fences if f.runs]
    assert run_page(page).complete
    for number in range(1, len(fences) + 1):
        assert run(*fences[:number])["verdict"] == "agrees"


# The building side


def test_a_zip_has_equal_bytes_and_the_package_without_the_book():
    files = runtime.package_files(ROOT)
    assert runtime.packed(files) == runtime.packed(dict(reversed(files.items())))
    names = zipfile.ZipFile(BytesIO(runtime.packed(files))).namelist()
    assert {"nnfp/__init__.py", "nnfp/layer.py", "nnfp_page.py", "nnfp/LICENSE"} <= set(names)
    assert not [name for name in names if "book" in name]


BOX = '<div class="language-python highlight" data-copy="x"><pre><code>{}</code></pre><div class="note">n</div></div>'
LISTING = '<div class="language-python highlight"><span class="filename">nnfp/neuron.py</span><pre></pre></div>'


def test_each_snippet_gets_its_bar_and_a_listing_gets_none(tmp_path):
    page = make(tmp_path).book.pages[0]
    text = f"<p>{LISTING}</p>{BOX.format(1)}<p>between</p><details>{BOX.format(2)}</details>"
    found = runtime.with_buttons(text, page)
    assert found.count('data-run="run"') == 2 and found.count("data-snippet=") == 2
    assert found.index('data-snippet-bar="1"') < found.index("between") < found.index('data-snippet-bar="2"')
    assert 'data-snippet="1" class="language-python' in found
    with pytest.raises(runtime.BookError, match="2 snippets became 1 blocks"):
        runtime.with_buttons(text.replace(BOX.format(2), ""), page)


def test_what_the_browser_cannot_import_gets_no_button(tmp_path):
    page = make(tmp_path, neuron=NEURON.replace("print(int(x[0]))", "import matplotlib\n    print(1)")).book.pages[0]
    assert [good for _, good in runtime.sessions(page)] == [True, False]
    assert runtime.runnable("nnfp.layer") and runtime.runnable("time") and not runtime.runnable("nnfp.book.x")


def test_without_the_runtime_or_with_other_bytes_there_is_none(tmp_path):
    book = make(tmp_path).book
    assert runtime.absent(book.docs) and "no Run buttons" in runtime.prepare(book)
    assert not (book.docs / runtime.PACKAGE).exists()
    folder = book.docs / runtime.FOLDER
    folder.mkdir(parents=True)
    for name in runtime.CORE:
        (folder / name).write_bytes(b"x")
    import hashlib

    entry = {"file_name": "numpy.whl", "sha256": hashlib.sha256(b"wheel").hexdigest()}
    (folder / "pyodide-lock.json").write_text(json.dumps({"packages": {"numpy": entry}}))
    assert "no numpy.whl" in runtime.absent(book.docs)
    (folder / "numpy.whl").write_bytes(b"wheem")
    assert "not what Pyodide's lock says" in runtime.absent(book.docs)
    (folder / "numpy.whl").write_bytes(b"wheel")
    import os

    os.utime(folder / "numpy.whl", ns=(1, 1))
    assert runtime.absent(book.docs) == "" and "snippets get a Run button" in runtime.prepare(book)
    assert (book.docs / runtime.PACKAGE / "nnfp.zip").is_file()


def test_a_build_without_the_runtime_says_so_and_leaves_the_buttons_out(tmp_path, monkeypatch, caplog):
    from types import SimpleNamespace

    from nnfp.book import runtime_hook

    make(tmp_path)
    config = SimpleNamespace(config_file_path=str(tmp_path / "mkdocs.yml"))
    page = SimpleNamespace(file=SimpleNamespace(src_uri="neuron.md"))
    text = BOX.format(1) + BOX.format(2)
    monkeypatch.setattr(runtime_hook, "_state", {"why": ""})
    monkeypatch.delenv("NNFP_OFFLINE", raising=False)
    assert runtime_hook.on_page_content(text, page, config).count('data-run="run"') == 2
    with caplog.at_level("INFO", logger="mkdocs.plugins.nnfp"):
        runtime_hook.on_pre_build(config)
    assert "the site has no Run buttons" in caplog.text
    assert runtime_hook.on_page_content(text, page, config) is None
