"""A notebook holds the page's text, code and outputs, and running it gives those outputs."""

import json
import os

import pytest
from small_book import NEURON, make

from nnfp.book import figures, notebooks, prepare
from nnfp.book.pages import Checker
from nnfp.book.reading import Book, BookError

FIGURE = "\n![A curve](figure:demo.curve)\nThe slope is 2<!-- slope -->, see \\eqref{eq-double}.\n"
LINK = "[Download this chapter as a notebook](notebooks/neuron.ipynb){ .notebook }\n"


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "picture", lambda name: b"png")
    book = make(tmp_path, neuron=NEURON.replace("\n\n", f"\n\n{LINK}\n", 1) + FIGURE).book
    return book


def cells(book, kind, home="neuron.md"):
    page = book.page(book.docs / home)
    found = notebooks.notebook(book, page)["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def test_code_cells_have_the_source_and_the_outputs_of_the_page(small):
    page = small.page(small.docs / "neuron.md")
    code = [c for c in notebooks.notebook(small, page)["cells"] if c["cell_type"] == "code"]
    assert "".join(code[0]["source"]).endswith("print(x + x)\nfor value in x:\n    print(value)")
    assert code[0]["outputs"][0]["text"] == ["[2. 5.]\n", "1.0\n", "2.5\n"]
    assert "".join(code[1]["source"]) == "print(int(x[0]))"
    assert code[1]["metadata"] == {"tags": ["solution"]}
    assert all(c["execution_count"] is None for c in code)


def test_text_keeps_math_and_loses_what_only_the_site_understands(small):
    text = "\n\n".join(cells(small, "markdown"))
    assert "See (1.1) and the other page." in text
    assert "$$\nd := x + x\n\\tag{1.1}\n$$" in text
    assert "The sum is 3.50, or `(2,)` entries, two in all." in text
    assert "`nnfp/neuron.py`\n\n```python\ndef double(x):" in text and "--8<--" not in text
    assert "**Solution**" in text and "???" not in text
    assert "<!--" not in text and "\\eqref" not in text and "\\label" not in text
    assert "Download this chapter" not in text


def test_figures_travel_inside_the_notebook(small):
    page = small.page(small.docs / "neuron.md")
    cell = notebooks.notebook(small, page)["cells"][-1]
    assert cell["attachments"] == {"demo.curve.png": {"image/png": "cG5n"}}
    assert "".join(cell["source"]).endswith(
        "![A curve](attachment:demo.curve.png)\nThe slope is 2, see (1.1)."
    )


def test_links_lead_to_the_site_where_its_address_is_known(small):
    path = small.root / "mkdocs.yml"
    path.write_text(
        path.read_text()
        + "site_url: !ENV [SITE_URL_OF_THE_TEST, https://example.org/book/]\nrepo_url: https://example.org/r\n"
    )
    os.utime(path, (1, 1))
    text = "\n".join(cells(small, "markdown"))
    assert "[the other page](https://example.org/book/layer/#two-words)" in text
    assert "`pip install git+https://example.org/r`" in text


def test_an_address_of_this_machine_is_no_place_to_link_to(small):
    path = small.root / "mkdocs.yml"
    path.write_text(
        path.read_text() + 'site_url: !ENV [SITE_URL_OF_THE_TEST, "http://127.0.0.1:8000/"]\n'
    )
    os.utime(path, (1, 1))
    assert small.site_url == "" and "See (1.1) and the other page." in "".join(
        cells(small, "markdown")
    )


def test_writing_is_deterministic_and_touches_nothing_that_is_right(small):
    assert len(notebooks.write_all(small)) == 1
    path = small.docs / "notebooks/neuron.ipynb"
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert notebooks.write_all(small) == []
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    ids = [cell["id"] for cell in json.loads(before[0])["cells"]]
    assert len(set(ids)) == len(ids) and all(len(name) == 12 for name in ids)
    assert b"timestamp" not in before[0]


def test_a_notebook_without_its_page_is_removed_and_pages_without_code_get_none(small):
    notebooks.write_all(small)
    folder = small.docs / "notebooks"
    (folder / "old.ipynb").write_text("{}")
    notebooks.write_all(small)
    assert [path.name for path in folder.iterdir()] == ["neuron.ipynb"]


def test_two_pages_cannot_share_a_notebook(small):
    for home in ("a_b.md", "a/b.md"):
        (small.docs / home).parent.mkdir(exist_ok=True)
        (small.docs / home).write_text("# Page\n\n```python\nx = 1\n```\n")
    with pytest.raises(BookError, match=r"two pages would write a_b\.ipynb"):
        notebooks.write_all(small)


def test_faults_name_file_and_line(small, monkeypatch):
    monkeypatch.setattr(figures, "picture", lambda name: 1 / 0)
    with pytest.raises(BookError, match=r"docs/neuron.md:\d+: division by zero"):
        notebooks.write_all(small)


def test_prepare_names_missing_assets(small):
    path = small.root / "mkdocs.yml"
    path.write_text(
        path.read_text() + "extra_css: [assets/vendor/katex.css, https://x.org/a.css]\n"
    )
    os.utime(path, (1, 1))
    with pytest.raises(BookError, match=r"docs/ does not hold: assets/vendor/katex\.css"):
        list(prepare.prepare(small))


def test_plain_text_is_listed_in_llms_txt(small):
    assert notebooks.write_plain(small) == ["llms/neuron.txt", "llms/layer.txt", "llms.txt"]
    assert notebooks.write_plain(small) == []
    listed = (small.docs / "llms.txt").read_text()
    assert "- [Neuron](llms/neuron.txt): Twice a number. See (1.1) and the other page.\n" in listed
    text = (small.docs / "llms/neuron.txt").read_text()
    assert "*Figure: A curve.*\nThe slope is 2, see (1.1)." in text and "attachment" not in text
    assert "print(x + x)\nfor value" in text and "```text\n[2. 5.]\n1.0\n2.5\n```" in text


def execute(notebook, folder):
    """Run a notebook as a reader does; returns its outputs as text, one entry a code cell."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    document = nbformat.reads(json.dumps(notebook), as_version=4)
    nbformat.validate(document)
    nbclient.NotebookClient(
        document, timeout=120, resources={"metadata": {"path": str(folder)}}
    ).execute()
    return [
        "".join(o.get("text", "") for o in cell["outputs"] if o.get("name") == "stdout")
        for cell in document["cells"]
        if cell["cell_type"] == "code"
    ]


def recorded(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return ["".join("".join(o["text"]) for o in cell["outputs"]) for cell in code]


def test_running_a_notebook_gives_the_outputs_of_the_page(small, tmp_path):
    document = notebooks.notebook(small, small.page(small.docs / "neuron.md"))
    assert execute(document, tmp_path) == recorded(document)


REAL = Checker(Book())


@pytest.mark.slow
@pytest.mark.parametrize("home", [page.home for page in REAL.book.pages if notebooks.wanted(page)])
def test_every_notebook_runs_with_the_outputs_of_its_page(home, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(REAL.book.root))
    document = notebooks.notebook(REAL.book, REAL.book.page(REAL.book.docs / home))
    assert execute(document, tmp_path) == recorded(document)
