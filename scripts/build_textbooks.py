"""Build the bundled corpus of `skembed.datasets.load_textbooks`.

    python scripts/build_textbooks.py openstax_ccby.jsonl.xz skembed/datasets/data

The source is a file of JSON lines, one section of an OpenStax textbook each, with the
keys ``book``, ``module``, ``title``, ``text`` (paragraphs separated by newlines) and
``source``. The script keeps runs of clean sentences from the books in `BOOKS`, at
most `MOST_PASSAGES` of each subject, and holds whole sections out for the test part.
Nothing is drawn at random: what looks like a draw is ordered by a hash of the text, so
that the same source gives the same file on every machine.
"""
# ruff: noqa: RUF001 - the patterns name the characters of printed text.

import argparse
import hashlib
import json
import lzma
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

# Every book here states CC BY 4.0 in its preface. "Introduction to Business 2e", which
# also occurs in the source, states CC BY-NC-SA and must stay out.
BOOKS = {
    "anthropology": ("introduction-anthropology",),
    "astronomy": ("astronomy",),
    "biology": ("microbiology",),
    "chemistry": ("chemistry-bundle",),
    "economics": ("principles-economics-bundle",),
    "history": ("us-history", "world-history"),
    "physics": ("college-physics-bundle",),
    "politics": ("american-government", "introduction-political-science"),
    "psychology": ("psychology",),
    "sociology": ("introduction-sociology",),
}
MOST_PASSAGES = 600
TEST_SHARE = 0.3
LEAST_WORDS, ENOUGH_WORDS, MOST_WORDS = 55, 95, 150
SHARED_RUN = 8

# What follows one of these headings is exercises, glossaries and references.
END_MATTER = re.compile(
    r"^(references|glossary|suggested readings?|bibliography|answer key|solutions?|"
    r"(key )?(concepts?|terms?|equations?)( and summary| review)?|"
    r"(section|chapter)?\s*(summary|review|quiz|exercises)|short answer|"
    r"(review|conceptual|critical thinking|self-check|thought|discussion|"
    r"personal application|check your understanding)\s+questions?|"
    r"problems( & exercises)?|further research|for further exploration|"
    r"test prep for ap.*|chemistry end of chapter exercises|multiple choice|"
    r"works consulted|notes|footnotes)$",
    re.IGNORECASE,
)
SKIPPED_TITLES = re.compile(
    r"preface|glossary|answer|appendix|connection for ap|references|units|formulas|"
    r"why it matters|symbols",
    re.IGNORECASE,
)
# The names of the disciplines and of those who practise them: a passage that says
# "sociologists" would give its label away.
DISCIPLINES = re.compile(
    r"sociolog|psycholog|anthropolog|economics|economist|biology|biologist|astronom|"
    r"physicist|physics|chemist|political scien|historian|ethnograph|microb?iolog",
    re.IGNORECASE,
)
NOT_PROSE = re.compile(
    "|".join(
        (
            # Links, captions and their credits.
            r"https?:|www\.|\.(com|org|gov|edu)\b|credit:|\bcredit \w|attribution",
            r"CC BY|[Cc]lick|[Ww]atch |[Vv]isit |[Vv]ideo",
            # Prose about the book.
            r"OpenStax|textbook|chapter|\bsection\b|[Ll]earning [Oo]bjective|\bAP\b",
            r"\b(Figure|Table|Example|Appendix|Equation)\b|the following|Note that",
            r"this (book|unit|module|video|example|exercise|activity)|Big Idea",
            r"(discussed|described|mentioned|introduced|explained|seen) in\b",
            r"(discussed|described|mentioned|seen) above|\bprevious(ly)? (disc|sect)",
            # Exercises.
            r"Calculate|\bsolution is\b|Science Practice|\([a-h]\)|:$|\bI'll\b",
            # Footnotes and references.
            r"et al\.|\bpp?\. ?\d|no\. \d|vol\. \d|\):\s?\d|\d:\d+[–-]\d|doi|ISBN",
            r"[Aa]ccessed|[Rr]etrieved|Press,|University Press|Journal of|\.\.\.|…",
            # Formulas, and "CO 2", which is what markup leaves of one.
            r"[=_<>|&¿○Ʃ±⋯≥ʹµ\\{}\[\]#~*@+×Δ·•−≈→∙⨯ﬁﬂ∆\u00ad\u200b\u0080-\u009f]",
            r"[α-ωΑ-Ω\u0300-\u036f]|\b([A-Z][a-z]?){1,3}\)? \d+[+−]?([ ,.;:)]|$)",
        )
    )
)
# What is left where a formula or a reference to a figure was taken out.
HOLE = re.compile(
    r"\b(a|an|and|are|as|at|be|between|by|for|from|in|is|of|on|or|see|shown|than|that|"
    r"the|to|where|which|with|equation|using|since|about|called) ?[,.;:)]|"
    r"[,;:(] [,;:.)]|\( |"
    r"(?<![A-Z])(?<!spp)(?<! sp)(?<!vs)(?<!etc)(?<!\b[ca])[.!?] [a-z]|"
    r"\b(where|of|between|for|by|from|with) (is|are|and)\b|"
    r"\b(the|a|an|of) (is|are|was|and|or|of|in|to|the)\b|"
    r"(Thus|Therefore|Hence|Here), (and|is|are)\b|\bin (and|or|shows?|is|are)\b|"
    r"^(is|are|shows?|See)[ .]|^\w+( \w+)?, (is|are)\b"
)
# Not after an initial, "vs." or "E. coli".
SENTENCE_END = re.compile(
    r"(?:(?<=[.!?])|(?<=[.!?][”\")]))"
    r"(?<!\b[A-Z]\.)(?<!\b[A-Z]\.[A-Z]\.)(?<! vs\.)(?<! St\.)(?<! Dr\.)(?<! Mr\.)"
    r"(?<! Mrs\.)(?<! ed\.) (?=[“\"(]?[A-Z])"
)
# "(Wang 2020)", "(Smith & Jones, 2004; Lee, n.d.)", and what links leave: "( )".
CITATION = re.compile(
    r"\s*\([^()]*(\b[A-Z][^()]*|“[^()]*)(\b(1[89]|20)\d\d[a-z]?|n\.d\.)[^()]*\)|"
    r"\s*\((see|See)?[ ,;.and]*\)"
)


def tidy(paragraph: str) -> str:
    """Take out citations and the blanks that the markup of terms has left."""
    text = CITATION.sub("", paragraph.replace("\xa0", " "))
    text = re.sub(r"(?<=[a-z]) (?=(s|es|d|ed|ly)[ ,.;:)])", "", text)
    text = re.sub(r"(?<=[\w)”]) (?=[,.;:!?)’”](\W|$|s\s))|(?<=“) ", "", text)
    text = re.sub(r"(?<=\w) (?=’s\b)", "", text)
    text = re.sub(r"®|™", "", text)
    return re.sub(r"\s+", " ", text).strip()


def is_clean(sentence: str) -> bool:
    """Whether this is a whole sentence, about the world rather than the book."""
    if not re.match(r"[“\"(]?[A-Z]", sentence) or not re.search(r"\w", sentence):
        return False
    if not re.search(r"[a-zA-Z)”%0-9][.!?][”\")]?$", sentence):
        return False
    return not any(bad.search(sentence) for bad in (NOT_PROSE, DISCIPLINES, HOLE))


def excerpts(paragraph: str) -> Iterator[str]:
    """Yield runs of neighboring clean sentences, each long enough to be a document."""
    run: list[str] = []
    for sentence in SENTENCE_END.split(paragraph):
        clean = is_clean(sentence)
        if clean:
            run += sentence.split()
        if not clean or len(run) >= ENOUGH_WORDS:
            if is_document(run):
                yield " ".join(run)
            run = []
    if is_document(run):
        yield " ".join(run)


def is_document(words: list[str]) -> bool:
    """Whether the length fits and this is prose rather than a worked example."""
    n_numbers = sum(any(character.isdigit() for character in word) for word in words)
    fits = LEAST_WORDS <= len(words) <= MOST_WORDS
    return fits and n_numbers <= 0.06 * len(words)


def digest(text: str) -> str:
    """Order that looks random and is the same everywhere."""
    return hashlib.sha256(text.encode()).hexdigest()


def passages(sections: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Yield the clean paragraphs of some sections, without their end matter."""
    for section in sections:
        if SKIPPED_TITLES.search(section["title"]):
            continue
        for paragraph in section["text"].split("\n"):
            if END_MATTER.match(paragraph.strip()):
                break
            for text in excerpts(tidy(paragraph)):
                where = f"{section['book']}/{section['module']}"
                yield {"text": text, "section": where}


def without_repeats(found: list[dict[str, str]]) -> list[dict[str, str]]:
    """Drop every passage that shares a run of words with an earlier one."""
    seen: set[tuple[str, ...]] = set()
    kept = []
    for passage in found:
        words = re.findall(r"\w+", passage["text"].lower())
        runs = {tuple(words[i : i + SHARED_RUN]) for i in range(len(words))}
        runs = {run for run in runs if len(run) == SHARED_RUN}
        if not runs & seen:
            kept.append(passage)
        seen |= runs
    return kept


def split_by_section(found: list[dict[str, str]]) -> list[dict[str, str]]:
    """Choose passages of one subject and hold whole sections out for testing."""
    chosen = sorted(found, key=lambda p: digest(p["text"]))[:MOST_PASSAGES]
    by_section = defaultdict(list)
    for passage in chosen:
        by_section[passage["section"]].append(passage)
    n_test, rows = 0, []
    for section in sorted(by_section, key=digest):
        subset = "test" if n_test < TEST_SHARE * len(chosen) else "train"
        n_test += len(by_section[section]) * (subset == "test")
        rows += [{**passage, "subset": subset} for passage in by_section[section]]
    return rows


def build(source: Path) -> list[dict[str, str]]:
    """Return all passages, in an order that mixes the subjects."""
    sections = defaultdict(list)
    with lzma.open(source, "rt", encoding="utf-8") as lines:
        for line in lines:
            section = json.loads(line)
            sections[section["book"]].append(section)
    found = [
        {"subject": subject, **passage}
        for subject, books in BOOKS.items()
        for book in books
        for passage in passages(sections[book])
    ]
    found = without_repeats(found)
    rows = []
    for subject in BOOKS:
        mine = [passage for passage in found if passage["subject"] == subject]
        rows += split_by_section(mine)
    return sorted(rows, key=lambda row: digest(row["text"]))


def write(rows: list[dict[str, str]], folder: Path) -> None:
    """Write the passages as compressed JSON lines, whole or not at all."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    target = folder / "textbooks.jsonl.xz"
    temporary = target.with_suffix(".tmp")
    try:
        # The strongest setting; the integrity check makes a damaged file an error.
        packed = lzma.compress(
            lines.encode(), check=lzma.CHECK_SHA256, preset=9 | 1 << 31
        )
        temporary.write_bytes(packed)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="sections of textbooks, .jsonl.xz")
    parser.add_argument("folder", type=Path, help="where to write textbooks.jsonl.xz")
    options = parser.parse_args()
    write(build(options.source), options.folder)
