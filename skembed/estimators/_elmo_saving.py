"""Models that an estimator has trained, written for other readers."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from sklearn.utils.validation import check_is_fitted

from skembed.formats import write_elmo
from skembed.text import Vocabulary


class SavesWeightsMixin:
    """Writes the weights that `fit` has trained; see `ELMoFeaturizer`."""

    _stored: Mapping[str, Any]
    vocabulary_: Vocabulary

    def save_weights(self, folder: str | PathLike[str]) -> None:
        """Write the language model that was trained, in the published format.

        ``options.json`` and ``weights.hdf5`` are what this class and other programs
        read; the softmax, which published files lack, lies beside the layers as
        ``softmax/W`` and ``softmax/b``, with its words in ``vocab.txt``.

        Parameters
        ----------
        folder : str or path-like
            Made if it is not there. Each file is replaced when it is complete.

        Raises
        ------
        ValueError
            If nothing was trained: the weights are in files already.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from skembed import ELMoFeaturizer
        >>> texts = ["The bank is closed."] * 10
        >>> trained = ELMoFeaturizer(size=8, epochs=1, random_state=0).fit(texts)
        >>> with TemporaryDirectory() as folder:
        ...     trained.save_weights(folder)
        ...     read = ELMoFeaturizer(folder).fit(texts)
        ...     bool((read.transform(texts) == trained.transform(texts)).all())
        True
        """
        check_is_fitted(self)
        if "_stored" not in self.__dict__ or "softmax" not in self._stored:
            msg = (
                "fit has trained no weights: those that the parameter weights names "
                "are in files already. Train with weights=None or fine_tune=True."
            )
            raise ValueError(msg)
        softmax, bias = self._stored["softmax"], self._stored["bias"]
        n_words = len(softmax) - 3
        write_elmo(
            folder,
            self._stored["options"],
            self._stored["arrays"],
            softmax=(softmax, bias),
            words=self.vocabulary_.words[:n_words],
        )
