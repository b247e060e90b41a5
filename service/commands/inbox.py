"""`ratchet inbox`: what waits for a person. It is asked often, so that it imports no more than it needs."""

from ratchet.concurrency import run_main
from service.commands.options import AsJson
from service.console import Grid, cell, ids, line, out, print_json, shares, whole, wide
from service.inbox import InboxItem, waiting_items


def inbox(as_json: AsJson = False) -> None:
    """List what waits for a person: changes to approve, and failures that could not be fixed automatically."""
    items = run_main(waiting_items())
    if as_json:
        print_json({"items": items})
        return
    if not items:
        out.print("nothing waits")
        return
    table = Grid(
        ids("id", (item["id"] for item in items)),
        whole("what"),
        wide("task"),
        whole("cause"),
        wide("held-out success"),
        wide("since"),
    )
    for item in items:
        found = cell(_numbers(item))
        table.add_row(item["id"], item["what"], cell(item["task"]), item["category"], found, _since(item))
    out.print(table)
    for item in items:
        for told in item["silent_roles"]:
            out.print(line(f"{item['id']}: {told}"), soft_wrap=True)
    out.print(f"next: ratchet show {items[0]['id']}", highlight=False)


def _numbers(item: InboxItem) -> str:
    """The verdict of the gate, and the numbers behind it."""
    return ", ".join(part for part in (item["verdict"] or "", shares(item["before"], item["after"])) if part)


def _since(item: InboxItem) -> str:
    return item["created_at"][:16].replace("T", " ")
