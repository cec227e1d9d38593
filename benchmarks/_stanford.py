"""Stanford's GloVe, built from its published sources where a folder of them is named.

The environment variable SKEMBED_STANFORD_GLOVE names a copy of
https://github.com/stanfordnlp/GloVe, of which `src` is compiled with gcc.
"""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np

from skembed._ragged import Ragged
from skembed.text import Vocabulary
from skembed.training.cooccurrence import Cooccurrences

FLAGS = ["-O3", "-march=native", "-funroll-loops", "-w"]
_RECORD = np.dtype([("row", "<i4"), ("column", "<i4"), ("value", "<f8")])


class Stanford:
    """The programs, and the files of one corpus.

    Parameters
    ----------
    folder : Path
        Where programs and files are made.
    vocabulary : Vocabulary
    corpus : Ragged of int32
    """

    def __init__(self, folder: Path, vocabulary: Vocabulary, corpus: Ragged) -> None:
        self._folder, self._n_words = folder, len(vocabulary)
        pairs = zip(vocabulary.words, vocabulary.counts, strict=True)
        lines = "".join(f"{word} {count}\n" for word, count in pairs)
        (folder / "vocab.txt").write_text(lines, encoding="utf-8")
        with (folder / "corpus.txt").open("w", encoding="utf-8") as file:
            for document in corpus:
                words = [vocabulary.words[i] for i in document]
                file.write(" ".join(words) + "\n")
        for name in ("cooccur", "glove"):
            self._build(name)

    def _build(self, name: str) -> None:
        source = sources() / f"{name}.c"
        shared = [path for path in [sources() / "common.c"] if path.exists()]
        command = ["gcc", source, *shared, "-o", self._folder / name, *FLAGS]
        subprocess.run([*command, "-lm", "-pthread"], check=True)

    @property
    def lines(self) -> list[str]:
        """The documents that it reads, without unknown words."""
        return (self._folder / "corpus.txt").read_text(encoding="utf-8").splitlines()

    def count(self, window: int) -> None:
        """Count co-occurrences."""
        options = f"-memory 4.0 -vocab-file vocab.txt -verbose 0 -window-size {window}"
        with (
            (self._folder / "corpus.txt").open() as text,
            (self._folder / "counts.bin").open("wb") as counts,
        ):
            self._run("cooccur", options, stdin=text, stdout=counts)

    def counts(self) -> Cooccurrences:
        """Read what was counted, and shuffle it for training as its `shuffle` does."""
        records = np.fromfile(self._folder / "counts.bin", dtype=_RECORD)
        rng = np.random.default_rng(0)
        rng.permutation(records).tofile(self._folder / "shuffled.bin")
        return Cooccurrences(
            records["row"] - 1,
            records["column"] - 1,
            records["value"].astype(np.float32),
        )

    def train(
        self, size: int, epochs: int, threads: int, x_max: float, seed: int = 1
    ) -> None:
        """Train on the shuffled counts."""
        options = (
            "-save-file vectors -input-file shuffled.bin -vocab-file vocab.txt "
            f"-seed {seed} -verbose 0 -binary 1 -vector-size {size} -iter {epochs} "
            f"-threads {threads} -x-max {x_max}"
        )
        self._run("glove", options)

    def vectors(self, size: int) -> np.ndarray:
        """Read the sums of words' and contexts' vectors."""
        tables = np.fromfile(self._folder / "vectors.bin")
        both = tables.reshape(2, self._n_words, size + 1)[:, :, :size]
        return both.sum(axis=0).astype(np.float32)

    def _run(self, name: str, options: str, **files: object) -> None:
        subprocess.run(
            [self._folder / name, *options.split()],
            cwd=self._folder,
            check=True,
            stderr=subprocess.DEVNULL,
            **files,  # type: ignore[call-overload]
        )


def sources() -> Path:
    """Return the folder of its sources."""
    return Path(os.environ.get("SKEMBED_STANFORD_GLOVE", "GloVe")) / "src"


def can_build() -> bool:
    """Whether sources and compiler are there; print what is not."""
    if shutil.which("gcc") and (sources() / "glove.c").exists():
        return True
    print("skipped: Stanford's GloVe needs gcc, and its sources in the folder that")
    print("the environment variable SKEMBED_STANFORD_GLOVE names")
    return False
