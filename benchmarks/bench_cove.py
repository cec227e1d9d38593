"""CoVe's encoder at its published size, beside torch's own LSTM.

    python -m benchmarks.bench_cove

The weights are random: speed does not depend on them.
"""

import pickle
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence, pad_sequence

from benchmarks._data import CORPUS, is_here, simple_wikipedia, words_of
from benchmarks._report import write
from benchmarks._timing import median_times
from skembed import CoVeFeaturizer, WordVectors

N_TEXTS, LONGEST = 150, 400
SIZE = 300
BATCH, BATCH_TOKENS = 32, 2_048
N_REPETITIONS = 3
PEER = "nn.LSTM, packed, in order"
NOTES = f"""
The mean over the words of layer 2 of {N_TEXTS} texts of 1 to {LONGEST} words from
Simple English Wikipedia, {{n_words:,}} words in all, which are cut already; vectors of
{SIZE}, an encoder of 2 layers of {SIZE} cells per direction, with random weights; on
the CPU, one thread, medians of {N_REPETITIONS} interleaved runs in one process. "In
order" takes batches of {BATCH} texts as they come, "sorted" batches of up to
{BATCH_TOKENS:,} words, the longest texts first, which is what skembed does. Padded, the
backward direction reads the padding first, and gives other states. Deviation: the
largest difference from the states of each text alone in float32.
"""


class Case:
    """One way to run torch's LSTM over texts."""

    def __init__(self, lstm: nn.LSTM, texts: list[torch.Tensor]) -> None:
        self.lstm, self.texts = lstm, texts

    def batches(self, by_length: bool) -> Iterator[list[int]]:
        if not by_length:
            for start in range(0, len(self.texts), BATCH):
                yield list(range(start, min(start + BATCH, len(self.texts))))
            return
        batch: list[int] = []
        for row in sorted(range(len(self.texts)), key=lambda i: -len(self.texts[i])):
            n_words = sum(len(self.texts[i]) for i in [*batch, row])
            if batch and n_words > BATCH_TOKENS:
                yield batch
                batch = []
            batch.append(row)
        yield batch

    @torch.inference_mode()
    def run(self, *, packed: bool, by_length: bool) -> np.ndarray:
        means = np.empty((len(self.texts), 2 * SIZE), dtype=np.float32)
        for rows in self.batches(by_length):
            texts = [self.texts[row] for row in rows]
            lengths = torch.tensor([len(text) for text in texts])
            if packed:
                output = self.lstm(pack_sequence(texts, enforce_sorted=False))[0]
                states = pad_packed_sequence(output)[0]
            else:
                states = self.lstm(pad_sequence(texts))[0]
            is_word = torch.arange(len(states))[:, None] < lengths
            sums = (states * is_word[..., None]).sum(0)
            means[rows] = (sums / lengths[:, None]).numpy()
        return means

    @torch.inference_mode()
    def alone(self) -> np.ndarray:
        return np.stack([self.lstm(text)[0].mean(0).numpy() for text in self.texts])


def measure(words: list[list[str]]) -> list[dict[str, Any]]:
    names = sorted({word for text in words for word in text})
    table = np.random.default_rng(0).normal(0, 0.4, (len(names), SIZE))
    vectors = WordVectors(names, table)
    torch.manual_seed(0)
    lstm = nn.LSTM(SIZE, SIZE, num_layers=2, bidirectional=True).eval()
    case = Case(lstm, [torch.from_numpy(vectors[text]) for text in words])
    cases = {
        "nn.LSTM, padded, in order": lambda: case.run(packed=False, by_length=False),
        PEER: lambda: case.run(packed=True, by_length=False),
        "nn.LSTM, packed, sorted": lambda: case.run(packed=True, by_length=True),
        "nn.LSTM, one by one": case.alone,
    }
    for dtype in ("float32", "bfloat16"):
        featurizer = fitted(vectors, lstm, words, dtype)
        cases[f"CoVeFeaturizer, {dtype}"] = lambda f=featurizer: f.transform(words)
    expected = case.alone()
    deviations = {name: np.abs(run() - expected).max() for name, run in cases.items()}
    n_words = sum(map(len, words))
    times = median_times(cases, N_REPETITIONS)
    reference = times[PEER]
    return [
        {
            "case": name,
            "words/s": n_words / seconds,
            "ratio to packed, in order": reference / seconds,
            "deviation": float(deviations[name]),
        }
        for name, seconds in times.items()
    ]


def fitted(
    vectors: WordVectors, lstm: nn.LSTM, words: list[list[str]], dtype: str
) -> CoVeFeaturizer:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.pth"
        torch.save(lstm.state_dict(), path)
        featurizer = CoVeFeaturizer(vectors, encoder=path, dtype=dtype, n_jobs=1)
        featurizer.set_params(store_weights=True).fit(words)
        # A pickle holds the weights, so that the file may go.
        stored: CoVeFeaturizer = pickle.loads(pickle.dumps(featurizer))
    return stored


def main() -> None:
    if not is_here(CORPUS):
        return
    torch.set_num_threads(1)
    texts = (words_of(text)[:LONGEST] for text in simple_wikipedia(N_TEXTS))
    words = [text for text in texts if text]
    n_words = sum(map(len, words))
    print(write("cove", measure(words), NOTES.format(n_words=n_words)))


if __name__ == "__main__":
    main()
