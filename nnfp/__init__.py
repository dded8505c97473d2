"""nnfp: a neural network from first principles, in NumPy.

Each module is one idea and has one chapter of the book with the same name.
"""

# TEMPORARY while the modules are being written: becomes an explicit list.
import importlib as _importlib
import pathlib as _pathlib

_here = _pathlib.Path(__file__).parent
for _stem in (
    "notation neuron layer activations forward_pass losses descent calculus "
    "backpropagation gradient_check data training network"
).split():
    if (_here / f"{_stem}.py").exists():
        _module = _importlib.import_module(f"nnfp.{_stem}")
        globals().update({_name: getattr(_module, _name) for _name in _module.__all__})
