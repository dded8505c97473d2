"""Where numbers come from and how they are made fit for a network, chapter docs/data.md.

A sample is a column. Whatever is measured on data (a mean, a deviation) is measured on the
training samples alone and then applied to all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from nnfp.notation import check_matrix, check_same_dtype

__all__ = [
    "CAR_FEATURES",
    "Cars",
    "Scale",
    "load_cars",
    "measure_scale",
    "one_hot",
    "split",
    "standardise",
    "unstandardise",
]

# name here: (name in the file, unit)
CAR_FEATURES = {
    "cylinders": ("Cylinders", "count"),
    "displacement": ("Displacement", "cubic inches"),
    "horsepower": ("Horsepower", "hp"),
    "weight": ("Weight_in_lbs", "lb"),
    "acceleration": ("Acceleration", "s from 0 to 60 mph"),
    "year": ("Year", "model year"),
}


# --8<-- [start:cars]
class Cars(NamedTuple):
    """Cars of the model years 1970 to 1982, one per column.

    Equation: none
    Shapes:   X (len(features), B), Y (1, B); features, names, origin: tuples of text
    Units:    X see CAR_FEATURES; Y miles per US gallon (mpg)
    Errors:   none

    >>> load_cars(["horsepower", "weight"]).features
    ('horsepower', 'weight')
    """

    X: ndarray
    Y: ndarray
    features: tuple[str, ...]
    names: tuple[str, ...]
    origin: tuple[str, ...]
# --8<-- [end:cars]


# --8<-- [start:load-cars]
def load_cars(features: Sequence[str] = tuple(CAR_FEATURES)) -> Cars:
    """Read the cars whose mileage and features are all known.

    Equation: none
    Shapes:   features: names -> X (len(features), 392), Y (1, 392)
    Units:    see Cars
    Errors:   ModuleNotFoundError without the package vega_datasets; ValueError for an
              unknown feature
    Source:   StatLib and UCI "Auto MPG", as shipped in vega_datasets

    >>> cars = load_cars()
    >>> cars.X.shape, cars.Y.shape, cars.names[0], cars.Y[0, 0]
    ((6, 392), (1, 392), 'chevrolet chevelle malibu', np.float64(18.0))
    """
    features = (features,) if isinstance(features, str) else tuple(features)
    unknown = [name for name in features if name not in CAR_FEATURES]
    if unknown or not features:
        raise ValueError(f"features must be some of {', '.join(CAR_FEATURES)}, got {features}")
    import json  # here, because `import nnfp` should not wait for what few need
    from importlib.util import find_spec
    from pathlib import Path

    package = find_spec("vega_datasets")  # found, not imported: importing it needs pandas
    if package is None:
        raise ModuleNotFoundError("load_cars reads a file of vega_datasets: pip install vega_datasets")
    path = Path(package.origin).parent / "_data" / "cars.json"
    keys = [key for key, _ in CAR_FEATURES.values()]
    rows = json.loads(path.read_bytes())
    rows = [row | {"Year": int(row["Year"][:4])} for row in rows]
    rows = [row for row in rows if None not in [row[key] for key in ("Miles_per_Gallon", *keys)]]
    return Cars(
        X=np.array([[row[CAR_FEATURES[name][0]] for row in rows] for name in features], dtype=float),
        Y=np.array([[row["Miles_per_Gallon"] for row in rows]], dtype=float),
        features=features,
        names=tuple(row["Name"] for row in rows),
        origin=tuple(row["Origin"] for row in rows),
    )
# --8<-- [end:load-cars]


# --8<-- [start:split]
def split(
    X: ndarray, Y: ndarray, fraction: float, rng: np.random.Generator
) -> tuple[tuple[ndarray, ndarray], tuple[ndarray, ndarray]]:
    """Deal the samples at random into a first part and the rest.

    Equation: none
    Shapes:   X (n[0], B), Y (n[L], B) -> (X, Y) with round(fraction B) columns,
              (X, Y) with the others
    Units:    kept
    Errors:   ValueError if X and Y differ in columns, if a part would be empty, for a fraction
              that is no number, or for a seed in place of rng

    >>> X = np.arange(10.0).reshape(1, 10)
    >>> train, test = split(X, 2 * X, 0.8, np.random.default_rng(0))
    >>> train[0].shape, test[0].shape, bool((train[1] == 2 * train[0]).all())
    ((1, 8), (1, 2), True)
    """
    check_samples(X, Y)
    check_rng(rng)
    B = X.shape[1]
    number = isinstance(fraction, (int, float, np.integer, np.floating))
    first = round(fraction * B) if number and 0 < fraction < 1 else 0
    if not 0 < first < B:
        raise ValueError(
            f"fraction must leave samples on both sides, got {fraction!r} of {B} samples; "
            "0.8 keeps 80 % for the first part"
        )
    order = rng.permutation(B)
    return (X[:, order[:first]], Y[:, order[:first]]), (X[:, order[first:]], Y[:, order[first:]])
# --8<-- [end:split]


# --8<-- [start:scale]
class Scale(NamedTuple):
    """The mean and the standard deviation of every row.

    Equation: eq-data-mean, eq-data-deviation
    Shapes:   mean (n, 1), deviation (n, 1)
    Units:    those of the rows
    Errors:   none

    >>> Scale(mean=np.zeros((2, 1)), deviation=np.ones((2, 1))).mean.shape
    (2, 1)
    """

    mean: ndarray
    deviation: ndarray


def measure_scale(X: ndarray) -> Scale:
    """Measure the mean and the deviation of every row: on training data only.

    Equation: eq-data-mean, eq-data-deviation
    Shapes:   X (n, B) -> mean (n, 1), deviation (n, 1)
    Units:    those of X
    Errors:   ValueError for NaN, infinity, a row that is constant, or a deviation that the
              dtype cannot hold

    >>> measure_scale(np.array([[1.0, 3.0], [10.0, 30.0]])).deviation.T
    array([[ 1., 10.]])
    """
    check_matrix("X", X, finite=True)
    with np.errstate(over="ignore", invalid="ignore"):  # the error below says more than a warning
        mean = X.mean(axis=1, keepdims=True)
        deviation = np.sqrt(((X - mean) ** 2).mean(axis=1, keepdims=True))
    for i in range(X.shape[0]):
        if X[i].min() == X[i].max():
            raise ValueError(
                f"row {i} of X is {X[i, 0]} in every sample: it has no deviation to divide by "
                "and tells the network nothing; leave it out"
            )
        if not 0 < deviation[i, 0] < np.inf:
            raise ValueError(
                f"row {i} of X has a deviation of {deviation[i, 0]} in {X.dtype}: the squares of its "
                "numbers leave the range; measure it in another unit"
            )
    return Scale(mean, deviation)
# --8<-- [end:scale]


# --8<-- [start:standardise]
def standardise(X: ndarray, scale: Scale) -> ndarray:
    """Count every row in deviations from its mean.

    Equation: eq-data-standardise
    Shapes:   X (n, B), scale (n, 1) twice -> (n, B)
    Units:    X those of the scale -> none
    Errors:   ValueError if the scale was measured on another number of rows, is not a pair of
              columns, or has a deviation that is not above 0

    >>> X = np.array([[1.0, 3.0], [10.0, 30.0]])
    >>> standardise(X, measure_scale(X))
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    check_scale(X, scale)
    return (X - scale.mean) / scale.deviation


def unstandardise(X: ndarray, scale: Scale) -> ndarray:
    """Undo standardise: back to the units of the scale.

    Equation: eq-data-unstandardise
    Shapes:   X (n, B), scale (n, 1) twice -> (n, B)
    Units:    none -> those of the scale
    Errors:   as standardise

    >>> unstandardise(np.array([[-1.0, 0.0]]), Scale(np.array([[2.0]]), np.array([[0.5]])))
    array([[1.5, 2. ]])
    """
    check_scale(X, scale)
    return scale.mean + scale.deviation * X
# --8<-- [end:standardise]


# --8<-- [start:one-hot]
def one_hot(labels: Sequence[str], categories: Sequence[str]) -> ndarray:
    """Give every category a row: 1 where the sample has that label, 0 elsewhere.

    Equation: eq-data-one-hot
    Shapes:   B labels, K categories -> (K, B)
    Units:    none
    Errors:   ValueError if labels is not a list, for a label that is no category (a NaN never is),
              a category given twice

    >>> one_hot(["USA", "Japan", "USA"], ["Japan", "USA"])
    array([[0., 1., 0.],
           [1., 0., 1.]])
    """
    if isinstance(labels, str) or np.ndim(labels) > 1:
        raise ValueError(f"labels must be a list, one label a sample, got {labels!r:.60}")
    labels, categories = list(labels), list(categories)
    if len(set(categories)) < len(categories):
        raise ValueError(f"categories must differ from one another, got {categories}")
    H = np.array([[float(label == category) for label in labels] for category in categories])
    if not labels or not H.any(axis=0).all():  # a NaN equals nothing, not even itself
        unknown = labels[H.any(axis=0).argmin()] if labels else "no label at all"
        raise ValueError(f"labels must be some of {categories}, got {unknown!r}")
    return H
# --8<-- [end:one-hot]


def check_samples(X: ndarray, Y: ndarray) -> None:
    """Refuse inputs and targets that are not the same number of finite columns."""
    check_matrix("X", X, finite=True)
    check_matrix("Y", Y, finite=True)
    if X.shape[1] != Y.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} columns, Y has {Y.shape[1]}: one column a sample in both"
        )
    check_same_dtype(X=X, Y=Y)


def check_rng(rng: np.random.Generator) -> None:
    """Refuse a seed, or nothing, in place of a generator."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng must be a numpy Generator, got {type(rng).__name__}; "
            "write rng=np.random.default_rng(42)"
        )


def check_scale(X: ndarray, scale: Scale) -> None:
    """Refuse a scale that was measured on other rows."""
    if not isinstance(scale, Scale):
        raise ValueError(f"scale must be a Scale, got {type(scale).__name__}; see measure_scale")
    check_matrix("scale.mean", scale.mean, columns=1, finite=True)
    check_matrix("scale.deviation", scale.deviation, len(scale.mean), 1, finite=True)
    check_matrix("X", X, rows=len(scale.mean))
    check_same_dtype(**{"X": X, "scale.mean": scale.mean, "scale.deviation": scale.deviation})
    if not (scale.deviation > 0).all():
        raise ValueError(
            f"scale.deviation must be greater than 0, got {scale.deviation.min()}; see measure_scale"
        )
