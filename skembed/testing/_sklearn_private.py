"""The names that only the checks need of those scikit-learn does not promise to keep.

They are imported here and nowhere else, so that a new scikit-learn breaks one file.
"""

from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    generate_invalid_param_val,
    make_constraint,
)

__all__ = [
    "Interval",
    "InvalidParameterError",
    "Options",
    "generate_invalid_param_val",
    "make_constraint",
]
