"""Model replies under their content key: equal work is paid for once."""

from sqlalchemy import func, select

from ratchet.concurrency import threaded
from ratchet.llm import Reply
from ratchet.records import Spent
from ratchet.store.database import Database, insert_once
from ratchet.store.rows import ReplyRow
from ratchet.store.schema import now, replies


class Replies:
    """The `ratchet.llm.ReplyStore` of the application database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def get(self, key: str) -> Reply | None:
        """The reply kept under `key`."""
        columns = (replies.c.text, replies.c.ending, replies.c.input_tokens, replies.c.output_tokens, replies.c.seconds)
        with self._database.read() as connection:
            row = connection.execute(select(*columns).where(replies.c.key == key)).mappings().first()
        return Reply(**row) if row else None

    @threaded
    def put(self, key: str, role: str, reply: Reply, cycle_id: str | None) -> None:
        """Keep `reply` under `key`; the first one stays."""
        row: ReplyRow = {
            "key": key,
            "role": role,
            "cycle_id": cycle_id,
            "text": reply.text,
            "ending": reply.ending,
            "input_tokens": reply.input_tokens,
            "output_tokens": reply.output_tokens,
            "seconds": reply.seconds,
            "created_at": now(),
        }
        with self._database.write() as connection:
            insert_once(connection, replies, row)

    @threaded
    def spent_by(self, cycle_id: str) -> Spent:
        """What a cycle has paid for."""
        columns = (replies.c.role, func.count(), func.sum(replies.c.input_tokens), func.sum(replies.c.output_tokens))
        query = select(*columns).where(replies.c.cycle_id == cycle_id).group_by(replies.c.role)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return Spent(
            calls=sum(row[1] for row in rows),
            input_tokens=sum(row[2] for row in rows),
            output_tokens=sum(row[3] for row in rows),
            by_role={row[0]: row[1] for row in rows},
        )

    @threaded
    def count(self) -> int:
        """Calls paid for in all."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(replies)).scalar_one())
