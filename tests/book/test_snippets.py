"""What a copy holds: the statements that its fence needs, and no others."""

import pytest
from small_book import MODULE, make

from nnfp.book import snippets


def copied(tmp_path, *fences, **changes):
    """The lines that the copy of the last fence adds."""
    text = "# Layer\n\n" + "\n".join(f"```python\n{body}\n```\n" for body in fences)
    checker = make(tmp_path, layer=text, **changes)
    page = checker.book.page(tmp_path / "docs/layer.md")
    copy = snippets.of_page(page).get(page.fences[-1].line)
    if copy is None:
        return []
    lines = copy.text.split("\n")
    assert "\n".join(lines[copy.added :]).strip("\n") == fences[-1]
    assert not snippets.undefined(copy.text)
    return [line for line in lines[: copy.added] if line]


@pytest.mark.parametrize(
    ("fences", "added"),
    [
        (["x = 1", "print(2)"], []),
        (["x = 1\ny = 2\nprint(y)\n#> 2", "print(x)"], ["x = 1"]),
        (["x = 1\nx = 2", "print(x)"], ["x = 2"]),
        (["x = 1\nx += 2", "print(x)"], ["x = 1", "x += 2"]),
        (["import numpy as np\nimport re", "print(np.pi)"], ["import numpy as np"]),
        (["from math import pi, tau, e", "print(tau)"], ["from math import tau"]),
        (["d = {}\nd['a'] = 1\nf = {}\nf['a'] = 2", "print(d)"], ["d = {}", "d['a'] = 1"]),
        (["a = []\na.append(1)\nprint(a)\n#> [1]", "print(a)"], ["a = []", "a.append(1)"]),
        (["rng = make()\nfirst = rng.normal()\nrest = 3", "print(rng.normal())"],
         ["rng = make()", "first = rng.normal()"]),
        (["rng = make()\nfirst = draw(rng)\nprint(1)", "print(rng.normal())"], ["rng = make()", "first = draw(rng)"]),
        (["x = 1\ndef f():\n    return x + y\ny = 2", "print(f())"], ["x = 1", "def f():", "    return x + y", "y = 2"]),
        (["x = 1\ndef f(x):\n    y = x\n    return y\ny = 2", "print(f(3))"], ["def f(x):", "    y = x", "    return y"]),
        (["if 1:\n    x = 1\nelse:\n    x = 2", "print(x)"], ["if 1:", "    x = 1", "else:", "    x = 2"]),
        (["x = 0\nfor i in range(3):\n    x = x + i", "print(x)"], ["x = 0", "for i in range(3):", "    x = x + i"]),
        (["x = [1]", "print([x for x in range(3)])"], []),
        (["x = 3", "print([i for i in range(x)])"], ["x = 3"]),
        (["x = 3", "print(lambda x: x)"], []),
        (["a, b = 1, 2; c = 3", "print(b)"], ["a, b = 1, 2; c = 3"]),
        (["@f\ndef g():\n    pass", "g()"], ["@f", "def g():", "    pass"]),
        (["import numpy as np\nnp.set_printoptions(precision=2)", "print(np.pi)"],
         ["import numpy as np", "np.set_printoptions(precision=2)"]),
        (["import numpy as np\nx = 1\nnp.testing.assert_equal(x, 1)", "print(x)"], ["x = 1"]),
    ],
)  # fmt: skip
def test_a_copy_adds_what_its_fence_needs(tmp_path, fences, added):
    known = "def make(): ...\ndef draw(rng): ...\ndef f(g): return g"
    found = [line for line in copied(tmp_path, known, *fences) if line not in known.split("\n")]
    assert found == added


SECTIONS = MODULE.replace(
    '__all__ = ["double"]',
    'import math\nimport re\n\nfrom math import pi, tau\n\n__all__ = ["double", "triple"]\n\nFACTOR = pi',
).replace(
    "    return x + x\n# --8<-- [end:double]\n",
    "    return _twice(x) * FACTOR\n# --8<-- [end:double]\n\n\ndef _twice(x):\n    return 2 * x if triple else 0\n\n\n"
    "def triple(x):\n    return 3 * x\n",
)


def test_a_section_is_copied_with_imports_and_private_helpers(tmp_path):
    make(tmp_path, module=SECTIONS)
    copy = snippets.of_section(tmp_path / "nnfp/neuron.py", "double")
    lines = [line for line in copy.text.split("\n") if line]
    assert lines[:4] == ["from math import pi", "from nnfp.neuron import triple", "FACTOR = pi", "def double(x):"]
    assert lines[-2:] == ["def _twice(x):", "    return 2 * x if triple else 0"]
    assert not snippets.undefined(copy.text)


def test_a_part_of_a_class_is_copied_as_the_whole_class(tmp_path):
    module = MODULE.replace(
        "# --8<-- [start:double]\ndef",
        "class C:\n# --8<-- [start:double]\n    def a(self):\n        return 1\n# --8<-- [end:double]\n\n    b = 2\n\n\ndef",
    ).replace("    return x + x\n# --8<-- [end:double]", "    return x + x")
    make(tmp_path, module=module)
    copy = snippets.of_section(tmp_path / "nnfp/neuron.py", "double")
    assert copy.text.split("\n")[0] == "class C:" and "    b = 2" in copy.text
    assert "--8<--" not in copy.text and "def double" not in copy.text


def test_commands_are_copied_without_prompt_and_output(tmp_path):
    page = "# Layer\n\n```console\n$ make test\n12 passed\n$ make site\n```\n\n```text\na -> b\n```\n"
    checker = make(tmp_path, layer=page)
    page = checker.book.page(tmp_path / "docs/layer.md")
    console, text = (snippets.copies(checker.book, page)[fence.line] for fence in page.fences)
    assert console.text == "make test\nmake site\n" and text is None
