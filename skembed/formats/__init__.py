"""Published files of word vectors, to and from plain lists and arrays."""

from skembed.formats._binary import read_word2vec_binary
from skembed.formats._cove import (
    LstmSizes,
    lstm_sizes,
    read_lstm_encoder,
    write_lstm_encoder,
)
from skembed.formats._elmo import ElmoArrays, read_elmo, read_elmo_options
from skembed.formats._elmo_files import ElmoFiles, find_elmo
from skembed.formats._elmo_options import (
    CharacterOptions,
    ElmoOptions,
    array_shapes,
    elmo_options,
    parse_elmo_options,
)
from skembed.formats._elmo_write import write_elmo
from skembed.formats._errors import FormatError
from skembed.formats._fasttext import is_fasttext, read_fasttext
from skembed.formats._fasttext_model import (
    FastTextModel,
    FastTextSettings,
    QuantizedMatrix,
    release,
)
from skembed.formats._fasttext_write import write_fasttext
from skembed.formats._native import read_native, write_native
from skembed.formats._native_ngrams import (
    NgramTable,
    holds_native_ngrams,
    read_native_ngrams,
)
from skembed.formats._table import WordTable
from skembed.formats._text import read_glove_text, read_word2vec_text
from skembed.formats._write import (
    write_glove_text,
    write_word2vec_binary,
    write_word2vec_text,
)

__all__ = [
    "CharacterOptions",
    "ElmoArrays",
    "ElmoFiles",
    "ElmoOptions",
    "FastTextModel",
    "FastTextSettings",
    "FormatError",
    "LstmSizes",
    "NgramTable",
    "QuantizedMatrix",
    "WordTable",
    "array_shapes",
    "elmo_options",
    "find_elmo",
    "holds_native_ngrams",
    "is_fasttext",
    "lstm_sizes",
    "parse_elmo_options",
    "read_elmo",
    "read_elmo_options",
    "read_fasttext",
    "read_glove_text",
    "read_lstm_encoder",
    "read_native",
    "read_native_ngrams",
    "read_word2vec_binary",
    "read_word2vec_text",
    "release",
    "write_elmo",
    "write_fasttext",
    "write_glove_text",
    "write_lstm_encoder",
    "write_native",
    "write_word2vec_binary",
    "write_word2vec_text",
]
