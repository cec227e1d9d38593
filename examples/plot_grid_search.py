"""
Tune without training again
===========================

How do I search over ways to use word vectors, without learning them anew for each?
"""

# %%
# With ``memory=``, vectors are kept by the training documents, the parameters of
# training and the seed. How documents are pooled, and which of the two vectors of a
# word are kept, are none of these: the grid below has 16 candidates and 3 folds, 48
# fits, but trains 3 times.
import tempfile

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skembed import SkipGramVectorizer
from skembed.datasets import load_textbooks

train = load_textbooks(subset="train")
cache = tempfile.TemporaryDirectory()

pipeline = make_pipeline(
    SkipGramVectorizer(epochs=10, memory=cache.name, random_state=0),
    StandardScaler(),
    LogisticRegression(max_iter=1000),
)
grid = {
    "skipgramvectorizer__pooling": ["mean", "max", "idf", "sif"],
    "skipgramvectorizer__vectors": ["input", "input+output"],
    "logisticregression__C": [0.003, 0.03],
}

# %%
# Passages of one section resemble each other. Folds that keep sections whole measure
# how the model does on text that it has not seen.
search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), refit=False)
search.fit(train.data, train.target, groups=train.groups)

# %%
# Most of the time went into training, in the first candidate of each fold.
import pandas as pd

results = pd.DataFrame(search.cv_results_)
seconds = results["mean_fit_time"]
print(f"first candidate: {seconds[0]:.2f} s a fold, others: {seconds[1:].mean():.2f} s")

# %%
# The better of the two strengths of regularization, for each way:
import matplotlib.pyplot as plt

prefix = "param_skipgramvectorizer__"
ways = [f"{prefix}pooling", f"{prefix}vectors"]
best = results.loc[results.groupby(ways)["mean_test_score"].idxmax()]
best = best.sort_values("mean_test_score")
_, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
ax.errorbar(
    best["mean_test_score"],
    best[ways].agg(" of ".join, axis=1),
    xerr=best["std_test_score"],
    fmt="o",
)
ax.set(xlabel="accuracy in cross-validation", title="Pooling and kind of vectors")
plt.show()
cache.cleanup()
