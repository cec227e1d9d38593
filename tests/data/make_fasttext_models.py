"""Make the models in ``fasttext/``, and what fastText says about them.

    python tests/data/make_fasttext_models.py

This needs the package fasttext-wheel, version 0.9.2, which the tests do without. The
text is made of the words below, so that the files are nobody's work but its own.
"""

import json
import random
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent / "fasttext"
WORDS = (
    *("cat", "cats", "dog", "dogs", "kitten", "puppy", "purrs", "barks", "sleeps"),
    *("the", "a", "of", "and", "in", "house", "garden", "e_mail", "re-read", "3.14"),
    *("Ørsted", "naïve", "北京", "москва", "…", "x"),
)
UNSEEN = ["catty", "doghouse", "Ørsteds", "北京市", "московский", "y", "</s>", ""]
COMMON = {"dim": 4, "epoch": 5, "minCount": 1, "thread": 1, "verbose": 0, "lr": 0.5}
UNSUPERVISED = {
    "skipgram.bin": {"model": "skipgram", "minn": 2, "maxn": 4, "bucket": 60},
    "cbow.bin": {"model": "cbow", "minn": 1, "maxn": 3, "bucket": 60},
    "words_only.bin": {"model": "skipgram", "maxn": 0, "bucket": 60},
}
SUPERVISED = {
    "supervised.bin": {"minn": 2, "maxn": 3, "bucket": 60},
    "word_ngrams.bin": {"wordNgrams": 2, "bucket": 60, "loss": "hs"},
    "one_vs_all.bin": {"minn": 3, "maxn": 3, "bucket": 30, "loss": "ova"},
}
# fastText quantizes matrices of 256 rows or more.
QUANTIZED = {
    "quantized.ftz": ({"minn": 2, "maxn": 4, "bucket": 300}, {}),
    "with_lengths.ftz": ({"minn": 2, "maxn": 4, "bucket": 300}, {"qnorm": True}),
    "pruned.ftz": ({"minn": 2, "maxn": 4, "bucket": 600}, {"cutoff": 260}),
    "outputs_too.ftz": ({"minn": 2, "maxn": 4, "bucket": 300}, {"qout": True}),
}


def corpus(n_labels: int) -> str:
    """Lines of words at random, each with one of the labels if there are any."""
    rng = random.Random(0)
    lines = []
    for i in range(400):
        label = f"__label__{i % n_labels} " if n_labels else ""
        lines.append(label + " ".join(rng.choices(WORDS, k=8)) + "\n")
    return "".join(lines)


def main() -> None:
    import fasttext

    said = {}

    def keep(name: str, model: "fasttext.FastText._FastText") -> None:
        model.save_model(str(FOLDER / name))
        counts = zip(*model.get_words(include_freq=True), strict=True)
        words = model.get_words() + UNSEEN
        said[name] = {
            "labels": [] if name in UNSUPERVISED else model.get_labels(),
            "counts": {word: int(count) for word, count in counts},
            "vectors": {word: model.get_word_vector(word).tolist() for word in words},
            "subwords": {word: model.get_subwords(word)[0] for word in words},
        }

    with tempfile.TemporaryDirectory() as folder:
        plain, labelled, many = (str(Path(folder) / name) for name in "abc")
        for path, n_labels in ((plain, 0), (labelled, 3), (many, 260)):
            Path(path).write_text(corpus(n_labels), encoding="utf-8")
        for name, options in UNSUPERVISED.items():
            keep(name, fasttext.train_unsupervised(plain, **COMMON, **options))
        for name, options in SUPERVISED.items():
            keep(name, fasttext.train_supervised(labelled, **COMMON, **options))
        for name, (options, quantizing) in QUANTIZED.items():
            text = many if quantizing.get("qout") else labelled
            model = fasttext.train_supervised(text, **COMMON, **options)
            model.quantize(input=text, dsub=2, thread=1, **quantizing)
            keep(name, model)
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    (FOLDER / "said.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
