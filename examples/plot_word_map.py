"""
A map of words
==============

What has the model learned about the words of my texts?
"""

# %%
# Words are vectors now, and those of words used alike point the same way.
from skembed import SkipGramVectorizer
from skembed.datasets import load_textbooks

texts = load_textbooks().data
vectorizer = SkipGramVectorizer(epochs=20, random_state=0).fit(texts)

# %%
# t-SNE keeps neighborhoods. The colors are ours; the model has seen no labels.
import matplotlib.pyplot as plt

from skembed.plotting import WordMapDisplay

groups = {
    "planets": ["mercury", "venus", "mars", "jupiter", "saturn", "uranus", "neptune"],
    "microbes": ["virus", "bacteria", "fungi", "pathogen", "infection", "antibodies"],
    "markets": ["price", "demand", "supply", "inflation", "wages", "firms"],
    "elections": ["voters", "candidate", "congress", "senate", "president", "party"],
    "molecules": ["acid", "ions", "solution", "oxygen", "hydrogen", "carbon"],
    "families": ["mother", "father", "child", "parents", "family"],
}
WordMapDisplay.from_estimator(vectorizer, groups, method="tsne")
plt.show()

# %%
# Principal components keep directions: the steps from a country to its people are
# roughly parallel.
WordMapDisplay.from_estimator(
    vectorizer,
    arrows=[
        ("france", "french"),
        ("germany", "german"),
        ("england", "english"),
        ("japan", "japanese"),
        ("china", "chinese"),
        ("spain", "spanish"),
    ],
)
plt.show()
