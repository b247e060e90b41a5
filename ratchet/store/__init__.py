"""The application database and what is kept in it."""

from collections.abc import Sequence

from ratchet.concurrency import threaded
from ratchet.store.cases import Cases
from ratchet.store.cycles import Cycles
from ratchet.store.database import Database, Effect
from ratchet.store.failures import Failures
from ratchet.store.gate_cases import GateCases
from ratchet.store.gate_tests import GateTests
from ratchet.store.ids import Ids
from ratchet.store.proposals import Proposals
from ratchet.store.replies import Replies
from ratchet.store.reviews import Reviews
from ratchet.store.runs import Runs
from ratchet.store.schema import now
from ratchet.store.vectors import Vectors


class Store:
    """All repositories over one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.cases = Cases(database)
        self.runs = Runs(database)
        self.failures = Failures(database)
        self.cycles = Cycles(database)
        self.replies = Replies(database)
        self.vectors = Vectors(database)
        self.proposals = Proposals(database)
        self.reviews = Reviews(database)
        self.gate_tests = GateTests(database)
        self.gate_cases = GateCases(database)
        self.ids = Ids(database)

    @threaded
    def transact(self, effects: Sequence[Effect]) -> None:
        """Do all of it in one transaction: what one of them raises undoes the others."""
        with self.database.write() as connection:
            for effect in effects:
                effect(connection)


__all__ = ["Database", "Effect", "Store", "now"]
