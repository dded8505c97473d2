"""Stubs of a new chapter. They already pass every check, so an author starts from green."""

import re
import sys
from pathlib import Path

from nnfp.book.sources import ROOT

PAGE = r"""# {title}

Say in one or two sentences what the reader will be able to do.

[Download this chapter as a notebook](notebooks/{stem}.ipynb){{ .notebook }}

## By hand

Work the smallest example with numbers that fit in the head: 2 · 3 = 6<!-- {name}(np.array([[3.0]])) -->.

## Notation

| Symbol | Domain | Meaning |
|---|---|---|
| $n$ | $\mathbb{{N}}$ | number of entries |
| $x$ | $\mathbb{{R}}^n$ | input |
| $y$ | $\mathbb{{R}}^n$ | output |

## In general

$$
y := 2 x
\label{{eq-{dashed}}}
$$
<!-- {name}(x) -->

```python title="nnfp/{stem}.py"
--8<-- "nnfp/{stem}.py:{dashed}"
```

```python
import numpy as np
from nnfp.{stem} import {name}

x = np.array([[1.0], [-2.0]])
print({name}(x))
#> [[ 2.]
#>  [-4.]]
```

![A straight line through the origin that rises 2 for each step to the right](figure:{stem}.line)
The slope is 2<!-- slope --> everywhere.

## Exercises

### Exercise: by hand

Double the column (4, 5)<!-- tuple(by_hand[:, 0] / 2) -->.

```answer
ask: The second entry
kind: number
right: 10 <!-- by_hand[1, 0] -->
wrong: 25 -> That is the square.
```

??? success "Solution"

    The entries become 8<!-- by_hand[0, 0] --> and 10<!-- by_hand[1, 0] -->.

    ```python
    by_hand = {name}(np.array([[4.0], [5.0]]))
    assert by_hand.tolist() == [[8.0], [10.0]]
    ```

## You can now

- say what \eqref{{eq-{dashed}}} means.

## Sources

- Name what this chapter follows, with links.
"""

MODULE = '''"""{title}, chapter docs/{stem}.md."""

from numpy import ndarray

from nnfp.notation import check_entries

__all__ = ["{name}"]


# --8<-- [start:{dashed}]
def {name}(x: ndarray) -> ndarray:
    """Twice the input.

    Equation: eq-{dashed}
    Shapes:   x (n, 1) -> (n, 1)
    Units:    those of x
    Errors:   ValueError for a list or integers

    >>> import numpy as np
    >>> {name}(np.array([[1.5]]))
    array([[3.]])
    """
    check_entries("x", x)
    return 2 * x
# --8<-- [end:{dashed}]
'''

TEST = '''"""Promises of chapter docs/{stem}.md."""

import numpy as np
import pytest

from nnfp.{stem} import {name}


def test_every_entry_is_doubled_and_the_input_is_untouched():
    x = np.array([[1.0], [-2.0]])
    before = x.copy()
    np.testing.assert_array_equal({name}(x), x + x)
    np.testing.assert_array_equal(x, before)


def test_a_list_is_refused():
    with pytest.raises(ValueError, match="x"):
        {name}([1.0])
'''

FIGURE = '''"""Figures of chapter docs/{stem}.md."""

import numpy as np

from nnfp.book.figures import figure
from nnfp.{stem} import {name}


@figure(width=4.8, height=3.0)
def line(fig, style):
    """The output against the input."""
    x = np.array([-1.0, 1.0])
    y = {name}(x)
    ax = fig.subplots()
    ax.plot(x, y, color=style.blue)
    ax.set_xlabel("x (no unit)")
    ax.set_ylabel("y (no unit)")
    return {{"slope": (y[1] - y[0]) / (x[1] - x[0])}}
'''

FILES = {
    "docs/{stem}.md": PAGE,
    "nnfp/{stem}.py": MODULE,
    "tests/test_{stem}.py": TEST,
    "nnfp/book/figures/{stem}.py": FIGURE,
}


def new_chapter(stem: str, title: str, root: Path = ROOT) -> list[Path]:
    """Write the four files of a chapter; refuses to touch one that exists."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", stem):
        raise ValueError(
            f"the stem must be a lower-case Python name such as weight_decay, got {stem!r}"
        )
    if not title.strip():
        raise ValueError("the title must not be empty")
    words = {
        "stem": stem,
        "title": title,
        "name": f"{stem}_example",
        "dashed": stem.replace("_", "-"),
    }
    texts = {root / path.format(**words): text.format(**words) for path, text in FILES.items()}
    if there := [str(path.relative_to(root)) for path in texts if path.exists()]:
        raise ValueError(f"{', '.join(there)} exists already; choose another stem")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print('use: python scripts/new_chapter.py STEM "Title of the chapter"', file=sys.stderr)
        return 2
    stem, title = arguments
    try:
        for path in new_chapter(stem, title):
            print(f"wrote {path.relative_to(ROOT)}")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"now: add {stem}.md to the nav of mkdocs.yml and the public names to nnfp/__init__.py,")
    print(f"then: python -m nnfp.book check docs/{stem}.md")
    return 0
