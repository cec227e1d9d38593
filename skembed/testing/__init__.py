"""The contract of the text estimators, for those of skembed and for yours.

scikit-learn's own `check_estimator` runs a single check on estimators of raw text.
"""

from skembed.testing._suite import check_text_estimator, parametrize_with_text_checks

__all__ = ["check_text_estimator", "parametrize_with_text_checks"]
