"""Several processes train together, each on its share, and end with the same tables."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.training._torch.ranks import Ranks
from skembed.training.fasttext import FastTextConfig, train_fasttext
from skembed.training.glove import GloVeConfig, train_glove
from skembed.training.skipgram import SkipGramConfig, train_skipgram
from tests.training.topics import gap_between_topics

CPU = torch.device("cpu")
# Words of one topic (see `topics`) share an n-gram with four others of it.
# Of each word two, which the same words have.
NGRAMS = (np.arange(100)[:, None] % 20 + [0, 20]).astype(np.int32).ravel()

# What each of the processes does.
CODE = """if True:
    import sys
    import numpy as np
    import torch
    import torch.distributed as dist
    from skembed._ragged import Ragged
    from skembed.training.cooccurrence import Cooccurrences
    from skembed.training.fasttext import FastTextConfig, train_fasttext
    from skembed.training.glove import GloVeConfig, train_glove
    from skembed.training.skipgram import SkipGramConfig, train_skipgram

    rank, folder = int(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2
    )
    given = np.load(f"{folder}/given.npz")
    corpus = Ragged(given["values"], given["offsets"])
    device = torch.device("cpu")
    config = SkipGramConfig(vector_size=12, window=3, sample=1e-2, epochs=4)
    # Random seeds that differ: tables begin with what the first process has.
    words = train_skipgram(
        corpus, given["counts"], config, seed=rank, device=device
    )
    counts = Cooccurrences(given["rows"], given["columns"], given["x"])
    config = GloVeConfig(vector_size=12, epochs=4)
    glove = train_glove(counts, 100, config, seed=rank, device=device)
    ngrams = Ragged(given["ngrams"], 2 * np.arange(101))
    config = FastTextConfig(vector_size=12, window=3, sample=1e-2, epochs=4)
    composed = train_fasttext(
        corpus, given["counts"], ngrams, config, seed=rank, device=device
    )
    np.savez(
        f"{folder}/{rank}.npz",
        input=words.input, output=words.output, losses=words.losses,
        vectors=composed.vectors, ngrams=composed.tables.ngrams,
        fasttext_losses=composed.losses,
        glove=glove.tables.input, biases=glove.tables.input_bias,
        glove_losses=glove.losses,
    )
    dist.destroy_process_group()
"""


@pytest.fixture(scope="module")
def trained(topics, counted, tmp_path_factory):
    """Return what both processes have learned."""
    folder = tmp_path_factory.mktemp("ranks")
    (corpus, counts), (rows, columns, x) = topics, counted[:3]
    np.savez(
        folder / "given.npz", values=corpus.values, offsets=corpus.offsets,
        counts=counts, rows=rows, columns=columns, x=x, ngrams=NGRAMS,
    )  # fmt: skip
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CODE, str(rank), str(folder)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    return [dict(np.load(folder / f"{rank}.npz")) for rank in range(2)]


@pytest.mark.parametrize(("n", "size"), [(0, 2), (10, 1), (10, 3), (2, 4)])
def test_each_item_is_in_the_share_of_one_process(n, size):
    shares = []
    for number in range(size):
        ranks = Ranks()
        ranks.rank, ranks.size = number, size
        shares.append(range(*ranks.share(n)))
    assert [item for share in shares for item in share] == list(range(n))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.slow
def test_all_processes_end_with_the_same_tables_and_losses(trained):
    first, second = trained
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert_array_equal(values, second[name])


@pytest.mark.slow
def test_two_processes_learn_the_words_that_one_learns(topics, trained):
    config = SkipGramConfig(vector_size=12, window=3, sample=1e-2, epochs=4)
    alone = train_skipgram(*topics, config, seed=0, device=CPU)
    assert_allclose(trained[0]["losses"], alone.losses, rtol=0.1)
    assert gap_between_topics(trained[0]["input"]) > 0.3


@pytest.mark.slow
def test_two_processes_learn_the_ngrams_that_one_learns(topics, trained):
    config = FastTextConfig(vector_size=12, window=3, sample=1e-2, epochs=4)
    ngrams = Ragged(NGRAMS, 2 * np.arange(101))
    alone = train_fasttext(*topics, ngrams, config, seed=0, device=CPU)
    assert_allclose(trained[0]["fasttext_losses"], alone.losses, rtol=0.1)
    assert gap_between_topics(trained[0]["vectors"]) > 0.3


@pytest.mark.slow
def test_two_processes_learn_the_counts_that_one_learns(counted, trained):
    config = GloVeConfig(vector_size=12, epochs=4)
    alone = train_glove(counted, 100, config, seed=0, device=CPU)
    # It takes an epoch or two until copies that are rarely merged agree.
    assert_allclose(trained[0]["glove_losses"][2:], alone.losses[2:], rtol=0.2)
