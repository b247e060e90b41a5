"""Which group a failure belongs to. A failure that has been given a group keeps it."""

from collections.abc import Iterable, Sequence
from typing import Any

from ratchet.grouping.groups import REFINED, group_key
from ratchet.grouping.splitting import split
from ratchet.grouping.titles import title
from ratchet.grouping.wording import Meanings, Wording, similarity_views
from ratchet.records import Evaluation
from ratchet.store.rows import FailureRow

SPLIT_FROM = 20
"""Failures of the same criteria from which on they are split by what they say."""
SAMPLE = 600
"""Failures that groups are looked for in at most; the others join afterwards."""
MEMBERS = 60
"""Members of a group that a failure is compared with at most, the newest of them."""
NEAREST = 3
"""A failure's similarity to a group is its mean similarity to this many members, the most similar ones."""
CLOSE = 0.8
"""A failure joins if it is at least this similar to the group, measured by the members themselves: by the least similar
one of ten."""
LEAST_SIMILAR = 0.1
RELATED = 0.5
"""The same for a whole new cluster, which otherwise becomes a group of its own."""
AHEAD = 1.15
"""A failure joins if the next best group is this many times less similar,"""
APART = 1.5
"""and if it is this many times as similar to all of the group as to the others."""
TELLING = 1.5
"""A text counts if members are this many times as similar in it to their own group as to others."""

Groups = dict[str, list[Wording]]
"""Members of each refined group, oldest first."""


def texts_to_compare(rows: Iterable[FailureRow]) -> list[str]:
    """The texts that `assign` compares, each once: those of criteria with so many failures that they may be split."""
    buckets = [members for members in _buckets(rows).values() if len(members) >= SPLIT_FROM]
    return list(dict.fromkeys(text for members in buckets for row in members for text in Wording.of(row["bundle"])))


def assign(rows: Iterable[FailureRow], meanings: Meanings | None = None) -> dict[str, str]:
    """The group key of every row, by its id.

    A row with a refined key keeps it. The others join the most similar refined group of their component and criteria,
    if one is similar enough. Where 20 or more are left, they are split into new groups where these are clear. What fits
    nowhere keeps the key of its criteria. The same rows give the same keys; their order does not matter. `meanings`
    are the vectors of `texts_to_compare`, to compare more than words.
    """
    buckets = _buckets(rows)
    keys = {row["id"]: row["group_key"] for members in buckets.values() for row in members}
    for base, members in buckets.items():
        if len(members) >= SPLIT_FROM:
            keys.update(_refine(base, members, meanings))
    return keys


def _buckets(rows: Iterable[FailureRow]) -> dict[str, list[FailureRow]]:
    buckets: dict[str, list[FailureRow]] = {}
    for row in sorted(rows, key=lambda row: (row["created_at"], row["id"])):
        buckets.setdefault(_base(row), []).append(row)
    return buckets


def _base(row: FailureRow) -> str:
    return group_key(row["component"], Evaluation.model_validate(row["bundle"]["evaluation"]))


def _refine(base: str, rows: Sequence[FailureRow], meanings: Meanings | None) -> dict[str, str]:
    """Keys of the rows that get a group now."""
    known: Groups = {}
    rest: dict[str, Wording] = {}
    for row in rows:
        wording = Wording.of(row["bundle"])
        if row["group_key"] == base:
            rest[row["id"]] = wording
        elif row["group_key"].startswith(base + REFINED):
            known.setdefault(row["group_key"], []).append(wording)
    found = _join(rest, known, meanings)
    left = {failure: wording for failure, wording in rest.items() if failure not in found}
    if len(left) < SPLIT_FROM:
        return found
    made = _split(base, left, known, meanings)
    grown = {key: list(members) for key, members in known.items()}
    for failure, key in made.items():
        grown.setdefault(key, []).append(left[failure])
    late = {failure: wording for failure, wording in left.items() if failure not in made}
    return found | made | (_join(late, grown, meanings) if made else {})


def _split(base: str, left: dict[str, Wording], known: Groups, meanings: Meanings | None) -> dict[str, str]:
    step = -(-len(left) // SAMPLE)
    ids = list(left)[::step]
    sample = [left[failure] for failure in ids]
    made: dict[str, str] = {}
    taken = set(known)
    for positions in split(sample, meanings):
        inside = set(positions)
        members = [sample[position] for position in positions]
        others = [wording for position, wording in enumerate(sample) if position not in inside]
        others += [wording for group in known.values() for wording in group[-MEMBERS:]]
        key = _relative(members, known, meanings) or _new_key(base, title(members, others), taken)
        taken.add(key)
        made.update({ids[position]: key for position in positions})
    return made


def _relative(members: Sequence[Wording], known: Groups, meanings: Meanings | None) -> str | None:
    """The known group that most of a new cluster's members would be of."""
    numbered = {str(number): item for number, item in enumerate(members)}
    joined = list(_join(numbered, known, meanings, close=RELATED).values())
    best = max(sorted(set(joined)), key=joined.count, default=None)
    return best if best and 2 * joined.count(best) > len(members) else None


def _new_key(base: str, words: str, taken: set[str]) -> str:
    words = words or "alike"
    names = (f"{base}{REFINED}{words}" + (f" {number}" if number > 1 else "") for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _join(rest: dict[str, Wording], groups: Groups, meanings: Meanings | None, close: float = CLOSE) -> dict[str, str]:
    """Keys of those that are similar enough to a group."""
    import numpy as np

    if not rest or not groups:
        return {}
    names = list(groups)
    sampled = [groups[name][-MEMBERS:] for name in names]
    owner = np.repeat(np.arange(len(names)), [len(members) for members in sampled])
    texts = [wording for members in sampled for wording in members] + list(rest.values())
    views = similarity_views(texts, common=1.0, meanings=meanings)
    matrices = [_without_stock(matrix, texts, view, owner) for view, matrix in views.items()]
    used = _distinctive_views(matrices, owner)
    if not used:
        return {}
    best = _best_groups(used, owner, close)
    return {failure: names[best[i]] for i, failure in enumerate(rest) if best[i] >= 0}


def _best_groups(used: list[Any], owner: Any, close: float) -> Any:
    """For each failure after the members its group's number, -1 where none is similar enough."""
    import numpy as np

    count, numbers = len(owner), range(int(owner.max()) + 1)
    members, others = slice(count), slice(count, None)
    among, towards = _similarity(used, members, members), _similarity(used, others, members)
    np.fill_diagonal(among, 0)
    near = np.stack([_nearness(towards[:, owner == number]) for number in numbers], axis=1)
    least = [np.quantile(_nearness(among[owner == number][:, owner == number]), LEAST_SIMILAR) for number in numbers]
    background = None if len(numbers) > 1 else _similarity(used, others, slice(count, count + MEMBERS)).mean(axis=1)
    best = np.full(len(near), -1)
    for number in numbers:
        elsewhere = towards[:, owner != number].mean(axis=1) if background is None else background
        ahead = np.delete(near, number, axis=1).max(axis=1, initial=0)
        fits = near[:, number] > 0
        fits &= near[:, number] >= np.maximum(close * least[number], AHEAD * ahead)
        fits &= towards[:, owner == number].mean(axis=1) >= APART * elsewhere
        best[fits] = number
    return best


def _without_stock(matrix: Any, texts: Sequence[Wording], view: str, owner: Any) -> Any:
    """The matrix without the rows of texts that are word for word in more than one group: they tell nothing."""
    from scipy.sparse import diags

    said_in: dict[str, set[int]] = {}
    for item, group in zip(texts, owner.tolist(), strict=False):
        said_in.setdefault(getattr(item, view), set()).add(group)
    return diags([float(len(said_in.get(getattr(item, view), ())) < 2) for item in texts]) @ matrix


def _similarity(matrices: list[Any], rows: slice, columns: slice) -> Any:
    """Sum over the views: how similar some failures are to others."""
    import numpy as np

    return sum(np.maximum((matrix[rows] @ matrix[columns].T).toarray(), 0) for matrix in matrices)


def _nearness(similarity: Any) -> Any:
    """Mean of the largest values of each row."""
    import numpy as np

    return np.sort(similarity, axis=1)[:, -NEAREST:].mean(axis=1)


def _distinctive_views(matrices: list[Any], owner: Any) -> list[Any]:
    """The views in which the groups are apart; a group that is alone is held against the failures that may join it.

    All views where none is.
    """
    import numpy as np

    count = len(owner)
    alone = owner.max() == 0
    same = owner[:, None] == owner[None, :]
    np.fill_diagonal(same, False)
    apart = []
    for matrix in matrices:
        similarity = _similarity([matrix], slice(count), slice(count))
        others = _similarity([matrix], slice(count), slice(count, count + MEMBERS)) if alone else similarity[~same]
        if similarity[same].mean() >= TELLING * others.mean():
            apart.append(matrix)
    return apart or matrices
