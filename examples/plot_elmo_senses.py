"""
The senses of a word, learned from two textbooks
================================================

Can a language model that has read for half a minute tell the interest on a loan from
the interest of voters?
"""

# %%
# Nothing is downloaded here. Without `weights`, :class:`~skembed.ELMoFeaturizer` trains
# a small bidirectional language model on the texts that `fit` is given: one half of it
# predicts each word from those before it, the other from those after it. Its whole
# world are the sentences of a textbook of economics and of one of politics.
import re

from skembed import ELMoFeaturizer
from skembed.datasets import load_textbooks

books = load_textbooks()
sentences, subjects = [], []
for text, target in zip(books.data, books.target, strict=True):
    subject = books.target_names[target]
    if subject in {"economics", "politics"}:
        parts = re.split(r"(?<=[.!?])\s+", text.lower())
        sentences += parts
        subjects += [subject] * len(parts)
print(f"{len(sentences):,} sentences")

# %%
# `history_` has the perplexity of the sentences that are held out of training: between
# how many words the model hesitates in the mean. It falls, and is still high: a model
# for English needs a thousand times as much text.
import pandas as pd

featurizer = ELMoFeaturizer(
    size=64, epochs=4, layers="all", mixing="concat", random_state=0, n_jobs=2
).fit(sentences)
print(pd.DataFrame(featurizer.history_).round(1).to_string(index=False))

# %%
# For senses it may be enough. Take all sentences with the word, and the vector that
# each layer has for it there. Which sense it has, we take from the subject of the book;
# the model was not told.
import numpy as np

subjects = np.array(subjects)
rows = [i for i, s in enumerate(sentences) if re.search(r"\binterest\b", s)]
truth = subjects[rows]
vectors = featurizer.word_in_context([sentences[i] for i in rows], "interest")
vectors = vectors.reshape(len(rows), 3, -1)
print(pd.Series(truth).value_counts().to_string())

# %%
# Layer 0 is made of the letters of the word alone, and the same in all sentences. The
# layers above it have read the neighbors. In two of their directions, the senses lie
# in regions that overlap: states also tell what may follow, whatever the sense.
import matplotlib.pyplot as plt

from skembed.plotting import SenseMapDisplay

fig, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
for layer, ax in zip((1, 2), axes, strict=True):
    SenseMapDisplay.from_vectors(vectors[:, layer], truth, ax=ax)
    ax.set_title(f"interest, layer {layer}")
plt.show()

# %%
# In all of their directions, in how many sentences do the five nearest neighbors, by
# the cosine of the vectors, vote for the right subject? Always to guess the more
# frequent one is what one can do without a context.
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

knn = KNeighborsClassifier(n_neighbors=5, metric="cosine")
shares = {
    f"layer {layer}": cross_val_score(
        knn, vectors[:, layer], truth, cv=LeaveOneOut()
    ).mean()
    for layer in (1, 2)
}
shares["more frequent"] = np.mean(truth == "politics")
print(pd.Series(shares).round(2).to_string())

# %%
# Which layer is worth how much depends on the task, and ``mixing="learned"`` finds out:
# it learns one weight per layer together with a linear model of `y`. Here are two tasks
# on 1,500 of the sentences: to tell the subject, and to tell whether the words of a
# sentence still are in their order. The second cannot be done with layer 0, of which
# the mean over the words does not depend on their order.
#
# The model that was trained is saved, and read by another estimator.
from tempfile import TemporaryDirectory

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(0)
chosen = rng.choice(len(sentences), size=1500, replace=False)
words = featurizer.transform_tokens([sentences[i] for i in chosen]).tokens
is_shuffled = rng.random(len(words)) < 0.5
mixed_up = [
    rng.permutation(sentence).tolist() if shuffle else sentence
    for sentence, shuffle in zip(words, is_shuffled, strict=True)
]
tasks = {"subject": (words, subjects[chosen]), "order": (mixed_up, is_shuffled)}
weights, accuracies = {}, {}
with TemporaryDirectory() as folder:
    featurizer.save_weights(folder)
    for task, (X, y) in tasks.items():
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
        mixed = ELMoFeaturizer(folder, mixing="learned").fit(X_train, y_train)
        weights[task] = mixed.layer_weights_
        for name, model in {
            "layer 0": ELMoFeaturizer(folder, layers=0).fit(X_train),
            "learned mix": mixed,
        }.items():
            classifier = LogisticRegression(max_iter=1000)
            classifier.fit(model.transform(X_train), y_train)
            accuracies[task, name] = classifier.score(model.transform(X_test), y_test)
print(pd.Series(accuracies).unstack().round(2))

# %%
pd.DataFrame(weights).T.plot.barh(stacked=True, figsize=(7, 2.5))
plt.xlabel("weight in the mix")
plt.legend(
    ["layer 0", "layer 1", "layer 2"], loc="center left", bbox_to_anchor=(1, 0.5)
)
plt.tight_layout()
plt.show()
