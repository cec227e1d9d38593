"""How far a run over many texts has come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def text_progress(n_texts: int, verbose: int) -> Iterator[Callable[[int], object]]:
    """Show a bar of the texts that are done, if asked to.

    Parameters
    ----------
    n_texts : int
    verbose : int
        0 shows nothing.

    Yields
    ------
    progress : callable
        To be called with how many more are done.
    """
    if not verbose:
        yield lambda _: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=n_texts, unit="text") as bar:
        yield bar.update
