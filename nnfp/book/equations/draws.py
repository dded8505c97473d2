"""One random draw: a size for every size, a value for every free symbol of the table.

Each symbol has a stream of its own, so that a change to one equation moves no other number.
"""

import zlib

import numpy as np

from nnfp.book.equations.notation import Declaration, Space, Table

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)
CORNERS = (-1.0, 0.0, 1.0, 0.5, -0.5, 2.0, -2.0, 0.25)


class Draw:
    """`single` is a draw with a batch of one, `corner` one with round numbers for scalars.

    With `equal`, all sizes that the table leaves free are that number; with a 1 it is a single draw as well.
    """

    def __init__(self, table: Table, seed: int, corner: bool = False, single: bool = False, equal: int = 0):
        self.table, self.seed, self.corner, self.single = table, seed, corner, single or equal == 1
        self.sizes: dict[str, int] = {}
        names = [d.name for d in table.values() if d.kind == "size" and d.fixed is None]
        order = np.random.default_rng(seed).permutation(PRIMES[: max(4, len(names))])
        for name, size in zip(names, order):
            self.sizes[name] = equal or (1 if single and _counts_samples(table[name, None]) else int(size))
        for d in table.values():
            if d.kind == "size" and d.fixed is not None:
                self.sizes[d.name] = d.fixed

    def stream(self, *key) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(repr(key).encode())])

    def value(self, d: Declaration, member: int | None, shape: tuple[int, ...]):
        """A random value of a declared symbol; a column has shape (n, 1)."""
        rng = self.stream(d.name, member)
        if len(shape) == 1:
            shape += (1,)
        if d.says("ones"):
            return np.ones(shape) if shape else 1.0
        if d.says("distribution"):
            weights = rng.uniform(0.1, 1, shape)
            return weights / weights.sum(axis=0)
        found = self.sample(rng, d.space, shape, d.says("positive"))
        return found if shape else float(found)

    def sample(self, rng, space: Space, shape: tuple[int, ...], positive: bool = False):
        low, high = space.interval or (-np.inf, np.inf)
        low = max(low, 0.0) if positive else low
        if space.choices:
            return rng.choice(space.choices, shape)
        if self.corner and shape and self.seed % 2 and not space.interval:
            return rng.integers(-1, 2, shape).astype(float)
        if self.corner and not shape:
            below = np.less_equal if space.closed[0] else np.less
            above = np.less_equal if space.closed[1] else np.less
            grid = np.arange(low, high + 0.1, 0.25) if np.isfinite([low, high]).all() else CORNERS
            fits = [x for x in grid if below(low, x) and above(x, high)]
            if fits:
                return rng.choice(fits)
        if np.isfinite(low) and np.isfinite(high):
            return rng.uniform(low, high, shape)
        if np.isfinite(low):
            return low + rng.uniform(0.3, 2.5, shape)
        if np.isfinite(high):
            return high - rng.uniform(0.3, 2.5, shape)
        return rng.standard_normal(shape)


def _counts_samples(d: Declaration) -> bool:
    return d.name == "B"
