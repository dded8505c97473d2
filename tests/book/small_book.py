"""A two-page book in a scratch folder, right in every point, for planting errors."""

from pathlib import Path

from nnfp.book.pages import Checker
from nnfp.book.reading import Book

MODULE = '''"""One line, chapter docs/neuron.md."""

__all__ = ["double"]


# --8<-- [start:double]
def double(x):
    """Twice x.

    Equation: eq-double
    Shapes:   x (any) -> same
    Units:    those of x
    Errors:   none
    """
    return x + x
# --8<-- [end:double]
'''

NEURON = """# Neuron

Twice a number. See \\eqref{eq-double} and [the other page](layer.md#two-words).

$$
d := x + x
\\label{eq-double}
$$
<!-- double(x) -->

```python title="nnfp/neuron.py"
--8<-- "nnfp/neuron.py:double"
```

## A session

```python
import numpy as np

x = np.array([1.0, 2.5])
print(x + x)
#> [2. 5.]
for value in x:
    print(value)
#> 1.0
#> 2.5
```

The sum is 3.50<!-- x.sum() -->, or `(2,)`<!-- x.shape --> entries, two<!-- len(x) --> in all.

| what | value |
|---|---|
| mean | **1.75**<!-- x.mean() --> |
| small | $1.0 \\times 10^{-3}$<!-- x[0] / 1000 --> |
| about | 1.6<!-- x.mean() ±10% --> |

??? success "Solution"

    ```python
    print(int(x[0]))
    #> 1
    ```
"""

LAYER = """# Layer

## Two words

Back to [the neuron](neuron.md) with \\eqref{eq-double} and `\\eqref{eq-none}`.
"""


def make(root: Path, **changes: str) -> Checker:
    """The book under root; changes replace whole files: neuron=..., layer=..., module=..."""
    files = {
        "docs/neuron.md": changes.get("neuron", NEURON),
        "docs/layer.md": changes.get("layer", LAYER),
        "nnfp/__init__.py": "",
        "nnfp/neuron.py": changes.get("module", MODULE),
        "tests/test_neuron.py": "",
        "mkdocs.yml": "site_name: x\nnav:\n  - Neuron: neuron.md\n  - More:\n      - layer.md\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Checker(Book(root))


def line_of(text: str, part: str) -> int:
    """The line of the first place where part stands."""
    return text[: text.index(part)].count("\n") + 1
