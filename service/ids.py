"""The beginning of an id is enough where it is the beginning of one only."""

from collections.abc import Iterable

from ratchet.errors import ConfigurationError
from ratchet.store import Store
from ratchet.store.ids import IdKind

LEAST = 4
"""Characters that have to be given: an empty variable of a script must not mean the only cycle there is."""
_LISTED = 8


async def whole_id(store: Store, given: str, *kinds: IdKind) -> str:
    """The id of one of these kinds that begins with `given`; `given` itself where none does.

    Raises:
        ConfigurationError: several do, with these.
    """
    return unique(given, await store.ids.beginning_with(given, kinds) if len(given) >= LEAST else [])


def unique(given: str, found: Iterable[str]) -> str:
    """The one of the ids `found` that begins with `given`, or is it; `given` itself where there is none.

    Raises:
        ConfigurationError: there are several.
    """
    fitting = sorted({text for text in found if text.startswith(given)}) if len(given) >= LEAST else []
    if len(fitting) < 2 or given in fitting:
        return fitting[0] if fitting and given not in fitting else given
    more = f" and {len(fitting) - _LISTED} more" if len(fitting) > _LISTED else ""
    raise ConfigurationError(f"{given!r} is the beginning of {', '.join(fitting[:_LISTED])}{more}; give more of it")
