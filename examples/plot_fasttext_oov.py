"""
Typos and unseen words
======================

What happens to my features when texts hold words that training never saw?
"""

# %%
# A model of whole words knows nothing about a word that is not in its vocabulary.
# fastText also learns the character n-grams that words are made of, and describes an
# unseen word by those that it shares with known ones. Both learn from the same passages
# of textbooks.
from skembed import FastTextVectorizer, SkipGramVectorizer
from skembed.datasets import load_textbooks

train, test = load_textbooks(subset="train"), load_textbooks(subset="test")
subwords = FastTextVectorizer(epochs=10, random_state=0).fit(train.data)
words = SkipGramVectorizer(epochs=10, random_state=0).fit(train.data)

# %%
# None of these is a word of the passages. Their nearest known words tell what the model
# makes of them: misspelled, inflected, compounded, made up.
unseen = ["goverment", "photosinthesis", "electronical", "neurotoxicity", "ungoverned"]
for word in unseen:
    nearest = subwords.word_vectors_.most_similar(word, topn=4)
    print(f"{word:15}", *(f"{near} {score:.2f}" for near, score in nearest), sep="  ")

# %%
# The n-grams of a word, from 3 to 6 characters, between marks of where it begins and
# ends:
print(subwords.subwords("atoms")[0])

# %%
# How much does it help? A classifier of subjects, trained on clean passages, reads
# passages in which more and more words have a typo: two neighboring letters swapped,
# one left out, or one doubled.
import numpy as np


def misspell(word: str, share: float) -> str:
    """Put a typo into a share of the words that have more than three letters."""
    if len(word) <= 3 or rng.random() >= share:
        return word
    i = int(rng.integers(1, len(word) - 2))
    a, b = word[i], word[i + 1]
    return word[:i] + str(rng.choice([b + a, b, a + a + b])) + word[i + 2 :]


rng = np.random.default_rng(0)
shares = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
misspelled = {
    share: [" ".join(misspell(w, share) for w in text.split()) for text in test.data]
    for share in shares
}
print(misspelled[0.6][0][:150])

# %%
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

models = {
    "words and n-grams (FastTextVectorizer)": (subwords, StandardScaler()),
    "words (SkipGramVectorizer)": (words, StandardScaler()),
    "words (TfidfVectorizer)": (TfidfVectorizer().fit(train.data), None),
}
accuracy = {}
for name, (vectorizer, scaler) in models.items():
    model = make_pipeline(scaler or "passthrough", LogisticRegression(max_iter=300))
    model.fit(vectorizer.transform(train.data), train.target)
    accuracy[name] = [
        model.score(vectorizer.transform(texts), test.target)
        for texts in misspelled.values()
    ]

# %%
# As long as some words are left whole, their mean tells the subject, and the vectors of
# misspelled ones add little to it. Where all longer words have a typo, n-grams keep
# what vectors of whole words have lost. Counts of words do best until then.
import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
for (name, values), color in zip(
    accuracy.items(), ["#0072b2", "#d55e00", "#999999"], strict=True
):
    ax.plot(100 * np.array(shares), values, "o-", color=color, label=name)
ax.legend(frameon=False)
ax.set(
    xlabel="words of more than three letters with a typo (%)",
    ylabel="accuracy",
    title="Ten subjects, told apart in misspelled texts",
    xlim=(0, 100),
)
ax.spines[["top", "right"]].set_visible(False)
ax.grid(axis="y", alpha=0.3)
plt.show()

# %%
# The same in a picture: words (dots) and what typos make of them (crosses), on the
# principal components of both.
pairs = {
    "government": ["goverment", "govermnent", "governmnet"],
    "temperature": ["temprature", "temperatur", "tempereture"],
    "bacteria": ["bactera", "bacterria", "bcateria"],
    "inflation": ["inflaton", "infaltion", "inflattion"],
    "equation": ["eqaution", "equasion", "equattion"],
    "chromosomes": ["chromosoms", "cromosomes", "chromosmes"],
}
known = subwords.word_vectors_.vectors_of(list(pairs))
typos = [subwords.word_vectors_.vectors_of(wrong) for wrong in pairs.values()]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors to length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


center = unit(known).mean(axis=0)
axes = np.linalg.svd(unit(known) - center, full_matrices=False)[2][:2].T
figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
for i, (word, wrong) in enumerate(pairs.items()):
    color = plt.cm.Dark2(i)
    x, y = (unit(known[i]) - center) @ axes
    ax.plot(x, y, "o", color=color, ms=9)
    ax.annotate(
        word, (x, y), xytext=(0, 10), textcoords="offset points", ha="center",
        color=color, weight="bold",
    )  # fmt: skip
    for (u, v), label in zip((unit(typos[i]) - center) @ axes, wrong, strict=True):
        ax.plot([x, u], [y, v], "-", color=color, lw=0.8, alpha=0.6)
        ax.plot(u, v, "x", color=color)
        ax.annotate(
            label, (u, v), xytext=(5, -3), textcoords="offset points", fontsize=8,
            color=color,
        )  # fmt: skip
ax.set(xticks=[], yticks=[], title="Misspelled words lie by the right ones")
ax.margins(0.15)
plt.show()
