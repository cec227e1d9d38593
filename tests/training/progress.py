"""What training tells of its progress."""

import numpy as np
import pytest


def expect_reports_until_an_interrupt(train):
    """Interrupt a training in its second epoch, and look at what it told before."""
    seen = []

    def progress(epoch, done, loss):
        seen.append((epoch, done, loss))
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(progress=progress)
    epochs, done, losses = map(np.array, zip(*seen, strict=True))
    assert (epochs[:-1] == 0).all()
    assert (np.diff(done[:-1]) > 0).all()
    assert done[-2] == 1.0
    assert np.isfinite(losses).all()
