"""Clusters of similarity matrices whose structure is known: blocks of similar texts, with some noise between them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from ratchet.grouping.clusters import LEAST, clear_clusters, lift


def blocks(*sizes: int, within: float = 0.6, between: float = 0.05, noise: float = 0.03) -> Any:
    """A similarity matrix of blocks of the given sizes."""
    owner = owners(sizes)
    similarity = np.where(owner[:, None] == owner[None, :], within, between)
    drawn = np.random.default_rng(0).uniform(0, noise, similarity.shape)
    return similarity + (drawn + drawn.T) / 2


def owners(sizes: Sequence[int]) -> Any:
    return np.repeat(np.arange(len(sizes)), sizes)


@pytest.mark.parametrize("sizes", [(8, 8), (20, 20), (10, 10, 10), (5, 30), (40, 20, 10, 10)])
def test_each_block_of_similar_texts_is_a_cluster(sizes: tuple[int, ...]) -> None:
    labels = clear_clusters(blocks(*sizes))

    assert adjusted_rand_score(owners(sizes), labels) == 1
    assert labels.min() >= 0


@pytest.mark.parametrize(
    "similarity",
    [blocks(30), blocks(15, 15, within=0.2, between=0.15), np.zeros((30, 30)), np.ones((30, 30)), np.eye(30)],
    ids=["one block", "hardly apart", "nothing shared", "all the same", "each by itself"],
)
def test_texts_without_a_clear_structure_are_in_no_cluster(similarity: Any) -> None:
    assert set(clear_clusters(similarity)) == {-1}


@pytest.mark.parametrize(("within", "clear"), [(0.3, False), (0.4, True)])
def test_texts_of_a_cluster_are_far_more_similar_to_each_other(within: float, clear: bool) -> None:
    labels = clear_clusters(blocks(15, 15, within=within, between=0.12, noise=0.01))

    assert bool(labels.max() >= 0) is clear


@pytest.mark.parametrize("seed", range(4))
def test_cluster_that_a_part_of_the_texts_would_not_show_is_none(seed: int) -> None:
    """A few pairs that are alike by chance: some form a part, but another one in each subsample."""
    draw = np.random.default_rng(seed)
    alike = (draw.random((40, 40)) < 0.05) * draw.uniform(0.3, 1, (40, 40))

    assert set(clear_clusters(np.maximum(alike, alike.T) + 0.01)) == {-1}


def test_cluster_needs_five_texts() -> None:
    small = clear_clusters(blocks(LEAST - 1, 30))
    enough = clear_clusters(blocks(LEAST, 30))

    assert set(small[: LEAST - 1]) == {-1}
    assert len(set(small[LEAST:])) == 1
    assert small[-1] >= 0
    assert set(enough[:LEAST]).isdisjoint({-1, enough[-1]})


@pytest.mark.parametrize("count", range(LEAST + 2))
def test_few_texts_are_in_no_cluster(count: int) -> None:
    assert list(clear_clusters(np.eye(count))) == [-1] * count


def test_texts_beside_a_clear_cluster_are_left_out() -> None:
    labels = clear_clusters(blocks(20, *[1] * 20))

    assert len(set(labels[:20])) == 1
    assert labels[0] >= 0
    assert (labels[20:] == -1).sum() >= 15


def test_blocks_of_unlike_density_are_found_beside_each_other() -> None:
    similarity = blocks(20, 20)
    similarity[20:, 20:] *= 0.6

    assert adjusted_rand_score(owners((20, 20)), clear_clusters(similarity)) == 1


def test_the_same_matrix_gives_the_same_labels_and_stays_as_it_was() -> None:
    similarity = blocks(12, 12, 12)
    before = similarity.copy()

    first, again = clear_clusters(similarity), clear_clusters(similarity)

    assert (first == again).all()
    assert (similarity == before).all()


def test_similarity_of_a_text_to_itself_says_nothing() -> None:
    similarity = blocks(12, 12)
    loud = similarity.copy()
    np.fill_diagonal(loud, 50.0)

    assert (clear_clusters(loud) == clear_clusters(similarity)).all()


def test_order_of_the_texts_does_not_change_who_is_together() -> None:
    similarity = blocks(12, 12, 12)
    order = np.random.default_rng(3).permutation(36)

    labels = clear_clusters(similarity[np.ix_(order, order)])

    assert adjusted_rand_score(owners((12, 12, 12))[order], labels) == 1


def test_lift_is_how_much_more_similar_members_are_to_each_other() -> None:
    similarity = np.array([[1.0, 0.6, 0.2], [0.6, 1.0, 0.1], [0.2, 0.1, 1.0]])
    members = np.array([True, True, False])

    assert lift(similarity, members, floor=0.0) == pytest.approx(0.6 / 0.15)
    assert lift(similarity, members, floor=0.05) == pytest.approx(0.6 / 0.2)
