import pytest

from skembed import SkipGramVectorizer


@pytest.fixture
def vectorizer():
    """A small estimator, not fitted."""
    return SkipGramVectorizer(vector_size=4, min_count=1, epochs=2, random_state=0)


@pytest.fixture
def animals():
    """Nine short documents, one of them empty, in which "the" is everywhere."""
    return [
        "the cat purrs",
        "the dog barks",
        "the cat sleeps",
        "",
        "the dog sleeps the night",
        "the cat and the dog",
        "the bird sings",
        "the night and the day",
        "the day",
    ]
