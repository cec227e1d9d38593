"""
Word embeddings in a pipeline
=============================

How do I put word vectors, trained on my own texts, where
:class:`~sklearn.feature_extraction.text.TfidfVectorizer` stands now?
"""

# %%
# The documents are passages of textbooks, the labels the subjects that they teach. The
# held-out ones come from other sections of the books.
from skembed.datasets import load_textbooks

train = load_textbooks(subset="train")
test = load_textbooks(subset="test")
print(train.target_names[train.target[0]], "|", train.data[0])

# %%
# A :class:`~skembed.SkipGramVectorizer` takes raw text. It learns one vector per word
# from the training documents, and describes a document by the mean of the vectors of
# its words. On a corpus as small as this one (0.3 million words) it needs more than the
# default of 5 epochs.
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skembed import SkipGramVectorizer

model = make_pipeline(
    SkipGramVectorizer(epochs=20, random_state=0),
    StandardScaler(),
    LogisticRegression(C=0.03, max_iter=1000),
)
model.fit(train.data, train.target)
print(f"held-out accuracy: {model.score(test.data, test.target):.3f}")

# %%
# The vectors know more than the classifier asks for: which words are alike.
word_vectors = model[0].word_vectors_
for word in ("planet", "virus", "price", "voters"):
    nearest = word_vectors.most_similar(word, topn=6)
    print(f"{word:>7}: {', '.join(other for other, _ in nearest)}")

# %%
# Where does the classifier err? Where subjects are neighbors.
import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

_, ax = plt.subplots(figsize=(7, 6), layout="constrained")
ConfusionMatrixDisplay.from_estimator(
    model,
    test.data,
    test.target,
    display_labels=test.target_names,
    xticks_rotation=45,
    colorbar=False,
    cmap="Blues",
    ax=ax,
)
plt.show()
