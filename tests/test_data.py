"""Promises of chapter docs/data.md."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfp.data import (
    CAR_FEATURES,
    Scale,
    load_cars,
    measure_scale,
    one_hot,
    split,
    standardise,
    unstandardise,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_there_are_392_complete_cars_in_columns():
    cars = load_cars()
    assert cars.X.shape == (6, 392) and cars.Y.shape == (1, 392)
    assert cars.features == tuple(CAR_FEATURES)
    assert len(cars.names) == len(cars.origin) == 392
    assert cars.X.dtype == cars.Y.dtype == np.float64
    assert np.isfinite(cars.X).all() and np.isfinite(cars.Y).all()


def test_a_known_car_stands_in_the_right_rows():
    cars = load_cars()
    np.testing.assert_array_equal(cars.X[:, 0], [8, 307, 130, 3504, 12, 1970])
    assert cars.names[0] == "chevrolet chevelle malibu" and cars.origin[0] == "USA"


def test_the_units_are_plausible():
    cars = load_cars()
    ranges = dict(zip(cars.features, zip(cars.X.min(axis=1), cars.X.max(axis=1))))
    assert ranges["horsepower"] == (46, 230)
    assert ranges["weight"] == (1613, 5140)
    assert ranges["year"] == (1970, 1982)
    assert (cars.Y.min(), cars.Y.max()) == (9, 46.6)


def test_features_come_in_the_order_asked_for():
    cars, some = load_cars(), load_cars(["weight", "horsepower"])
    np.testing.assert_array_equal(some.X, cars.X[[3, 2]])
    np.testing.assert_array_equal(load_cars("weight").X, cars.X[[3]])


@pytest.mark.parametrize("features", [["colour"], []])
def test_an_unknown_feature_is_named_with_those_that_exist(features):
    with pytest.raises(ValueError, match="some of cylinders, displacement, horsepower"):
        load_cars(features)


def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install vega_datasets"):
        load_cars()


def test_reading_the_cars_imports_neither_pandas_nor_vega_datasets():
    code = (
        "import sys; from nnfp.data import load_cars; load_cars(); "
        "sys.exit(sorted({'pandas', 'vega_datasets'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@given(B=st.integers(2, 40), fraction=st.floats(0.05, 0.95), seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_a_split_deals_every_sample_to_one_side_and_keeps_pairs(B, fraction, seed):
    X = np.vstack([np.arange(B), np.arange(B) + 0.5])
    if not 0 < round(fraction * B) < B:
        with pytest.raises(ValueError, match="samples on both sides"):
            split(X, 3 * X[:1], fraction, rng(seed))
        return
    (X_1, Y_1), (X_2, Y_2) = split(X, 3 * X[:1], fraction, rng(seed))
    assert X_1.shape[1] == round(fraction * B)
    assert sorted([*X_1[0], *X_2[0]]) == list(range(B))
    np.testing.assert_array_equal(Y_1, 3 * X_1[:1])
    np.testing.assert_array_equal(Y_2, 3 * X_2[:1])


def test_a_split_is_decided_by_the_generator_alone():
    X = np.arange(20.0).reshape(1, 20)
    same, again = split(X, X, 0.5, rng(3)), split(X, X, 0.5, rng(3))
    other = split(X, X, 0.5, rng(4))
    np.testing.assert_array_equal(same[0][0], again[0][0])
    assert (same[0][0] != other[0][0]).any()


@pytest.mark.parametrize("fraction", [0, 1, -0.2, 1.5, 0.01, float("nan"), "0.8", None])
def test_a_split_that_leaves_a_side_empty_is_refused(fraction):
    X = np.arange(5.0).reshape(1, 5)
    with pytest.raises(ValueError, match="fraction must leave samples on both sides"):
        split(X, X, fraction, rng())


def test_split_refuses_pairs_that_do_not_match():
    X = np.ones((2, 5))
    with pytest.raises(ValueError, match="X has 5 columns, Y has 4"):
        split(X, np.ones((1, 4)), 0.5, rng())
    with pytest.raises(ValueError, match="rng must be a numpy Generator, got int"):
        split(X, np.ones((1, 5)), 0.5, 42)
    with pytest.raises(ValueError, match="Y must be finite, got nan at row 0, column 1"):
        split(np.ones((1, 2)), np.array([[1.0, np.nan]]), 0.5, rng())
    with pytest.raises(ValueError, match="X is float64, Y is float32"):
        split(X, np.ones((1, 5), np.float32), 0.5, rng())
    with pytest.raises(ValueError, match=r"Y must be 2-D .* got shape \(5,\)"):
        split(X, np.ones(5), 0.5, rng())


def test_the_scale_is_mean_and_deviation_by_two_loops():
    X = 5 + 3 * rng().standard_normal((3, 7))
    scale = measure_scale(X)
    for i in range(3):
        mean = sum(X[i, k] for k in range(7)) / 7
        deviation = (sum((X[i, k] - mean) ** 2 for k in range(7)) / 7) ** 0.5
        np.testing.assert_allclose(scale.mean[i, 0], mean, rtol=1e-14)
        np.testing.assert_allclose(scale.deviation[i, 0], deviation, rtol=1e-14)


@given(n=st.integers(1, 4), B=st.integers(2, 9), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_standardised_rows_have_mean_zero_and_deviation_one_and_come_back(n, B, seed):
    X = 1000 + 50 * rng(seed).standard_normal((n, B))
    scale = measure_scale(X)
    Z = standardise(X, scale)
    np.testing.assert_allclose(Z.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(Z.std(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(unstandardise(Z, scale), X, rtol=1e-14)


def test_held_out_samples_do_not_move_the_scale():
    X = rng().standard_normal((2, 12))
    scale = measure_scale(X[:, :8])
    changed = X.copy()
    changed[:, 8:] = 1e6
    np.testing.assert_array_equal(
        standardise(X, scale)[:, :8], standardise(changed, measure_scale(changed[:, :8]))[:, :8]
    )


def test_a_constant_row_is_refused_even_if_rounding_gives_it_a_deviation():
    X = np.vstack([np.arange(7.0), np.full(7, 0.1)])
    with pytest.raises(ValueError, match=r"row 1 of X is 0\.1 in every sample"):
        measure_scale(X)


def test_one_sample_alone_has_no_deviation():
    with pytest.raises(ValueError, match=r"^row 0 of X is 3\.5 in every sample"):
        measure_scale(np.array([[3.5], [2.0]]))


def test_the_scale_must_have_been_measured_on_the_same_rows():
    scale = measure_scale(rng().standard_normal((3, 5)))
    for function in (standardise, unstandardise):
        with pytest.raises(ValueError, match=r"^X must have shape \(3, any\), got \(2, 5\)"):
            function(np.ones((2, 5)), scale)
        with pytest.raises(ValueError, match="scale must be a Scale, got tuple"):
            function(np.ones((3, 5)), (0, 1))
        with pytest.raises(ValueError, match=r"X is float32, scale\.mean is float64"):
            function(np.ones((3, 5), np.float32), scale)


def test_a_scale_is_two_columns_of_one_dtype_with_a_deviation_above_zero():
    A, one = np.array([[1.0, 2.0], [3.0, 5.0]]), np.ones((2, 1))
    for mean, deviation, text in [
        (A.mean(1), A.std(1), r"scale\.mean must be 2-D .* got shape \(2,\)"),
        (one.T, one.T, r"scale\.mean must have shape \(any, 1\), got \(1, 2\)"),
        (one, A.std(1), r"scale\.deviation must be 2-D .* got shape \(2,\)"),
        (one, one[:1], r"scale\.deviation must have shape \(2, 1\), got \(1, 1\)"),
        (one, one.astype(np.float32), r"X is float64, scale\.deviation is float32"),
        (one, np.nan * one, r"scale\.deviation must be finite"),
        (np.inf * one, one, r"scale\.mean must be finite"),
        (one, np.array([[1.0], [0.0]]), r"scale\.deviation must be greater than 0, got 0\.0; see measure_scale$"),
        (one, -one, r"scale\.deviation must be greater than 0, got -1\.0"),
    ]:
        for function in (standardise, unstandardise):
            with pytest.raises(ValueError, match="^" + text):
                function(A, Scale(mean, deviation))


@pytest.mark.parametrize(
    ("row", "dtype", "deviation"),
    [([1e-30, 2e-30], np.float32, "0.0 in float32"), ([1e200, -1e200], float, "inf in float64"), ([1.7e308, 1.6e308], float, "inf in float64")],
)
def test_a_deviation_that_the_dtype_cannot_hold_is_refused(row, dtype, deviation):
    with pytest.raises(ValueError, match=f"^row 1 of X has a deviation of {deviation}: .*; measure it in another unit$"):
        measure_scale(np.array([[0, 1], row], dtype))


def test_float32_stays_float32_and_inputs_stay_untouched():
    X = rng().standard_normal((2, 9)).astype(np.float32)
    before = X.copy()
    scale = measure_scale(X)
    Z = standardise(X, scale)
    (X_1, _), _ = split(X, X, 0.5, rng())
    assert {scale.mean.dtype, scale.deviation.dtype, Z.dtype, X_1.dtype} == {np.dtype(np.float32)}
    X_1[:] = 0
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_scale_is_not_measured_on_what_is_not_finite(bad):
    with pytest.raises(ValueError, match=r"^X must be finite"):
        measure_scale(np.array([[1.0, bad]]))
    assert np.isnan(standardise(np.array([[np.nan]]), Scale(np.zeros((1, 1)), np.ones((1, 1)))))


def test_one_hot_has_one_one_in_every_column_at_the_label():
    cars = load_cars()
    categories = ["Europe", "Japan", "USA"]
    H = one_hot(cars.origin, categories)
    assert H.shape == (3, 392)
    np.testing.assert_array_equal(H.sum(axis=0), 1)
    assert [categories[i] for i in H.argmax(axis=0)] == list(cars.origin)
    np.testing.assert_array_equal(H.sum(axis=1), [68, 79, 245])


def test_one_hot_refuses_labels_and_categories_that_do_not_fit():
    with pytest.raises(ValueError, match=r"some of \['a', 'b'\], got 'c'"):
        one_hot(["a", "c"], ["a", "b"])
    with pytest.raises(ValueError, match="no label at all"):
        one_hot([], ["a", "b"])
    with pytest.raises(ValueError, match="differ from one another"):
        one_hot(["a"], ["a", "a"])
    with pytest.raises(ValueError, match=r"^labels must be some of \[nan, 1\], got nan$"):
        one_hot([1, np.nan], [np.nan, 1])
    with pytest.raises(ValueError, match=r"^labels must be a list, one label a sample, got 'USA'$"):
        one_hot("USA", ["USA"])
    with pytest.raises(ValueError, match=r"^labels must be a list, one label a sample, got array\(\[\[1, 2\]\]\)$"):
        one_hot(np.array([[1, 2]]), [1, 2])


def test_a_split_names_the_argument_at_fault_and_the_fix():
    X, Y = np.ones((2, 5)), np.ones((1, 5))
    with pytest.raises(ValueError, match=r"^X must be finite, got inf at row 1, column 3"):
        split(np.where(np.arange(10).reshape(2, 5) == 8, np.inf, X), Y, 0.2, np.random.default_rng(0))
    for seed in (7, None):
        with pytest.raises(ValueError, match=r"^rng must be a numpy Generator, got \w+; write rng=np\.random\.default_rng\(42\)$"):
            split(X, Y, 0.2, seed)
