import json
import lzma
from importlib import resources
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skembed._optional import require

_FOLDER = resources.files("skembed.datasets") / "data"
_SUBSETS = ("train", "test", "all")


def load_textbooks(
    *, subset: str = "all", return_X_y: bool = False, as_frame: bool = False
) -> Any:
    """Load passages of textbooks, labeled by the subject that they teach.

    =============== ========================
    Documents       5844 (4068 of them train)
    Words           480,740
    Classes         10
    Sections        1446
    =============== ========================

    The passages are runs of whole sentences from open textbooks of ten subjects, a
    passage having 55 to 143 words. Sections are held out whole: no section of a book
    has passages in both subsets, so that a classifier is tested on topics that it was
    not trained on. No passage names a discipline or those who practise it. The file
    comes with the package; nothing is downloaded.

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        The part to load.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a `Bunch`.
    as_frame : bool, default=False
        Give the data and the target as pandas Series.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with these attributes:

        data : list of str, or Series
            The passages.
        target : ndarray of shape (n_documents,), int64, or Series
            The subject of each passage, as an index into `target_names`.
        target_names : list of str
            The ten subjects.
        groups : ndarray of shape (n_documents,), object
            The section that each passage is from, as ``book/module``: the `groups` of
            :class:`~sklearn.model_selection.GroupKFold`.
        frame : DataFrame of shape (n_documents, 2)
            Columns ``text`` and ``target``. Only with ``as_frame=True``.
        DESCR : str
            Where the text comes from, how it was prepared, and its license.
    (data, target) : tuple
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        If `subset` is not one of the three.

    Notes
    -----
    The text is copyright of Rice University, OpenStax, under the license CC BY 4.0.
    ``DESCR`` names the books and says what was changed.

    Examples
    --------
    >>> from skembed.datasets import load_textbooks
    >>> train = load_textbooks(subset="train")
    >>> len(train.data)
    4068
    >>> train.target_names[train.target[0]]
    'history'
    >>> X, y = load_textbooks(subset="test", return_X_y=True)
    """
    if subset not in _SUBSETS:
        msg = f"subset must be one of {_SUBSETS}, got {subset!r}."
        raise ValueError(msg)
    rows = [row for row in _rows() if subset in ("all", row["subset"])]
    names = sorted({row["subject"] for row in rows})
    bunch = Bunch(
        data=[row["text"] for row in rows],
        target=np.array([names.index(row["subject"]) for row in rows], dtype=np.int64),
        target_names=names,
        groups=np.array([row["section"] for row in rows], dtype=object),
        DESCR=(_FOLDER / "textbooks.md").read_text(encoding="utf-8"),
    )
    if as_frame:
        _use_pandas(bunch)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _rows() -> list[dict[str, str]]:
    packed = (_FOLDER / "textbooks.jsonl.xz").read_bytes()
    lines = lzma.decompress(packed).decode("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _use_pandas(bunch: Bunch) -> None:
    """Replace the data and the target by the columns of a frame."""
    pd = require("pandas", needed_by="load_textbooks(as_frame=True)")
    bunch.frame = pd.DataFrame({"text": bunch.data, "target": bunch.target})
    bunch.data, bunch.target = bunch.frame["text"], bunch.frame["target"]
