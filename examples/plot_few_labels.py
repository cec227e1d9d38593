"""
Few labels, much text
=====================

When are word vectors worth it, and when is TF-IDF enough?
"""

# %%
# Labels cost work, text does not. All training passages teach the vectors, as text, and
# the idf weights of TF-IDF too; only the first few teach the classifier.
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skembed import SkipGramVectorizer
from skembed.datasets import load_textbooks

train = load_textbooks(subset="train")
test = load_textbooks(subset="test")

tfidf = TfidfVectorizer(sublinear_tf=True)
skip_gram = make_pipeline(
    SkipGramVectorizer(epochs=40, random_state=0), StandardScaler()
)
# Each with a linear classifier that suits it. A TF-IDF row has length 1, one of scaled
# features about 10: the union weighs them alike.
representations = {
    "TF-IDF": (tfidf, LinearSVC()),
    "skip-gram": (skip_gram, LogisticRegression(C=0.01, max_iter=1000)),
    "both": (
        make_union(tfidf, skip_gram).set_params(
            transformer_weights={"pipeline": 0.1},
        ),
        LogisticRegression(C=1, max_iter=1000),
    ),
}

# %%
# Each representation is learned once; then classifiers are, with more and more labels.
n_labels = [50, 100, 200, 500, 1000, 2000, len(train.data)]
accuracy = {}
for name, (representation, classifier) in representations.items():
    X = representation.fit_transform(train.data)
    X_test = representation.transform(test.data)
    accuracy[name] = [
        classifier.fit(X[:n], train.target[:n]).score(X_test, test.target)
        for n in n_labels
    ]

# %%
# With few labels the vectors are far ahead, because they know from the unlabeled text
# which words are alike. With thousands TF-IDF catches up: it can give every rare word a
# weight of its own, which an average of vectors blurs.
import pandas as pd

table = pd.DataFrame(accuracy, index=pd.Index(n_labels, name="labels"))
print(table.round(3))

# %%
import matplotlib.pyplot as plt

ax = table.plot(logx=True, marker="o", figsize=(7, 4), ylabel="held-out accuracy")
ax.set(xticks=n_labels, xticklabels=n_labels, title="Ten subjects of textbooks")
ax.minorticks_off()
plt.show()
