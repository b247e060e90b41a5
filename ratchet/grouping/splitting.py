"""Failures of the same criteria, split by what they say, if there is a clear structure in it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ratchet.grouping.clusters import clear_clusters, lift
from ratchet.grouping.titles import without_catchwords
from ratchet.grouping.wording import Meanings, Wording, similarity_views, unit_rows

COPIES = 3
"""The same text said more often counts this often: repetition alone makes no group."""
VARIANTS = 3
"""Different texts of a group at least."""
MANY = 60
COMPLETE = 0.8
"""Share of the failures that have to be in a group where these are not many."""
STOCK = 0.05
"""A text that this share of the failures have word for word is a stock phrase, such as "I do not know"."""
HALF = 0.5
"""A text whose groups hold this share of the failures explains enough not to ask the next one."""
LIFT_OF_THE_REST = 1.75
"""Without their catchwords, texts of a group are still this many times as similar to each other as to others."""
FLOOR_OF_THE_REST = 0.02
"""Similarity that is as good as none: where nearly nothing is left to compare."""
AGREEING = 0.25
"""Two texts whose clusters have this adjusted Rand index tell the same causes: chance gives 0, the same clusters 1."""


def split(wordings: Sequence[Wording], meanings: Meanings | None = None) -> list[list[int]]:
    """Positions of the failures of each clear group, largest first; those of no clear group are left out.

    A group is looked for in what was wrong, in the inputs and in the outputs. Where these tell different stories, the
    first of them that accounts for half of the failures counts; where they tell the same one they are taken together.
    Few failures are only split where nearly all of them are in a group: what is split too early stays so.
    """
    import numpy as np

    chosen = _few_copies(wordings)
    said = [wordings[position] for position in chosen]
    if len(set(said)) <= 2 * VARIANTS:
        return []
    labels = _labels(said, meanings)
    if len(said) < MANY and _share(labels) < COMPLETE:
        return []
    found = [[chosen[i] for i in np.flatnonzero(labels == label)] for label in np.unique(labels) if label >= 0]
    found = [members for members in found if len({wordings[position] for position in members}) >= VARIANTS]
    return sorted(found, key=lambda members: (-len(members), members[0]))


def _few_copies(wordings: Sequence[Wording]) -> list[int]:
    seen: Counter[Wording] = Counter()
    chosen = []
    for position, wording in enumerate(wordings):
        seen[wording] += 1
        if seen[wording] <= COPIES:
            chosen.append(position)
    return chosen


def _labels(said: Sequence[Wording], meanings: Meanings | None) -> Any:
    import numpy as np

    views = similarity_views(said, meanings=meanings)
    similar = {view: np.maximum((matrix @ matrix.T).toarray(), 0) for view, matrix in views.items()}
    labels = {view: _substantial(clear_clusters(similar[view]), said, [view]) for view in similar}
    if not labels:
        return np.full(len(said), -1)
    first = max(labels, key=lambda view: min(_share(labels[view]), HALF))
    agreeing = [view for view in similar if view == first or _agree(labels[first], labels[view])]
    if len(agreeing) == 1:
        return labels[first]
    together = clear_clusters(sum(_without_stock(similar[view], said, view) for view in agreeing) / len(agreeing))
    return max(_substantial(together, said, agreeing), labels[first], key=_share)


def _without_stock(similarity: Any, said: Sequence[Wording], view: str) -> Any:
    """The similarity without that of stock phrases, which would outweigh all that is said besides."""
    import numpy as np

    counts = Counter(getattr(item, view) for item in said)
    stock = np.array([counts[getattr(item, view)] >= STOCK * len(said) for item in said])
    return np.where(stock[:, None] & stock[None, :], 0, similarity)


def _agree(one: Any, other: Any) -> bool:
    """Whether two texts tell the same causes of the failures that are in a group by both, or neither tells any."""
    from sklearn.metrics import adjusted_rand_score

    both = (one >= 0) & (other >= 0)
    if one.max() < 0:
        return True
    return bool(both.any()) and adjusted_rand_score(one[both], other[both]) >= AGREEING


def _share(labels: Any) -> float:
    """Share of the failures that are in a group."""
    return float((labels >= 0).mean())


def _substantial(labels: Any, said: Sequence[Wording], used: Sequence[str]) -> Any:
    """The labels without groups that fall apart when one telling word of each member is taken away."""
    import numpy as np

    found = [label for label in np.unique(labels) if label >= 0]
    if not found:
        return labels
    members = [set(np.flatnonzero(labels == label).tolist()) for label in found]
    rest = [unit_rows(without_catchwords(said, members, view)) for view in used]
    similarity = sum((matrix @ matrix.T).toarray() for matrix in rest if matrix is not None)
    weak = [
        label
        for label in found
        if np.isscalar(similarity) or lift(similarity, labels == label, FLOOR_OF_THE_REST) < LIFT_OF_THE_REST
    ]
    return np.where(np.isin(labels, weak), -1, labels)
