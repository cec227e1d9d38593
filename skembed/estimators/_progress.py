"""Who is told how far training has come: the user, and scikit-learn's callbacks."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self


class TrainingProgress:
    """Show the progress of training, and report its epochs.

    A context manager around a whole `fit`.

    Parameters
    ----------
    estimator : estimator
        The one that is fitted. With ``estimator.verbose=0`` nothing is shown, with 1 a
        progress bar on the standard error, with 2 a line per epoch on the standard
        output.
    n_epochs : int
        How many epochs there are at most.
    **given : dict
        The arguments of `fit`: `X`, `y` and `sample_weight`.

    Attributes
    ----------
    n_tokens : int
        How many words an epoch reads; to be set before training begins.
    stopped : bool
        Whether a callback has asked to stop.
    """

    def __init__(self, estimator: Any, n_epochs: int, **given: Any) -> None:
        self.n_tokens = 0
        self.stopped = False
        self._estimator = estimator
        self._name = type(estimator).__name__
        self._n_epochs = n_epochs
        self._given = given
        self._epoch = -1
        self._started = 0.0
        self._bar: Any = None
        self._fit_context: Any = None
        self._epoch_context: Any = None

    def __enter__(self) -> Self:
        context = self._estimator._init_callback_context(max_subtasks=self._n_epochs)
        if context is not None:
            metadata = {"sample_weight": self._given.pop("sample_weight")}
            context.call_on_fit_task_begin(
                estimator=self._estimator, metadata=metadata, **self._given
            )
        self._fit_context = context
        return self

    def __call__(self, epoch: int, done: float, loss: float) -> bool:
        """Take note of how far training is; training calls it about ten times a second.

        Parameters
        ----------
        epoch : int
            The epoch that is running, from 0.
        done : float
            The share of the epoch that is done, from 0 to 1.
        loss : float
            The mean loss of the epoch so far.

        Returns
        -------
        stop : bool
            Whether a callback asks to stop after this epoch.
        """
        if epoch != self._epoch:
            self._begin(epoch)
        if self._estimator.verbose == 1:
            self._draw(epoch, done, loss)
        if done >= 1.0 and self._end(epoch, loss):
            self.stopped = True
        return self.stopped

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        if self._fit_context is not None and error is None:
            self._fit_context.call_on_fit_task_end(estimator=self._estimator)

    def _begin(self, epoch: int) -> None:
        self._epoch = epoch
        self._started = time.perf_counter()
        if self._fit_context is not None:
            self._epoch_context = self._fit_context.subcontext(task_name="epoch")
            self._epoch_context.call_on_fit_task_begin(estimator=self._estimator)

    def _draw(self, epoch: int, done: float, loss: float) -> None:
        if self._bar is None:
            from tqdm.auto import tqdm

            total = self._n_epochs * self.n_tokens
            self._bar = tqdm(
                total=total, desc=self._name, unit=" words", unit_scale=True
            )
        self._bar.set_postfix_str(f"epoch {epoch + 1}, loss {loss:.4f}", refresh=False)
        self._bar.update(int((epoch + done) * self.n_tokens) - self._bar.n)

    def _end(self, epoch: int, loss: float) -> bool:
        if self._estimator.verbose > 1:
            rate = self.n_tokens / max(time.perf_counter() - self._started, 1e-9)
            sys.stdout.write(
                f"[{self._name}] epoch {epoch + 1}/{self._n_epochs}: "
                f"loss {loss:.4f}, {rate:,.0f} words/s\n"
            )
        context, self._epoch_context = self._epoch_context, None
        if context is None:
            return False
        return bool(context.call_on_fit_task_end(estimator=self._estimator))


@contextmanager
def epoch_progress(
    n_epochs: int, verbose: int
) -> Iterator[Callable[[int, float, float], object] | None]:
    """Show a bar of the epochs of a network's training, if asked to.

    Parameters
    ----------
    n_epochs : int
        How many there are at most.
    verbose : int
        0 shows nothing.

    Yields
    ------
    progress : callable or None
        To be called with the epoch, the part of it that is done, and the mean loss.
    """
    if not verbose:
        yield None
        return
    from tqdm.auto import tqdm

    with tqdm(total=n_epochs, unit="epoch") as bar:

        def show(epoch: int, part: float, loss: float) -> None:
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update(epoch + part - bar.n)

        yield show
