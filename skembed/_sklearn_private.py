"""The names we use of scikit-learn that it does not promise to keep.

They are imported here and nowhere else, so that a new scikit-learn breaks one file.
"""

from typing import Any

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions


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
    "fit_context",
]
