"""Third witnesses are read from the markers of the tests."""

from nnfp.book.equations import check_page
from nnfp.book.reading import Book
from nnfp.book.third import Witness, witnesses

LABELS = {label for page in Book().pages for display in page.displays for label in display.labels}


def test_every_marker_names_an_equation_of_the_book_and_a_library():
    found = witnesses()
    assert len(found) > 100 and found.keys() <= LABELS, found.keys() - LABELS
    assert all(witness.library for tests in found.values() for witness in tests)
    test = "test_the_printed_activations_and_their_slopes_are_those_of_pytorch"
    assert Witness("tests/test_third_witness.py", test, "PyTorch") in found["eq-relu-prime"]


def test_every_slope_and_gradient_of_four_chapters_has_a_third_witness():
    pages = {page.home: page for page in Book().pages}
    homes = ("activations.md", "losses.md", "classification.md", "backpropagation.md")
    labels = {label for home in homes for display in pages[home].displays for label in display.labels}
    wanted = {label for label in labels if label.endswith(("-prime", "-gradient")) or label.startswith("eq-backprop-")}
    wanted -= {"eq-backprop-activation", "eq-backprop-two-layers"}  # tanh and two affine maps: nothing is derived
    wanted -= {"eq-backprop-count-forward", "eq-backprop-count-backward"}  # multiplications: counted
    assert len(wanted) > 30 and wanted <= witnesses().keys(), wanted - witnesses().keys()


def test_markers_of_a_small_tree(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_text(
        "import pytest\n"
        "@pytest.mark.equations('eq-a', 'eq-b')\ndef test_one(torch): pass\n"
        "@pytest.mark.equations('eq-b')\ndef test_two(): jax = pytest.importorskip('jax.numpy')\n"
    )
    one, two = Witness("tests/test_a.py", "test_one", "PyTorch"), Witness("tests/test_a.py", "test_two", "JAX")
    assert witnesses(tmp_path) == {"eq-a": [one], "eq-b": [one, two]}
    assert witnesses(tmp_path / "none") == {}


def test_the_reader_is_told():
    results = {result.id: result for result in check_page(Book().docs / "activations.md")}
    assert results["eq-relu-prime"].checked_by.endswith("; PyTorch, as a third witness")
    assert "third" not in results["eq-sigmoid-slope-bound"].checked_by
