"""Shape comments are compared with the arrays, wherever the line stands."""

import pytest
from small_book import line_of, make

PAGE = """# Page

```python
import numpy as np

B = 5
W = np.ones((3, 4))  # (3, 4)
X = np.ones((4, B))  # (n, B), one sample a column
Z = W @ X  # (m, B)
W, X = W, X  # (m, n), (n, B)
def layer(W, X):
    Z = W @ X  # (m, B)
    return Z + 1  # (m, B)
for size in [2, 3]:
    layer(np.ones((size, 7)), np.ones((7, size + 1)))
Z += 1  # (3, 5)
v = np.zeros(3)  # (3,)
n = 2  # (see above, or below)
```
"""


def failures(tmp_path, text):
    checker = make(tmp_path, layer=text)
    return checker.check(checker.book.page(tmp_path / "docs/layer.md"), ["fences"])


def test_true_shapes_pass_and_are_counted(tmp_path):
    report = failures(tmp_path, PAGE)
    assert report.failures == [] and report.counts["shapes"] == 8


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# (3, 4)", "# (4, 3)", "the comment says (4, 3), the array has shape (3, 4)"),
        ("# (n, B), one", "# (B, n), one", "the comment says (B, n), the array has shape (4, 5) (B is 5)"),
        ("X  # (m, B)\nW", "X  # (m, n)\nW", "the comment says (m, n), the array has shape (3, 5) (n is 4)"),
        ("(m, n), (n, B)", "(m, n)", "the comment says (m, n), the value has no shape (tuple)"),
        ("(m, n), (n, B)", "(m, n), (m, B)", "the comment says (m, B), the array has shape (4, 5) (m is 3)"),
        ("# (3, 5)", "# (3, 6)", "the comment says (3, 6), the array has shape (3, 5)"),
        ("# (3,)", "# (3, 1)", "the comment says (3, 1), the array has shape (3,)"),
        ("n = 2  # (see above, or below)", "n = 2  # (2, 2)",
         "the comment says (2, 2), the value has no shape (int)"),
        ("import numpy as np", "import numpy as np  # (2, 2)",
         "the shape in this comment belongs to no assignment or return that runs"),
    ],
)  # fmt: skip
def test_a_false_shape_is_reported_on_its_line(tmp_path, old, new, message):
    assert PAGE.count(old) == 1
    text = PAGE.replace(old, new)
    found = failures(tmp_path, text).failures
    assert [(f.kind, f.message) for f in found] == [("shape", message)]
    assert found[0].line == line_of(text, new.split("\n")[0])


def test_a_false_shape_inside_a_function_is_seen_when_it_runs(tmp_path):
    text = PAGE.replace("return Z + 1  # (m, B)", "return Z + 1  # (3, B)")
    (found,) = failures(tmp_path, text).failures
    assert found.message == "the comment says (3, B), the array has shape (2, 3)"
    assert found.line == line_of(text, "return Z + 1")
