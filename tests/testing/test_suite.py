"""The suite itself: what keeps the contract passes, and each breach is caught."""

import sys
import warnings

import pytest
from sklearn.exceptions import SkipTestWarning

from skembed.testing import _suite as suite
from skembed.testing import check_text_estimator, parametrize_with_text_checks
from tests.testing import (  # noqa: F401 (they enter the zoo)
    broken_companions,
    broken_construction,
    broken_contextual,
    broken_features,
    broken_fitting,
    broken_inputs,
)
from tests.testing.reference import ZOO, AverageOfWords

CHECKS = {check.__name__: check for check in suite.all_checks()}
SLOW = {
    "check_grid_search_in_processes",
    "check_joblib_in_a_fresh_process",
    "check_looking_imports_nothing_heavy",
    "check_memory_map_in_a_fresh_process",
    "check_other_process_gives_the_same_features",
    "check_pickle_in_a_fresh_process",
    "check_pickle_is_free_of_devices",
    "check_skops_in_a_fresh_process",
}


@parametrize_with_text_checks([AverageOfWords()])
def test_an_estimator_that_keeps_the_contract_passes(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(
            broken,
            id=f"{broken.check}-{broken.estimator.__name__}",
            marks=[pytest.mark.slow] if broken.check in SLOW else [],
        )
        for broken in ZOO
    ],
)
def test_a_broken_estimator_is_caught(broken):
    if broken.check.startswith("check_callbacks"):
        pytest.importorskip("sklearn.callback", reason="scikit-learn < 1.9")
    check, estimator = CHECKS[broken.check], broken.estimator()
    assert check.applies_to(estimator)
    with pytest.raises(AssertionError) as failure:
        check(estimator)
    message = str(failure.value)
    assert broken.says in message
    assert message.startswith(
        f"{broken.estimator.__name__} breaks a promise. Promised:"
    )
    assert "\nHappened: " in message
    assert "\nTo mend it: " in message


def test_every_check_has_a_broken_estimator():
    assert {broken.check for broken in ZOO} == set(CHECKS)


def test_every_check_says_what_it_promises():
    assert all(check.__doc__.strip().endswith(".") for check in CHECKS.values())


@pytest.mark.parametrize(
    ("check", "estimator"),
    [
        ("check_transform_without_fit", broken_fitting.HashedWords()),
        ("check_not_fitted_error", AverageOfWords()),
        ("check_clone_shares_large_objects", broken_construction.SharesItsModel()),
        ("check_weights_have_an_effect", broken_fitting.WeighsNothing()),
        ("check_n_jobs_of_fit_changes_nothing", broken_fitting.SumsByWorker()),
        ("check_weights_are_stored_if_asked", broken_companions.RefersToItsVectors()),
        ("check_memory_changes_nothing", broken_companions.KeepsFeatures()),
        ("check_memory_tells_settings_apart", broken_companions.KeepsFeatures()),
        ("check_missing_y_is_refused", broken_contextual.NeedsY()),
        ("check_y_of_another_length_is_refused", broken_contextual.NeedsY()),
        ("check_fit_needs_no_y", broken_contextual.NeedsY()),
        ("check_token_offsets", broken_contextual.HasOffsets()),
        (
            "check_token_offsets_point_at_the_tokens",
            broken_contextual.HasOffsets(),
        ),
        ("check_tokens_in_context_have_offsets", broken_contextual.ReadsContext()),
        (
            "check_overlong_documents_are_never_cut_silently",
            broken_contextual.Truncates(),
        ),
        ("check_feature_names_of_every_option", broken_contextual.HasLayers()),
    ],
)
def test_estimators_of_other_kinds_pass(check, estimator):
    assert CHECKS[check].applies_to(estimator)
    CHECKS[check](estimator)


def test_checks_are_for_estimators_that_have_what_they_check():
    checks = check_text_estimator(broken_fitting.HashedWords(), generate_only=True)
    names = {check.__name__ for _, check in checks}
    assert "check_transform_without_fit" in names
    assert not names & {
        "check_not_fitted_error",
        "check_partial_fit_forgets_no_word",
        "check_weights_have_an_effect",
    }


@pytest.fixture
def two_checks(monkeypatch):
    """Make the suite one of two checks, of which the first fails for RequiresY."""
    checks = [CHECKS["check_methods_take_documents_then_y"], CHECKS["check_tags"]]
    monkeypatch.setattr(suite, "all_checks", lambda: checks)
    return broken_construction.RequiresY()


def test_the_first_failure_is_raised(two_checks):
    with pytest.raises(AssertionError, match="y has no default"):
        check_text_estimator(two_checks)


def test_failures_can_be_collected(two_checks):
    results = check_text_estimator(two_checks, on_fail=None)
    assert [result["status"] for result in results] == ["failed", "passed"]
    assert "y has no default" in str(results[0]["exception"])


def test_known_failures_are_told_apart(two_checks):
    known = {"check_methods_take_documents_then_y": "y is needed"}
    results = check_text_estimator(two_checks, expected_failed_checks=known)
    assert [result["status"] for result in results] == ["xfail", "passed"]


def test_pytest_expects_known_failures(two_checks):
    known = {"check_methods_take_documents_then_y": "y is needed"}
    mark = parametrize_with_text_checks(
        [two_checks], expected_failed_checks=lambda _: known
    )
    first, second = mark.args[1]
    assert [mark.kwargs["reason"] for mark in first.marks] == ["y is needed"]
    assert not second.marks
    assert second.id == "RequiresY()-check_tags"


def test_a_class_is_refused():
    with pytest.raises(
        TypeError, match=r"AverageOfWords\(\.\.\.\), instead of the class"
    ):
        check_text_estimator(AverageOfWords)


@pytest.mark.parametrize(
    ("check", "package"),
    [
        ("check_pandas", "pandas"),
        ("check_polars", "polars"),
        ("check_pyarrow", "pyarrow"),
        ("check_column_transformer", "pandas"),
    ],
)
def test_a_missing_package_skips_the_check(monkeypatch, check, package):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(suite, "all_checks", lambda: [CHECKS[check]])
    with pytest.warns(SkipTestWarning, match=f"Skipped {check}: .* needs {package}"):
        (result,) = check_text_estimator(AverageOfWords())
    assert result["status"] == "skipped"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_text_estimator(AverageOfWords(), on_skip=None)
