import pytest

from ratchet.cycles.silent import with_silent_roles
from ratchet.store.documents import CycleDocument


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("", "the judge model gave no usable answer to its 1 request: judge model m: down"),
        ("not proven", "not proven; the judge model gave no usable answer to its 1 request: judge model m: down"),
        ("no proof, as judge model m: down", "no proof, as judge model m: down"),
    ],
)
def test_message_tells_of_a_silent_role_once(message: str, told: str) -> None:
    document: CycleDocument = {"roles": {"judge": {"answered": 0, "failed": 1, "error": "judge model m: down"}}}
    assert with_silent_roles(message, document) == told
    assert with_silent_roles(with_silent_roles(message, document), document) == told
    assert with_silent_roles(message, {}) == message
