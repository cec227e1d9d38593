"""Small bidirectional language models with random weights, in every published form."""

import json
import zipfile

import h5py
import numpy as np
import torch

from skembed.formats import ElmoArrays, array_shapes, parse_elmo_options
from skembed.networks import Lexicon, WordReader

CNN = {
    "n_characters": 262,
    "max_characters_per_token": 50,
    "embedding": {"dim": 4},
    "filters": [[1, 3], [2, 4], [3, 5]],
    "n_highway": 1,
    "activation": "relu",
}
LSTM = {
    "dim": 9,
    "projection_dim": 6,
    "n_layers": 2,
    "cell_clip": 3,
    "proj_clip": 3,
    "use_skip_connections": True,
}

VARIANTS = {
    "usual": ({}, {}),
    "261 characters": ({}, {"n_characters": 261}),
    "two highways": ({}, {"n_highway": 2}),
    "no highway": ({}, {"n_highway": None}),
    "tanh": ({}, {"activation": "tanh"}),
    "short words": ({}, {"max_characters_per_token": 9}),
    "no skip": ({"use_skip_connections": None}, {}),
    "one layer": ({"n_layers": 1}, {}),
    "three layers": ({"n_layers": 3}, {}),
    "clips bind": ({"cell_clip": 0.2, "proj_clip": 0.1}, {}),
    "no clips": ({"cell_clip": None, "proj_clip": 0}, {}),
    "no LSTM projection": ({"dim": 6}, {}),
    "identity as projection": ({"dim": 6}, {}),
    "no CNN projection": ({"projection_dim": 12}, {}),
    "words": ({}, None),
}
"""What differs in the options from `LSTM` and `CNN`; None takes a part or key away."""

WORDS = ("<S>", "</S>", "<UNK>", "the", "bank", "of", ",", "river", "a", ".")


def options_of(variant):
    """Return the content of the options.json of a variant."""
    lstm, characters = VARIANTS[variant]
    content = {"lstm": without_none(LSTM | lstm, keep={"cell_clip", "proj_clip"})}
    if characters is not None:
        content["char_cnn"] = without_none(CNN | characters)
    return content


def without_none(values, keep=frozenset()):
    return {k: v for k, v in values.items() if v is not None or k in keep}


def tiny_elmo(variant="usual", seed=0, scale=0.7):
    """Return a model with random weights."""
    options = parse_elmo_options(json.dumps(options_of(variant)))
    rng = np.random.default_rng(seed)
    shapes = array_shapes(options, n_words=len(WORDS))
    left_out = {
        "no LSTM projection": "W_P_0", "no CNN projection": "CNN_proj",
    }.get(variant, "nothing")  # fmt: skip
    arrays = {
        name: rng.normal(0, scale, shape).astype(np.float32)
        for name, shape in shapes.items()
        if left_out not in name
    }
    if variant == "identity as projection":
        for name in arrays:
            if name.endswith("W_P_0"):
                arrays[name] = np.eye(6, dtype=np.float32)
    return ElmoArrays(options, arrays, None if options.characters else WORDS)


def save_elmo(folder, model=None, variant="usual"):
    """Write a model as the authors' programs do; return the folder."""
    model = tiny_elmo(variant) if model is None else model
    folder.mkdir(exist_ok=True)
    content = json.dumps(options_of(variant))
    (folder / "options.json").write_text(content)
    with h5py.File(folder / "weights.hdf5", "w") as file:
        for name, array in model.arrays.items():
            file[name] = array
    if model.words is not None:
        (folder / "vocab.txt").write_text("\n".join(model.words) + "\n", "utf-8")
    return folder


def zip_folder(folder, path, prefix=""):
    """Put the files of a folder into an archive; return its path."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
    return path


def layers_of(model, batches, initial_state, max_length=512, dtype=torch.float32):
    """Read batches of texts, which are lists of words, one after the other.

    Returns the layers of each text, of shape (n_layers, n_words, width), by batch.
    """
    lexicon = Lexicon()
    reader = model.begun(initial_state).reader(lexicon, torch.device("cpu"), dtype)
    read = WordReader(
        str.split, lexicon, begin=model.begin, end=model.end, max_length=max_length
    )
    return [_layers_of_batch(reader, read(texts)) for texts in batches]


def _layers_of_batch(reader, windows):
    found, last = [], len(reader.widths) - 1
    rows = np.arange(len(windows.ids))
    begin = reader.carry(windows, last)(rows)
    reader.run(windows.ids, last, lambda _, x: found.append(x.float().numpy()), begin)
    text = np.repeat(windows.text, windows.ids.lengths)
    of_text = [(text == i) & ~windows.special for i in range(windows.n_texts)]
    return [np.array(found)[:, mask] for mask in of_text]
