"""Devices, memory, interrupts, and what users get wrong."""

import json
import shutil
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from transformers import AutoModel, AutoTokenizer

from skembed import BertLayerFeaturizer
from skembed.encoding import TransformerEncoder, _encode
from skembed.networks.huggingface._network import HuggingFaceNetwork
from tests.reference.states import assert_close

TEXTS = ["the teacher", "of atoms " * 50, "", "a student " * 9, "nothing", "of it"]
LABELS = [0, 1, 0, 1, 0, 1]


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A model that a test may damage."""
    return shutil.copytree(tiny_model("bert"), tmp_path / "bert")


# Devices.


@pytest.mark.parametrize("family", ["bert", "gpt2", "mpnet"])
@pytest.mark.parametrize("device", [["cpu", "cpu"], ("cpu",) * 3, torch.device("cpu")])
def test_devices_share_the_work_and_change_nothing(tiny_model, family, device):
    featurizer = BertLayerFeaturizer(
        tiny_model(family), layers="all", batch_tokens=16, pooling=("mean", "last")
    )
    expected = featurizer.fit_transform(TEXTS)
    tokens = featurizer.transform_tokens(TEXTS)
    featurizer.set_params(device=device)
    assert_array_equal(featurizer.fit_transform(TEXTS), expected)
    assert_array_equal(featurizer.transform_tokens(TEXTS).vectors, tokens.vectors)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("nowhere", r"device must be 'auto', or what torch.*got 'nowhere'"),
        ("cuda:99", r"device='cuda:99' is not there: torch .* device='cpu'"),
        ([], r"device must name at least one device, got \[\]"),
        (["cpu", 1.5], r"device must be 'auto'.*got 1.5"),
    ],
)  # fmt: skip
def test_a_device_that_is_not_there_is_told(tiny_model, device, message):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), device=device)
    with pytest.raises(ValueError, match=message):
        featurizer.fit_transform(TEXTS)


@pytest.mark.parametrize("device", ["nowhere", [], ["cpu", 1.5]])
@pytest.mark.parametrize("method", ["fit", "transform", "transform_tokens"])
def test_what_is_no_device_is_told_before_anything_runs(
    tiny_model, tmp_path, device, method
):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), memory=tmp_path)
    featurizer.fit_transform(TEXTS)
    featurizer.set_params(device=device)
    with pytest.raises(ValueError, match="device must"):
        getattr(featurizer, method)(TEXTS)


def test_a_device_that_is_not_there_is_not_missed_where_nothing_runs(
    tiny_model, tmp_path
):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), memory=tmp_path)
    features = featurizer.fit_transform(TEXTS)
    featurizer.set_params(device="cuda:99")
    assert_array_equal(featurizer.transform(TEXTS), features)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("family", ["bert", "llama", "deberta", "modernbert"])
def test_half_precision_is_close(tiny_model, family, dtype):
    featurizer = BertLayerFeaturizer(tiny_model(family), pooling=("mean", "max"))
    expected = featurizer.fit_transform(TEXTS)
    features = featurizer.set_params(dtype=dtype).fit_transform(TEXTS)
    assert features.dtype == np.float32
    assert_close(features, expected, 0.1)
    assert np.abs(features - expected).max() > 1e-6


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_threads_are_as_many_as_asked_for_while_it_runs(
    tiny_model, monkeypatch, n_jobs
):
    seen, run = [], HuggingFaceNetwork.run

    def seeing(self, *args):
        seen.append(torch.get_num_threads())
        run(self, *args)

    monkeypatch.setattr(HuggingFaceNetwork, "run", seeing)
    before = torch.get_num_threads()
    BertLayerFeaturizer(tiny_model("bert"), n_jobs=n_jobs).fit_transform(TEXTS)
    assert set(seen) == {n_jobs}
    assert torch.get_num_threads() == before


# Memory.


def limit(monkeypatch, most):
    """Let networks run at most so many tokens at once; return how many ran."""
    sizes, run = [], HuggingFaceNetwork.run

    def limited(self, ids, last, visit):
        sizes.append(len(ids.values))
        if sizes[-1] > most:
            # After the first layer has been seen.
            run(self, ids, 0, visit)
            raise torch.OutOfMemoryError
        run(self, ids, last, visit)

    monkeypatch.setattr(HuggingFaceNetwork, "run", limited)
    return sizes


@pytest.mark.parametrize("device", ["cpu", ["cpu", "cpu"]])
@pytest.mark.parametrize("family", ["bert", "deberta"])
def test_a_batch_that_does_not_fit_is_halved(tiny_model, monkeypatch, family, device):
    texts = [f"{text} {i}" for i, text in enumerate(TEXTS * 5)]
    featurizer = BertLayerFeaturizer(tiny_model(family), layers=(0, 2), device=device)
    expected = featurizer.fit_transform(texts)
    sizes = limit(monkeypatch, 100)
    with pytest.warns(RuntimeWarning, match=r"tokens did not fit .* of cpu") as warned:
        features = featurizer.transform(texts)
    assert len(warned) == 1
    assert_close(features, expected)
    assert max(sizes) > 100
    with pytest.warns(RuntimeWarning, match="did not fit"):
        featurizer.transform_tokens(texts)


def test_a_window_that_does_not_fit_alone_is_told(tiny_model, monkeypatch):
    limit(monkeypatch, 50)
    featurizer = BertLayerFeaturizer(tiny_model("bert"), batch_tokens=50)
    with pytest.raises(MemoryError, match=r"single text of \d+ tokens .* max_length"):
        featurizer.fit_transform(TEXTS[1:2])
    featurizer.set_params(max_length=50)
    assert featurizer.fit_transform(TEXTS[1:2]).all()


# Interrupts.


@pytest.mark.parametrize("task", ["fit", "fit_transform"])
def test_an_interrupted_fit_leaves_an_earlier_one_whole(
    tiny_model, monkeypatch, task, tmp_path
):
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"), layers="all", mixing="learned", memory=tmp_path
    )
    features = featurizer.fit_transform(TEXTS, LABELS)
    fitted = dict(vars(featurizer))
    n_runs, run = [], HuggingFaceNetwork.run

    def interrupted(self, *args):
        run(self, *args)
        n_runs.append(1)
        if len(n_runs) == 3:
            raise KeyboardInterrupt

    n_threads = threading.active_count()
    with monkeypatch.context() as patch:
        patch.setattr(HuggingFaceNetwork, "run", interrupted)
        featurizer.set_params(batch_tokens=1, layers=(0, 1))
        texts = [f"{i} of it" for i in range(50)]
        with pytest.raises(KeyboardInterrupt):
            getattr(featurizer, task)(texts, [0, 1] * 25)
    assert len(n_runs) == 3
    assert threading.active_count() == n_threads
    featurizer.set_params(batch_tokens=None, layers="all")
    assert vars(featurizer).keys() == fitted.keys()
    assert_array_equal(featurizer.transform(TEXTS), features)


def test_an_interrupt_does_not_wait_for_the_tokens_of_all_texts(
    tiny_model, monkeypatch
):
    tokenized, windows = [], _encode.Encoder.windows

    def slow(self, texts, numbers):
        def tokenize(chunk, chunk_numbers):
            time.sleep(0.01)
            tokenized.append(len(chunk))
            return self.tokenize(chunk, chunk_numbers)

        return windows(self._replace(tokenize=tokenize), texts, numbers)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("skembed.encoding._batches.CHUNK_CHARACTERS", 10)
    monkeypatch.setattr(_encode.Encoder, "windows", slow)
    monkeypatch.setattr(HuggingFaceNetwork, "run", interrupted)
    featurizer = BertLayerFeaturizer(tiny_model("bert"))
    with pytest.raises(KeyboardInterrupt):
        featurizer.fit_transform([f"{i} of it" for i in range(100)])
    assert len(tokenized) <= 3


# What users get wrong.


@pytest.mark.parametrize("layers", [4, -5, (0, 7)])
def test_layers_out_of_range_are_told_the_range(tiny_model, layers):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), layers=layers)
    with pytest.raises(
        ValueError, match=r"layers must be between -4 and 3 for a model "
    ):
        featurizer.fit(TEXTS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pooling": "median"}, "'pooling' parameter .* must be"),
        ({"pooling": ("mean", "median")}, "pooling must be one or several of"),
        ({"pooling": ()}, "pooling must be one or several of"),
        ({"mixing": "product"}, "'mixing' parameter .* must be"),
        ({"layers": "some"}, "'layers' parameter .* must be"),
        ({"layers": ()}, "layers must name at least one layer"),
        ({"layers": (3, -1)}, r"layers must name each layer once, .*again: \[3\]"),
        ({"dtype": "float64"}, "'dtype' parameter .* must be"),
        ({"overlong": "drop"}, "'overlong' parameter .* must be"),
        ({"max_length": 0}, "'max_length' parameter .* must be"),
        ({"max_length": 2}, "max_length must leave room for the text"),
        ({"batch_tokens": 0}, "'batch_tokens' parameter .* must be"),
        ({"normalize": True}, "'normalize' parameter .* must be"),
        ({"memory": 3}, "'memory' parameter .* must be"),
        ({"tokenizer": 3}, "'tokenizer' parameter .* must be"),
        ({"prefix": None}, "'prefix' parameter .* must be"),
        ({"revision": "main"}, "revision must be None for a local folder"),
        ({"prefix": "the " * 70}, "max_length must leave room for the text"),
    ],
    ids=str,
)
def test_parameters_are_checked_by_fit(tiny_model, changes, message):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), **changes)
    with pytest.raises(ValueError, match=message):
        featurizer.fit(TEXTS)


@pytest.mark.parametrize("mixing", ["mean", "sum", "max", "learned"])
def test_layers_of_unequal_width_can_only_be_put_side_by_side(
    tiny_model, monkeypatch, mixing
):
    monkeypatch.setattr(TransformerEncoder, "widths", (16, 32, 32, 32))
    featurizer = BertLayerFeaturizer(tiny_model("bert"), layers="all", mixing=mixing)
    with pytest.raises(ValueError, match=r"equal width, got \[16, .*mixing='concat'"):
        featurizer.fit(TEXTS, LABELS)
    featurizer.set_params(mixing="concat").fit(TEXTS)
    assert len(featurizer.get_feature_names_out()) == 16 + 3 * 32


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("no/such/folder", FileNotFoundError, "There is no folder 'no/such/folder'"),
        (("a", "b"), TypeError, r"instead of a PreTrainedModel it holds a str"),
        (
            ("a",),
            TypeError,
            r"or a tuple \(model, tokenizer\) of transformers, got tup",
        ),
        (3, ValueError, "'model' parameter .* must be"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_no_model_is_told(monkeypatch, model, error, message):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(error, match=message):
        BertLayerFeaturizer(model).fit(TEXTS)


def test_a_pair_without_its_tokenizer_is_told(tiny_model):
    model = AutoModel.from_pretrained(tiny_model("bert"))
    with pytest.raises(TypeError, match="instead of a PreTrainedTokenizerBase"):
        BertLayerFeaturizer((model, model)).fit(TEXTS)


def test_a_folder_without_weights_is_told(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"model.safetensors or .* is missing"):
        BertLayerFeaturizer(folder).fit(TEXTS)


@pytest.mark.parametrize("n_left", [0, 9, 2000, -1])
def test_a_cut_off_file_of_weights_is_told(folder, n_left):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:n_left])
    featurizer = BertLayerFeaturizer(folder)
    with pytest.raises(ValueError, match=r"model.safetensors holds no whole model"):
        featurizer.fit_transform(TEXTS)
    assert not hasattr(featurizer, "layers_")


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "llama"])
def test_odd_documents_have_finite_features(tiny_model, family):
    featurizer = BertLayerFeaturizer(
        tiny_model(family), pooling=("mean", "cls", "max", "first_last")
    )
    odd = [
        "",
        " ",
        "\n\n",
        "\x00",
        "\ud800",
        "\u200b",
        "é" * 500,
        "[CLS] </s> <s>",
        "中",
    ]
    odd += [[], [""], ["", "a", ""], ["a b", "c"], b"bytes", np.str_("text")]
    features = featurizer.fit_transform(odd)
    assert features.shape == (len(odd), 32 * 5)
    assert np.isfinite(features).all()
    assert not features[[0, 9, 10]].any()


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("one text", TypeError, "X must be .* got a single str"),
        (["a", None], ValueError, "Row 1 of X is missing"),
        ([1, 2], TypeError, "Row 0 of X must be a document"),
        ([["a", 3]], TypeError, "words of document 0 must be str, got 3"),
        (np.zeros((3, 2)), ValueError, "X must be one column of documents"),
    ],
)
def test_what_holds_no_documents_is_told(tiny_model, X, error, message):
    featurizer = BertLayerFeaturizer(tiny_model("bert")).fit(TEXTS)
    for task in (featurizer.fit, featurizer.transform, featurizer.transform_tokens):
        with pytest.raises(error, match=message):
            task(X)


def test_missing_documents_may_be_taken_as_empty(tiny_model):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), missing="empty")
    features = featurizer.fit_transform(["a", None, float("nan")])
    assert_array_equal(features[1:], 0)


def test_modules_that_are_left_out_are_told(folder):
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense")]
    listed = [{"path": path, "type": f"a.library.{name}"} for path, name in modules]
    (folder / "modules.json").write_text(json.dumps(listed))
    with pytest.warns(UserWarning, match=r"also does Dense after its transformer"):
        BertLayerFeaturizer(folder).fit(TEXTS)
    (folder / "modules.json").write_text(json.dumps(listed[:2]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BertLayerFeaturizer(folder).fit_transform(TEXTS)


def test_an_eager_tokenizer_setting_is_not_obeyed(tiny_model):
    folder = tiny_model("bert")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer(["some", "texts that are longer"], padding=True, truncation=True)
    pair = AutoModel.from_pretrained(folder), tokenizer
    features = BertLayerFeaturizer(pair).fit_transform(TEXTS)
    assert_array_equal(BertLayerFeaturizer(folder).fit_transform(TEXTS), features)
