"""
Published vectors
=================

What do published vectors know, and what does it add to train them on my own texts?
"""

# %%
# A cut of GloVe's published file of 6 billion words, as it stands there: a word and 50
# numbers on each line, here compressed. The whole file is loaded in the same way, with
# ``limit`` or ``vocabulary`` to take a part of it.
from skembed import WordVectors

glove = WordVectors.load("glove.6B.50d.cut.txt.xz")
glove

# %%
# The nearest words, by the cosine of the angle between vectors.
import pandas as pd

queries = ["france", "computer", "guitar", "tuesday", "cat"]
pd.DataFrame(
    {word: [near for near, _ in glove.most_similar(word, topn=5)] for word in queries}
)

# %%
# Man is to king as woman is to what? The step from the first word to the second is
# taken from the third.
questions = [
    ("man", "king", "woman"),
    ("france", "paris", "japan"),
    ("france", "paris", "norway"),
    ("germany", "german", "spain"),
    ("big", "bigger", "fast"),
]
for a, b, c in questions:
    answer = glove.analogy(a, b, c, topn=1)[0][0]
    print(f"{a} is to {b} as {c} is to {answer}")

# %%
# Two principal components of 50 dimensions are enough to tell vehicles, pets and fruits
# apart.
import matplotlib.pyplot as plt

from skembed.plotting import WordMapDisplay

groups = {
    "vehicles": ["car", "truck", "bus", "train", "bicycle", "motorcycle", "airplane",
                 "ship", "helicopter", "subway", "taxi", "tram", "ferry", "yacht"],
    "pets": ["dog", "cat", "puppy", "kitten", "rabbit", "parrot", "goldfish", "pony",
             "horse", "turtle", "poodle"],
    "fruits": ["apple", "banana", "orange", "grape", "pear", "peach", "mango",
               "cherry", "strawberry", "lemon", "pineapple", "plum", "melon"],
}  # fmt: skip
WordMapDisplay.from_vectors(glove, groups, method="pca")
plt.show()

# %%
# The same vectors as the first layer of a network, for the indices of one's own
# vocabulary: the padding is zeros, and a word that GloVe does not know is drawn at
# random.
import torch

own_vocabulary = ["<pad>", "the", "cat", "photosynthesizes"]
embedding = glove.to_torch_embedding(
    own_vocabulary, freeze=False, unknown="normal", padding_idx=0, random_state=0
)
embedding(torch.tensor([[1, 2, 3, 0]])).norm(dim=2)

# %%
# For features of documents, the vectors are a parameter. As they are, nothing is
# trained; with ``fine_tune`` they are what training begins with, and words of the texts
# that GloVe does not know join.
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skembed import SkipGramVectorizer
from skembed.datasets import load_textbooks

train = load_textbooks(subset="train")
test = load_textbooks(subset="test")
vectorizers = {
    "published": SkipGramVectorizer(pretrained=glove),
    "learned here": SkipGramVectorizer(vector_size=50, random_state=0),
    "published, then tuned": SkipGramVectorizer(
        pretrained=glove, fine_tune=True, random_state=0
    ),
}
for vectorizer in vectorizers.values():
    vectorizer.fit(train.data)

# %%
# In textbooks, other words are near. Those of GloVe are from news and an encyclopedia.
near = {
    name: [word for word, _ in vectorizer.word_vectors_.most_similar("cell", topn=5)]
    for name, vectorizer in vectorizers.items()
}
pd.DataFrame(near)

# %%
# With few labels and with all, tuned vectors tell ten subjects apart better than either
# the published ones, of which this cut has but the most frequent, or those of these
# texts alone.
n_labels = [50, 100, 200, 500, 1000, len(train.data)]
accuracy = {}
for name, vectorizer in vectorizers.items():
    X, X_test = (vectorizer.transform(part.data) for part in (train, test))
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    accuracy[name] = [
        classifier.fit(X[:n], train.target[:n]).score(X_test, test.target)
        for n in n_labels
    ]
table = pd.DataFrame(accuracy, index=pd.Index(n_labels, name="labels"))
ax = table.plot(logx=True, marker="o", figsize=(7, 4), ylabel="held-out accuracy")
ax.set(xticks=n_labels, xticklabels=n_labels, title="Ten subjects of textbooks")
ax.minorticks_off()
plt.show()
print(table.round(3))
