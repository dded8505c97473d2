"""The vector instructions that NumPy chooses at run time on this machine, for NPY_DISABLE_CPU_FEATURES."""

from numpy._core import _multiarray_umath as core

print(" ".join(name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)))
