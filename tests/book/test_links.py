"""Addresses outside the book: their form is checked here, whether they answer once a week."""

import http.server
import importlib.util
import threading

import pytest
from small_book import NEURON, line_of, make

from nnfp.book import links
from nnfp.book.sources import ROOT


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("https://example", "is no web address"), ("http://example.org/a", "write https://"),
        ("https://Example.org/a", "small letters"), ("https://example.org/a?utm_source=x", "leave out ?utm_source=x"),
        ("https://arxiv.org/pdf/1502.01852", "a paper on arXiv is"), ("https://arxiv.org/abs/1502.01852v2", "a paper on arXiv"),
        ("https://www.arxiv.org/abs/1502.01852", "a paper on arXiv is"), ("https://doi.org/1038/323533a0", "a DOI is"),
        ("https://dx.doi.org/10.1038/323533a0", "a DOI is"), ("https://example.org/a).", "ends in a mark"),
    ],
)  # fmt: skip
def test_a_wrong_form_is_named(address, part):
    assert part in links.wrong(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org", "https://arxiv.org/abs/1502.01852", "https://arxiv.org/abs/cs/0412059",
        "https://doi.org/10.1038/323533a0", "https://en.wikipedia.org/wiki/A_(b)", "https://example.org/a?b=c#d",
        f"http://{links.HTTP_ONLY[0]}/chap1.html",
    ],
)  # fmt: skip
def test_a_right_form_passes(address):
    assert links.wrong(address) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.org/", "https://a.org"), ("https://www.a.org/b/", "http://a.org/b"), ("https://a.org/b#c", "https://a.org/b"),
        ("https://arxiv.org/abs/1502.01852", "https://arxiv.org/pdf/1502.01852v1.pdf"), ("https://a.org/index.html", "https://a.org/"),
    ],
)  # fmt: skip
def test_one_place_has_one_key(one, other):
    assert links.key(one) == links.key(other) != links.key("https://a.org/other")


def failures(tmp_path, **changes):
    checker = make(tmp_path, **changes)
    return checker.check(checker.book.page(tmp_path / "docs/neuron.md"), ["links"]).failures


def test_the_same_place_twice_in_sources_is_reported_however_it_is_written(tmp_path):
    text = NEURON + "\n## Sources\n\n- [a](https://a.org/b)\n- [b](https://a.org/b#part)\n"
    (found,) = failures(tmp_path, neuron=text)
    assert found.message == "https://a.org/b#part is named twice in Sources"
    assert found.line == line_of(text, "- [b]")


def test_one_place_is_written_one_way_in_the_whole_book(tmp_path):
    text = NEURON + "\nSee [a](https://a.org/b).\n\n[Again](https://www.a.org/b/) and [again](https://a.org/b#c).\n"
    (found,) = failures(tmp_path, neuron=text)
    assert found.message == "https://www.a.org/b/ is written https://a.org/b elsewhere in the book: write it one way"
    assert found.line == line_of(text, "[Again]")


class Answers(http.server.BaseHTTPRequestHandler):
    tries = 0

    def log_message(self, *_):
        pass

    def do_GET(self):
        code = {"/here": 200, "/gone": 404, "/refused": 403, "/moves": 301, "/busy": 503}[self.path]
        if self.path == "/busy":
            Answers.tries += 1
            code = 200 if Answers.tries == 2 else 503
        self.send_response(code)
        if code == 301:
            self.send_header("Location", "/here")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(scope="module")
def script():
    place = ROOT / "scripts" / "check_links.py"
    spec = importlib.util.spec_from_file_location("check_links", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def here():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "verdict", "code"),
    [("/here", "1 ok", 0), ("/moves", "1 ok", 0), ("/busy", "1 ok", 0), ("/gone", "1 gone", 1)],
)
def test_the_web_is_asked(script, here, capsys, path, verdict, code):
    assert script.main([f"{here}{path}", "--pause", "0"]) == code
    assert verdict in capsys.readouterr().out


def test_a_refusal_proves_nothing_unless_nobody_answers(script, here, capsys):
    assert script.main([f"{here}/refused", f"{here}/here", "--pause", "0"]) == 0
    assert f"unclear {here}/refused 403 (command line)" in capsys.readouterr().out
    assert script.main([f"{here}/refused", "--pause", "0"]) == 1
    assert "is there a network?" in capsys.readouterr().err


def test_the_places_of_an_address_are_known(tmp_path):
    book = make(tmp_path, neuron=NEURON + "\n[a](https://a.org/b#c)\n").book
    (tmp_path / "README.md").write_text("See [b](https://b.org).\n")
    found = links.addresses(book)
    assert found == {
        "https://a.org/b": [f"{book.shown(tmp_path / 'docs/neuron.md')}:{NEURON.count(chr(10)) + 2}"],
        "https://b.org": ["README.md:1"],
    }
