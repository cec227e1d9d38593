"""What each pooling means, one document after another, in float64."""

import numpy as np


def pool(documents, table, pooling, *, idf=None, sif=None):
    """Pool ``table[document]`` for lists of ids; shape (n_documents, vector_size)."""
    rows = [pool_one(ids, table, pooling, idf, sif) for ids in documents]
    return np.array(rows).reshape(len(documents), table.shape[1])


def pool_one(ids, table, pooling, idf, sif):
    vectors = table[ids].astype(np.float64)
    if len(ids) == 0:
        return np.zeros(table.shape[1])
    if pooling == "mean":
        return vectors.mean(axis=0)
    if pooling == "sum":
        return vectors.sum(axis=0)
    if pooling == "max":
        return vectors.max(axis=0)
    if pooling == "min":
        return vectors.min(axis=0)
    if pooling == "idf":
        return np.average(vectors, axis=0, weights=idf[ids])
    if pooling == "sif":
        return (sif[ids][:, None] * vectors).sum(axis=0) / len(ids)
    raise ValueError(pooling)


def idf(documents, n_words):
    """ln((1 + n) / (1 + df(w))) + 1, where df(w) of the n documents hold w."""
    df = np.array(
        [sum(w in document for document in documents) for w in range(n_words)]
    )
    return np.log((1 + len(documents)) / (1 + df)) + 1


def sif(documents, n_words, a=1e-3):
    """a / (a + p(w)), where a share p(w) of all tokens are w."""
    tokens = [w for document in documents for w in document]
    p = np.array([tokens.count(w) / max(len(tokens), 1) for w in range(n_words)])
    return a / (a + p)


def without_common_components(features, training_features, n_components):
    """Subtract the projections on the first right singular vectors, one by one."""
    _, _, right = np.linalg.svd(training_features, full_matrices=False)
    features = np.array(features, dtype=np.float64)
    for u in right[:n_components]:
        features = features - np.outer(features @ u, u)
    return features
