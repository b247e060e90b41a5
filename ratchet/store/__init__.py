"""The application database and what is kept in it."""

from ratchet.store.cycles import Cycles
from ratchet.store.database import Database
from ratchet.store.gate_tests import GateTests
from ratchet.store.proposals import Proposals
from ratchet.store.replies import Replies
from ratchet.store.reviews import Reviews
from ratchet.store.runs import Failures, Runs
from ratchet.store.schema import now


class Store:
    """All repositories over one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.runs = Runs(database)
        self.failures = Failures(database)
        self.cycles = Cycles(database)
        self.replies = Replies(database)
        self.proposals = Proposals(database)
        self.reviews = Reviews(database)
        self.gate_tests = GateTests(database)


__all__ = ["Database", "Store", "now"]
