import time

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skembed.estimators._progress import TrainingProgress

has_callbacks = hasattr(sklearn, "callback") or tuple(
    map(int, sklearn.__version__.split(".")[:2])
) >= (1, 9)


def test_nothing_is_said_by_default(vectorizer, animals, capfd):
    vectorizer.fit(animals)
    assert capfd.readouterr() == ("", "")


def test_verbose_one_draws_a_bar_of_words(vectorizer, animals, capfd, monkeypatch):
    # A bar is cut where the terminal ends.
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LINES", "50")
    vectorizer.set_params(verbose=1, sample=0).fit(animals)
    out, err = capfd.readouterr()
    assert out == ""
    assert "SkipGramVectorizer: 100%" in err
    assert "words/s" in err
    assert f"epoch 2, loss={vectorizer.loss_curve_[-1]:.4f}" in err.replace(
        "loss ", "loss="
    )


def test_verbose_two_writes_a_line_per_epoch(vectorizer, animals, capfd):
    vectorizer.set_params(verbose=2, sample=0).fit(animals)
    out, err = capfd.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "[SkipGramVectorizer] epoch 1/2",
        "[SkipGramVectorizer] epoch 2/2",
    ]
    assert f"loss {vectorizer.loss_curve_[0]:.4f}" in lines[0]
    assert "words/s" in lines[0]


class Recorder:
    """A callback of scikit-learn's that notes what it is told."""

    def __init__(self):
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context, *, X=None, metadata=None):
        self.events.append(f"begin {context.task_name}")
        if context.task_name == "fit":
            self.X, self.metadata = X, metadata

    def on_fit_task_end(self, estimator, context):
        self.events.append(f"end {context.task_name}")

    def teardown(self, estimator, context):
        self.events.append("teardown")


EPOCH = ["begin epoch", "end epoch"]


@pytest.mark.skipif(not has_callbacks, reason="scikit-learn 1.9 brought callbacks")
@pytest.mark.parametrize("method", ["fit", "fit_transform", "partial_fit"])
def test_callbacks_hear_of_the_epochs(vectorizer, animals, method):
    recorder = Recorder()
    vectorizer.set_callbacks(recorder)
    weight = np.ones(9)
    getattr(vectorizer, method)(animals, sample_weight=weight)
    epochs = EPOCH if method == "partial_fit" else EPOCH * 2
    assert recorder.events == ["setup", "begin fit", *epochs, "end fit", "teardown"]
    assert recorder.X is animals
    assert recorder.metadata == {"sample_weight": weight}


@pytest.mark.skipif(not has_callbacks, reason="scikit-learn 1.9 brought callbacks")
def test_callbacks_are_torn_down_after_a_failure(vectorizer):
    recorder = Recorder()
    with pytest.raises(ValueError, match="hold no words"):
        vectorizer.set_callbacks(recorder).fit([""])
    assert recorder.events == ["setup", "begin fit", "teardown"]


@pytest.mark.skipif(not has_callbacks, reason="scikit-learn 1.9 brought callbacks")
def test_a_pipeline_hands_its_callbacks_on(vectorizer, animals):
    class Propagated(Recorder):
        max_propagation_depth = None

    recorder = Propagated()
    pipeline = make_pipeline(vectorizer, LogisticRegression())
    pipeline.set_callbacks(recorder).fit(animals, np.arange(9) % 2)
    assert recorder.events.count("begin epoch") == 2


class WithoutCallbacks:
    verbose = 0

    def _init_callback_context(self, **_):
        return None


def test_progress_works_where_there_are_no_callbacks():
    given = {"X": [], "y": None, "sample_weight": None}
    with TrainingProgress(WithoutCallbacks(), 1, **given) as progress:
        assert progress(0, 0.5, 1.0) is False
        assert progress(0, 1.0, 1.0) is False


def test_reporting_costs_nothing_to_speak_of(vectorizer):
    given = {"X": [], "y": None, "sample_weight": None}
    with TrainingProgress(vectorizer, 1, **given) as progress:
        start = time.perf_counter()
        for _ in range(1000):
            progress(0, 0.5, 1.0)
        assert time.perf_counter() - start < 0.1
