"""Every public estimator keeps the contract that `skembed.testing` checks."""

import skembed
from skembed import SkipGramVectorizer
from skembed.testing import parametrize_with_text_checks

ESTIMATORS = [
    SkipGramVectorizer(min_count=1, vector_size=8, epochs=2, random_state=0),
]


@parametrize_with_text_checks(ESTIMATORS)
def test_the_contract_is_kept(estimator, check):
    check(estimator)


def test_every_public_estimator_is_checked():
    public = {
        name for name in skembed.__all__ if hasattr(getattr(skembed, name), "fit")
    }
    assert public == {type(estimator).__name__ for estimator in ESTIMATORS}
