r"""English words as in the corpora that published language models were trained on.

The 1 Billion Word Benchmark, on which ELMo was trained, was cut by the tokenizer of
Moses: punctuation stands alone, a clitic keeps its apostrophe (``don 't``, ``it 's``),
abbreviations keep their period (``U.S.``, ``Mr.``), compounds their hyphens. A network
that has never seen ``don't`` in one piece must not be given it so.
"""

import re

import numpy as np
import numpy.typing as npt

# Those that Moses lists, and that are no words otherwise.
_ABBREVIATIONS = (
    r"Adj|Adm|Adv|Asst|Bart|Bldg|Brig|Bros|Capt|Cmdr|Co|Col|Comdr|Con|Corp|Cpl|DR|Dr|"
    r"Drs|Ens|Gen|Gov|Hon|Hr|Hosp|Inc|Insp|Jr|Lt|Ltd|MM|MR|MRS|MS|Maj|Messrs|Mlle|"
    r"Mme|Mr|Mrs|Ms|Msgr|Op|Ord|Pfc|Ph|Prof|Pvt|Rep|Reps|Res|Rev|Rt|Sen|Sens|Sfc|Sgt|"
    r"Sr|St|Supt|Surg|v|vs|i\.e|e\.g|rev|Rs|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|"
    r"Nov|Dec"
)
_BEFORE_NUMBERS = "No|Nos|Art|Nr|pp"

# A letter or digit, with accents that are written apart; a hyphen is one, too.
_PIECE = r"[^\W_\u2010-\u2015][\u0300-\u036f]*|-"

_WORD = re.compile(
    rf"""
    \.\.+                                               # an ellipsis
    | (?<=[^\W\d_])'[^\W\d_]+ | (?<=\d)'s\b             # a clitic
    | (?:[^\W\d_]{{1,2}}\.)+[^\W\d_]{{1,2}}\.(?!\w)     # U.S., p.m., Ph.D.
    | \b[^\W\d_]\.(?=\s+[^\W\d_])                       # an initial: J. Smith
    | \b(?:{_ABBREVIATIONS})\.(?!\w)
    | \b(?:{_BEFORE_NUMBERS})\.(?=\s*\d)
    | (?:{_PIECE})+ (?:(?:\.|(?<=\d),(?=\d))(?:{_PIECE})+)*
      (?:\.(?=\s+[a-z]))?                               # no sentence ends before these
    | \S
    """,
    re.VERBOSE,
)

# Of one character each, so that places in the text stay what they are.
_STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d\u00b4", "''\"\"'")


def newswire_words(text: str) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Cut English text into words, signs, and where they stand.

    Parameters
    ----------
    text : str

    Returns
    -------
    words : list of str
        Curly quotes and apostrophes are made straight.
    spans : ndarray of shape (n_words, 2), int64
        Where each begins and ends in `text`, in characters.

    References
    ----------
    .. [1] C. Chelba et al., "One Billion Word Benchmark for Measuring Progress in
       Statistical Language Modeling", 2013.

    Examples
    --------
    >>> words, spans = newswire_words("They don't say: 'U.S. GDP fell 1,000.5 units.'")
    >>> " ".join(words)
    "They don 't say : ' U.S. GDP fell 1,000.5 units . '"
    >>> spans[:3].tolist()
    [[0, 4], [5, 8], [8, 10]]
    """
    text = text.translate(_STRAIGHT)
    found = [(match.group(), match.span()) for match in _WORD.finditer(text)]
    spans = np.array([span for _, span in found], dtype=np.int64).reshape(-1, 2)
    return [word for word, _ in found], spans
