import re
from pathlib import Path
from typing import get_args

import pytest

from ratchet.store import statuses
from ratchet.store.schema import metadata

PAGE = (Path(__file__).parents[3] / "docs" / "architecture.md").read_text(encoding="utf-8")
STATUSES = {
    "failures": statuses.FailureStatus,
    "cycles": statuses.CycleStatus,
    "proposals": statuses.ProposalStatus,
    "versions": statuses.VersionStatus,
    "reviews": statuses.ReviewStatus,
}


def documented(table: str) -> list[str]:
    (told,) = re.findall(rf"^\| `{table}` \|[^|]*\|([^|]*)\|$", PAGE, re.MULTILINE)
    return re.findall(r"\w+", re.sub(r"\(.*?\)", "", told))


@pytest.mark.parametrize("table", list(metadata.tables))
def test_statuses_of_a_table_are_those_of_the_page(table: str) -> None:
    assert documented(table) == list(get_args(STATUSES.get(table)))


def test_table_with_statuses_has_a_list_of_them() -> None:
    assert STATUSES.keys() == {name for name, table in metadata.tables.items() if "status" in table.columns}


def test_kinds_of_reviews_are_those_of_the_page() -> None:
    (told,) = re.findall(r"^A review says in `kind` why it is there: (.*?)\.$", PAGE, re.MULTILINE | re.DOTALL)
    assert re.findall(r"`(\w+)`", told) == list(get_args(statuses.ReviewKind))


def test_statuses_are_explained() -> None:
    lines = Path(statuses.__file__).read_text(encoding="utf-8").splitlines()
    values = [line for line in lines if line.startswith('    "')]
    assert len(values) == sum(
        len(get_args(kind)) for kind in (*STATUSES.values(), statuses.ReviewKind, statuses.AnswerKind)
    )
    assert [line for line in values if not re.fullmatch(r'    "\w+",  # .+', line)] == []
