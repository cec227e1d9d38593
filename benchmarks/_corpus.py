"""The documents that programs are trained on, as each of them wants them."""

from pathlib import Path

from benchmarks._data import words_of
from skembed.text import TextAnalysis, encode_corpus


class Corpus:
    """The same documents in ids, in lists of words, and in a file of lines.

    Lists and lines hold known words only, so that all programs count the same, and at
    most `longest_line` of them.
    """

    def __init__(self, texts: list[str], folder: Path, longest_line: int) -> None:
        self.vocabulary, self.ids = encode_corpus(
            texts, TextAnalysis(prepare=str.lower), min_count=5
        )
        self.n_words = len(self.ids.values)
        known = self.vocabulary.index
        self.lists: list[list[str]] = []
        for text in texts:
            words = [word for word in words_of(text) if word in known]
            for i in range(0, len(words), longest_line):
                self.lists.append(words[i : i + longest_line])
        self.file = folder / f"{len(texts)}.txt"
        self.file.write_text("\n".join(map(" ".join, self.lists)) + "\n")
