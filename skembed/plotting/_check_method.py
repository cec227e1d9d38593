"""See that an estimator can give what a display draws."""

from typing import Any


def check_method(estimator: Any, method: str) -> None:
    """Raise a TypeError if an estimator does not have a method.

    Examples
    --------
    >>> check_method(3, "layer_scores")
    Traceback (most recent call last):
        ...
    TypeError: estimator must have the method layer_scores, got int. Of a pipeline, ...
    """
    if not hasattr(estimator, method):
        msg = (
            f"estimator must have the method {method}, got "
            f"{type(estimator).__name__}. Of a pipeline, pass the step that has it."
        )
        raise TypeError(msg)
