"""Small encoders of contexts with random weights, and one that teaches itself."""

import numpy as np

from skembed import CoVeFeaturizer
from skembed.formats import LstmSizes


def tiny_encoder(input_size, hidden_size=3, n_layers=2, seed=0):
    """Return weights under the published names, as large as trained ones are."""
    rng = np.random.default_rng(seed)
    sizes = LstmSizes(input_size, hidden_size, n_layers)
    return {
        name: rng.normal(0, 0.7, shape).astype(np.float32)
        for name, shape in sizes.shapes().items()
    }


class SelfTaughtCoVe(CoVeFeaturizer):
    """Learns to turn documents around: it needs no translations."""

    def _fit_encoder(self, documents, **given):
        turned = [words[::-1] for words in self._words(documents)]
        return super()._fit_encoder(documents, **{**given, "targets": turned})
