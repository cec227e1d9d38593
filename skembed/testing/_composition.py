"""Checks of an estimator as a part: of pipelines, unions, searches and routing."""

import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn import config_context
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import FeatureUnion, Pipeline

from skembed.testing._contract import (
    Estimator,
    contract,
    expect,
    expect_same,
    fitted,
    fresh,
    takes_sample_weight,
)
from skembed.testing._corpus import corpus
from skembed.testing._optional import installed
from skembed.testing._sample_weight import weighted


def _pipeline(estimator: Estimator, **options: Any) -> Pipeline:
    # Closed form: it neither draws random numbers nor fails to converge.
    steps = [("text", fresh(estimator)), ("classifier", RidgeClassifier())]
    return Pipeline(steps, **options)


@contract()
def check_pipeline(estimator: Estimator) -> None:
    """As the first step of a Pipeline it hands on the features that it has alone."""
    texts, y = list(corpus()[0]), corpus()[1]
    rows = fitted(estimator).transform(texts)
    pipeline = _pipeline(estimator).fit(texts, y)
    mend = "ignore y in transform; give fit_transform and fit the same result."
    happened = "a classifier behind it decides otherwise than on its features."
    alone = RidgeClassifier().fit(rows, y).decision_function(rows)
    expect_same(pipeline.decision_function(texts), alone, happened, mend)


@contract()
def check_pipeline_with_memory(estimator: Estimator) -> None:
    """``Pipeline(memory=)`` fits it once and finds it in the cache the second time."""
    texts, y = list(corpus()[0]), corpus()[1]
    mend = "make equal estimators pickle equally: let fit and clone add nothing hidden."
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        memory = joblib.Memory(folder, verbose=0)
        first = _pipeline(estimator, memory=memory).fit(texts, y)
        entries = set(Path(folder).rglob("output.pkl"))
        second = _pipeline(estimator, memory=memory).fit(texts, y)
        added = set(Path(folder).rglob("output.pkl")) - entries
        expect(not added, "an equal pipeline was fitted again.", mend)
        expected = fitted(estimator).transform(texts)
        for pipeline in (first, second):
            happened = "with memory, transform gives other features."
            expect_same(pipeline[:-1].transform(texts), expected, happened, mend)


@contract()
def check_feature_union(estimator: Estimator) -> None:
    """A FeatureUnion of two of them has the features of both side by side."""
    texts, y = list(corpus()[0]), corpus()[1]
    union = FeatureUnion([("a", fresh(estimator)), ("b", fresh(estimator))])
    rows = union.fit_transform(texts, y)
    alone = fitted(estimator).transform(texts)
    mend = "return a 2-D array; give get_feature_names_out."
    expect_same(rows, np.hstack([alone, alone]), "its features are others.", mend)
    names = union.get_feature_names_out()
    got = f"it has {rows.shape[1]} features and {len(set(names))} distinct names."
    expect(len(set(names)) == rows.shape[1], got, mend)


@contract()
def check_column_transformer(estimator: Estimator) -> None:
    """A ColumnTransformer may select its column by ``"text"`` and by ``["text"]``."""
    pandas = installed("pandas")
    texts, y = list(corpus()[0]), corpus()[1]
    frame = pandas.DataFrame({"length": range(len(texts)), "text": texts})
    frame.index = frame.index[::-1]
    expected = fitted(estimator).transform(texts)
    for columns in ("text", ["text"]):
        both = ColumnTransformer([("words", fresh(estimator), columns)])
        mend = "accept a Series, a one-column frame and an (n, 1) array as X."
        happened = f"the column {columns!r} gave other features than its list."
        expect_same(both.fit_transform(frame, y), expected, happened, mend)
        names = both.get_feature_names_out()
        got = f"the column {columns!r} gave {len(names)} names."
        expect(len(names) == expected.shape[1], got, mend)


@contract()
def check_grid_search_in_processes(estimator: Estimator) -> None:
    """``GridSearchCV(n_jobs=2)`` scores as ``n_jobs=1`` does, and refits the best."""
    texts, y = list(corpus()[0]), corpus()[1]
    scores = []
    for n_jobs in (1, 2):
        search = GridSearchCV(
            _pipeline(estimator),
            {"classifier__alpha": [0.1, 1.0]},
            cv=StratifiedKFold(2),
            n_jobs=n_jobs,
            error_score="raise",
        )
        search.fit(texts, y)
        scores.append(search.cv_results_["mean_test_score"])
        search.best_estimator_.predict(texts)
    mend = "draw from random_state alone; keep no state outside of self."
    happened = "scores in two processes and in one differ."
    expect_same(scores[1], scores[0], happened, mend)


@contract(takes_sample_weight)
def check_sample_weight_is_routed(estimator: Estimator) -> None:
    """With metadata routing, a Pipeline passes ``sample_weight`` on to its `fit`."""
    texts, y = list(corpus()[0]), corpus()[1]
    weight = np.where(y == "cooking", 0.1, 3.0)
    with config_context(enable_metadata_routing=True):
        routed = fresh(estimator).set_fit_request(sample_weight=True)
        final = RidgeClassifier().set_fit_request(sample_weight=False)
        pipeline = Pipeline([("text", routed), ("classifier", final)])
        pipeline.fit(texts, y, sample_weight=weight)
    expect_same(
        pipeline[0].transform(texts),
        weighted(estimator, weight).transform(texts),
        "weights passed through a Pipeline taught it something else than directly.",
        "take sample_weight by name in fit; pass **fit_params on in fit_transform.",
    )
