import pytest

from ratchet.store import Database, Store


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)
