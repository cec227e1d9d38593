import heapq

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skembed.counts import huffman_tree

falling_counts = st.lists(st.integers(1, 1000), min_size=2, max_size=40).map(
    lambda counts: np.array(sorted(counts, reverse=True))
)


def least_cost(counts):
    """Length of the text in the best code: Huffman's algorithm with a heap."""
    heap, cost = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        cost += joined
        heapq.heappush(heap, joined)
    return cost


@given(falling_counts)
def test_ways_are_as_short_as_can_be(counts):
    assert np.diff(huffman_tree(counts).offsets) @ counts == least_cost(counts)


@given(falling_counts)
def test_ways_lead_through_one_binary_tree(counts):
    tree = huffman_tree(counts)
    child = {}
    for word in range(len(counts)):
        way = range(tree.offsets[word], tree.offsets[word + 1])
        ends = [*(int(tree.nodes[k]) for k in way[1:]), f"word {word}"]
        for k, end in zip(way, ends, strict=True):
            # The same turn at the same node always leads to the same place.
            assert child.setdefault((tree.nodes[k], tree.codes[k]), end) == end
    assert len(child) == 2 * (len(counts) - 1)
    assert len({tree.nodes[i] for i in tree.offsets[:-1]}) == 1


def test_a_single_word_has_no_way_to_go():
    assert huffman_tree(np.array([7])).offsets.tolist() == [0, 0]
