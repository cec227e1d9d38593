"""
The whole job on the bundled text
=================================

Train word vectors, tune a classifier on them, compare it with TF-IDF, look at the
words, save the model, and use it from a new process. ``make quickstart`` runs this::

    python examples/quickstart.py [FOLDER]
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import joblib
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skembed import SkipGramVectorizer
from skembed.datasets import load_textbooks
from skembed.plotting import WordMapDisplay

FEW_LABELS = 200
GROUPS = {
    "planets": ["mercury", "venus", "mars", "jupiter", "saturn"],
    "microbes": ["virus", "bacteria", "fungi", "pathogen", "infection"],
    "markets": ["price", "demand", "supply", "inflation", "wages"],
    "elections": ["voters", "candidate", "congress", "senate", "party"],
    "molecules": ["acid", "ions", "oxygen", "hydrogen", "carbon"],
    "families": ["mother", "father", "child", "parents", "family"],
}


def tune_embedding(train, folder):
    """Choose among ways to pool; the word vectors are trained once per fold."""
    pipeline = make_pipeline(
        SkipGramVectorizer(epochs=40, memory=folder / "cache", random_state=0),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )
    grid = {
        "skipgramvectorizer__pooling": ["mean", "idf", ("mean", "max")],
        "skipgramvectorizer__remove_components": [0, 1],
        "logisticregression__C": [0.001, 0.003, 0.01, 0.03],
    }
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), n_jobs=2)
    return search.fit(train.data, train.target, groups=train.groups)


def tune_tfidf(train):
    """Give the baseline the same chance."""
    pipeline = make_pipeline(TfidfVectorizer(sublinear_tf=True), LinearSVC())
    grid = {"tfidfvectorizer__min_df": [1, 3], "linearsvc__C": [0.1, 0.3, 1, 3]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), n_jobs=2)
    return search.fit(train.data, train.target, groups=train.groups)


def accuracy_with_few_labels(model, train, test):
    """Learn the words from all training documents, the subjects from few of them."""
    features, classifier = clone(model[:-1]), clone(model[-1])
    X = features.fit_transform(train.data)
    classifier.fit(X[:FEW_LABELS], train.target[:FEW_LABELS])
    return classifier.score(features.transform(test.data), test.target)


def compare(folder):
    """Print the held-out accuracies; return the tuned pipeline on word vectors."""
    train, test = (load_textbooks(subset=subset) for subset in ("train", "test"))
    print(f"{len(train.data)} documents to train on, {len(test.data)} held out")
    searches = {
        "skip-gram": tune_embedding(train, folder),
        "TF-IDF": tune_tfidf(train),
    }
    print(f"\nheld-out accuracy   all labels   {FEW_LABELS} labels")
    for name, search in searches.items():
        full = search.score(test.data, test.target)
        few = accuracy_with_few_labels(search.best_estimator_, train, test)
        print(f"{name:<18} {full:>11.3f} {few:>12.3f}")
    for name, search in searches.items():
        chosen = {key.split("__")[1]: v for key, v in search.best_params_.items()}
        print(f"chosen for {name}: {chosen}")
    return searches["skip-gram"].best_estimator_


def show_words(model, folder):
    """Print the nearest words of some, and draw a map of others."""
    vectorizer = model[0]
    print("\nnearest words")
    for word in ("planet", "virus", "price", "voters", "molecule"):
        nearest = vectorizer.word_vectors_.most_similar(word, topn=5)
        print(f"{word:<10}", ", ".join(other for other, _ in nearest))
    display = WordMapDisplay.from_estimator(vectorizer, GROUPS, method="tsne")
    display.figure_.savefig(folder / "word_map.png", dpi=150)
    print(f"\npicture of the word map: {folder / 'word_map.png'}")


def save_and_predict(model, folder):
    """Save the model, and have a new process read it and classify a document."""
    path = folder / "model.joblib"
    joblib.dump(model, path)
    print(f"model: {path} ({path.stat().st_size / 1e6:.1f} MB)")
    command = [sys.executable, __file__, "--predict", str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    test = load_textbooks(subset="test")
    expected = test.target_names[model.predict(test.data[:1])[0]]
    if answer.split() != [expected]:
        msg = f"the new process says {answer!r}, this one {expected!r}"
        raise RuntimeError(msg)
    print(f"a new process loads it and predicts: {expected!r}, as this one does, for")
    print(f"    {test.data[0][:76]}...")


def predict(path):
    """Classify the first held-out document; this is what the new process runs."""
    test = load_textbooks(subset="test")
    print(test.target_names[joblib.load(path).predict(test.data[:1])[0]])


def main():
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[1])
    parser.add_argument("folder", type=Path, nargs="?", default="quickstart-output")
    parser.add_argument("--predict", type=Path, metavar="MODEL", help="only this")
    options = parser.parse_args()
    if options.predict:
        predict(options.predict)
        return
    start = time.perf_counter()
    options.folder.mkdir(parents=True, exist_ok=True)
    model = compare(options.folder)
    show_words(model, options.folder)
    save_and_predict(model, options.folder)
    print(f"done in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
