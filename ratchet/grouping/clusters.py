"""Clusters of similar texts, found only where they are clear.

Spectral clustering (Ng, Jordan, Weiss 2002) of the graph of nearest neighbours cuts finely. Parts that are as similar
to each other as any two texts are joined again, which is how the number of clusters comes out. A cluster is kept if it
comes back in subsamples (Hennig 2007: mean Jaccard similarity of at least 0.75 is "stable").
"""

from typing import Any

PARTS = 8
"""Clusters found at most at once."""
NEIGHBOURS = 10
BACKGROUND = 0.1
"""Weight of the similarity to texts that are not among the nearest neighbours: it holds distant variants together."""
APART = 0.85
"""Parts are joined if their mean similarity is at least this multiple of that of any two texts."""
LEAST = 5
"""Texts of a cluster at least."""
LIFT = 2.5
"""Texts of a cluster are at least this many times as similar to each other as to the others."""
STABLE = 0.75
RESAMPLES = 8
TRIES = 5
"""Starts of k-means, of which the best counts."""
RESAMPLED = 0.7
"""Share of the texts in a subsample."""
_FLOOR = 1e-3


def clear_clusters(similarity: Any) -> Any:
    """A label for each text, -1 for those in no clear cluster.

    `similarity` is a symmetric matrix (n x n) of values from 0 to 1. The same matrix gives the same labels.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    if len(similarity) <= LEAST:
        return np.full(len(similarity), -1)
    similarity = similarity.copy()
    np.fill_diagonal(similarity, 0)
    with threadpool_limits(1):  # many small steps: threads would cost more than they bring
        return _stable_clusters(similarity)


def _stable_clusters(similarity: Any) -> Any:
    import numpy as np

    labels = _partition(similarity, tries=TRIES)
    draw = np.random.default_rng(0)
    samples = []
    for _ in range(RESAMPLES):
        chosen = np.sort(draw.permutation(len(labels))[: int(RESAMPLED * len(labels))])
        samples.append((chosen, _partition(similarity[np.ix_(chosen, chosen)], tries=1)))
    clear = [label for label in np.unique(labels) if _is_clear(similarity, labels == label, samples)]
    return np.where(np.isin(labels, clear), labels, -1) if len(clear) else np.full(len(labels), -1)


def _is_clear(similarity: Any, members: Any, samples: list[tuple[Any, Any]]) -> bool:
    size = members.sum()
    if size < LEAST or size == len(members):
        return False
    return lift(similarity, members) >= LIFT and _stability(members, samples) >= STABLE


def lift(similarity: Any, members: Any, floor: float = _FLOOR) -> float:
    """How many times as similar the members (a mask) are to each other as to the others, which counts `floor` more."""
    size = members.sum()
    inside = similarity[members][:, members]
    within = (inside.sum() - inside.trace()) / (size * (size - 1))
    return float(within / (similarity[members][:, ~members].mean() + floor))


def _stability(members: Any, samples: list[tuple[Any, Any]]) -> float:
    """Mean over subsamples of the Jaccard similarity with the cluster that is most like this one."""
    import numpy as np

    found = []
    for chosen, labels in samples:
        inside = members[chosen]
        found.append(
            max((inside & (labels == label)).sum() / (inside | (labels == label)).sum() for label in np.unique(labels))
        )
    return float(np.mean(found))


def _partition(similarity: Any, tries: int) -> Any:
    """Fine spectral parts, joined again where they are not apart."""
    import numpy as np
    from scipy.linalg import eigh
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import normalize

    count = len(similarity)
    parts = min(PARTS, count // 4)
    graph = _neighbourhood(similarity)
    scale = 1 / np.sqrt(graph.sum(axis=1) + _FLOOR)
    _, vectors = eigh(scale[:, None] * graph * scale[None, :], subset_by_index=[count - parts, count - 1])
    labels = KMeans(parts, n_init=tries, random_state=0).fit_predict(normalize(vectors))
    return _join(similarity, labels)


def _neighbourhood(similarity: Any) -> Any:
    import numpy as np

    count = len(similarity)
    nearest = min(NEIGHBOURS, max(4, count // 6))
    reach = np.partition(similarity, count - nearest, axis=1)[:, count - nearest][:, None]
    near = np.where(similarity >= reach, similarity, 0)
    return np.maximum(near, near.T) + BACKGROUND * similarity


def _join(similarity: Any, labels: Any) -> Any:
    """Join the two most similar parts as long as they are as similar as any two texts."""
    import numpy as np

    usual = similarity.sum() / (len(labels) * (len(labels) - 1))
    while len(kept := np.unique(labels)) > 1:
        member = (labels[:, None] == kept[None, :]).astype(float)
        sizes = member.sum(axis=0)
        mean = (member.T @ similarity @ member) / np.outer(sizes, sizes)
        np.fill_diagonal(mean, -1)
        one, other = np.unravel_index(mean.argmax(), mean.shape)
        if mean[one, other] < APART * usual:
            break
        labels = np.where(labels == kept[other], kept[one], labels)
    return labels
