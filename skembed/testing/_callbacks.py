"""Checks of scikit-learn's callbacks, for estimators that take them."""

from typing import Any

from skembed.testing._contract import (
    Estimator,
    contract,
    expect,
    expect_same,
    fitted,
    fresh,
    has_method,
)
from skembed.testing._corpus import corpus
from skembed.testing._optional import installed

_MEND = (
    "inherit from CallbackSupportMixin; in fit, call _init_callback_context once and "
    "call_on_fit_task_begin and call_on_fit_task_end for it and its subcontexts."
)


class _Recorder:
    """A callback that remembers the calls, and raises at one of them if told so."""

    def __init__(self, *, raises: bool = False) -> None:
        self.calls: list[str] = []
        self.raises = raises

    def setup(self, *_: Any, **__: Any) -> None:
        self.calls.append("setup")

    def on_fit_task_begin(self, *_: Any, **__: Any) -> None:
        self.calls.append("begin")

    def on_fit_task_end(self, *_: Any, **__: Any) -> None:
        self.calls.append("end")
        if self.raises:
            raise KeyboardInterrupt

    def teardown(self, *_: Any, **__: Any) -> None:
        self.calls.append("teardown")


def _takes_callbacks(estimator: Estimator) -> bool:
    return has_method(estimator, "set_callbacks")


@contract(_takes_callbacks)
def check_callbacks_are_called(estimator: Estimator) -> None:
    """`fit` sets a callback up, calls it around every task, and tears it down.

    What is learned is the same with a callback and without.
    """
    installed("sklearn.callback")
    texts, y = list(corpus()[0]), corpus()[1]
    recorder = _Recorder()
    model = fresh(estimator).set_callbacks(recorder).fit(texts, y)
    calls = recorder.calls
    first, last = calls[:2], calls[-2:]
    got = f"the calls were {first} ... {last}"
    once = calls.count("setup") == calls.count("teardown") == 1
    expect(once, f"{got}, without exactly one setup and one teardown.", _MEND)
    ends = first == ["setup", "begin"] and last == ["end", "teardown"]
    expect(ends, f"{got}.", _MEND)
    balanced = calls.count("begin") == calls.count("end")
    expect(balanced, f"{got}, with unequal numbers of begin and end.", _MEND)
    happened = "with a callback it learned something else."
    expected = fitted(estimator).transform(texts)
    expect_same(model.transform(texts), expected, happened, _MEND)


@contract(_takes_callbacks)
def check_callbacks_may_interrupt(estimator: Estimator) -> None:
    """A callback that raises ends `fit`; the earlier fitted state stays whole."""
    installed("sklearn.callback")
    texts, y = list(corpus()[0]), corpus()[1]
    model = fitted(estimator)
    expected = model.transform(texts)
    recorder = _Recorder(raises=True)
    model.set_callbacks(recorder)
    try:
        model.fit(texts[:30], y[:30])
    except KeyboardInterrupt:
        expect(recorder.calls[-1:] == ["teardown"], "it was not torn down.", _MEND)
    else:
        expect(not recorder.raises, "fit went on after the callback raised.", _MEND)
    model.set_callbacks()
    happened = "a fit that a callback ended changed the estimator."
    mend = "assign fitted attributes to self after the last call of a callback."
    expect_same(model.transform(texts), expected, happened, mend)
