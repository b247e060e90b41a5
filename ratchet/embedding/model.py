"""The seam for models that turn texts into vectors."""

from collections.abc import Sequence
from typing import Any, Protocol

LONGEST = 6000
"""Characters of a text that are embedded; more says little in one vector, and endpoints refuse it."""


class EmbeddingModel(Protocol):
    """Something that embeds texts.

    - Given: texts, none of them blank, of `LONGEST` characters at most.
    - Returned: a NumPy matrix, one row for each text, the same row for the same text. The product of two rows of length
      1 is the similarity of their texts. A row of length 0.5 says that the model hardly knows the text's script: its
      similarities count half.
    - Raised: `ConfigurationError`, `ModelError`, `BudgetError`.
    """

    name: str
    """What vectors are kept under: those of another model have another name."""
    costs: bool
    """Whether a text is paid for, so that the vectors of questions are worth keeping too."""

    async def embed(self, texts: Sequence[str]) -> Any:
        """The vectors of `texts`."""

    async def close(self) -> None:
        """End all connections."""
