"""Model replies by the request they answer: equal work is paid for once, except by measurements."""

from sqlalchemy import func, select

from ratchet.concurrency import threaded
from ratchet.llm import Reply
from ratchet.prompting import content_hash
from ratchet.records import Spent
from ratchet.store.database import Database, insert_once
from ratchet.store.rows import ReplyRow
from ratchet.store.schema import now, replies


class Replies:
    """The `ratchet.llm.ReplyStore` of the application database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def get(self, request: str, measurement: str = "") -> Reply | None:
        """The newest reply kept for `request`, or the one that the measurement has got."""
        kept = replies.c
        columns = (kept.text, kept.ending, kept.input_tokens, kept.output_tokens, kept.seconds, kept.created_at)
        mine = kept.key == _key(request, measurement) if measurement else kept.request == request
        query = select(*columns).where(mine).order_by(kept.created_at.desc(), kept.key).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return Reply(**row) if row else None

    @threaded
    def put(self, request: str, role: str, reply: Reply, cycle_id: str | None, measurement: str = "") -> None:
        """Keep `reply` for `request`; the first one of each measurement, and of all that is none, stays."""
        row: ReplyRow = {
            "key": _key(request, measurement),
            "request": request,
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


def _key(request: str, measurement: str) -> str:
    return content_hash([request, measurement]) if measurement else request
