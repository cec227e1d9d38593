"""The names we use of scikit-learn that it does not promise to keep.

They are imported here and nowhere else, so that a new scikit-learn breaks one file.
"""

from collections.abc import Collection
from copy import deepcopy
from typing import Any

from sklearn.base import _fit_context as fit_context
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions


def clone_sharing(estimator: Any, names: Collection[str]) -> Any:
    """Clone an estimator, but hand on some of its parameters as they are.

    Parameters
    ----------
    estimator : estimator
    names : collection of str
        The parameters that are not copied.

    Returns
    -------
    clone : estimator
        Not fitted, set up as `sklearn.base.clone` does it.
    """
    shared = {name: getattr(estimator, name) for name in names}
    twin = type(estimator)(**{**estimator.get_params(deep=False), **shared})
    for name, value in estimator.get_params(deep=False).items():
        if name not in shared:
            setattr(twin, name, clone(value, safe=False))
    for name in ("_metadata_request", "_sklearn_output_config", "_skl_callbacks"):
        if hasattr(estimator, name):
            setattr(twin, name, deepcopy(getattr(estimator, name)))
    return twin


class _WithoutCallbacks:
    """What estimators inherit where scikit-learn is older than its callbacks."""

    def _init_callback_context(self, **_: Any) -> None:
        """Return no context: there is nobody to call."""


try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:
    CallbackSupportMixin = _WithoutCallbacks

__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "clone_sharing",
    "fit_context",
]
