"""Rows and tables say the same; so do the documents in the rows and the records that they are made from."""

import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from sqlalchemy import JSON, Column, Float, Integer, LargeBinary, Table, Text

from ratchet.records import AgentRun, CriterionResult, Decision, Evaluation, FailureBundle, Record
from ratchet.store import documents, rows
from ratchet.store.schema import metadata

ROWS: dict[str, type] = {
    "runs": rows.RunRow,
    "failures": rows.FailureRow,
    "cases": rows.CaseRow,
    "cycles": rows.CycleRow,
    "replies": rows.ReplyRow,
    "vectors": rows.VectorRow,
    "proposals": rows.ProposalRow,
    "gate_tests": rows.GateTestRow,
    "gate_cases": rows.GateCaseRow,
    "versions": rows.VersionRow,
    "reviews": rows.ReviewRow,
    "audit": rows.AuditRow,
}
TABLES = list(metadata.tables.values())
PYTHON: dict[type, type] = {Text: str, Integer: int, Float: float, LargeBinary: bytes}


def parts(hint: Any) -> set[Any]:
    """The types that a hint admits, literals as the type of their values."""
    if get_origin(hint) in (Union, types.UnionType):
        return {part for argument in get_args(hint) for part in parts(argument)}
    return {type(value) for value in get_args(hint)} if get_origin(hint) is Literal else {hint}


def test_every_table_has_its_row() -> None:
    assert ROWS.keys() == metadata.tables.keys()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_row_has_the_columns_of_its_table(table: Table) -> None:
    assert get_type_hints(ROWS[table.name]).keys() == set(table.columns.keys())


@pytest.mark.parametrize(
    "column", [column for table in TABLES for column in table.columns if not isinstance(column.type, JSON)], ids=str
)
def test_row_holds_what_its_column_holds(column: Column[Any]) -> None:
    hint = get_type_hints(ROWS[column.table.name])[column.name]
    expected = {PYTHON[type(column.type)]} | ({type(None)} if column.nullable else set())
    assert parts(hint) == expected


@pytest.mark.parametrize(
    ("document", "record"),
    [
        (documents.BundleDocument, FailureBundle),
        (documents.EvaluationDocument, Evaluation),
        (documents.CriterionDocument, CriterionResult),
    ],
    ids=str,
)
def test_document_has_the_keys_of_its_record(document: type, record: type[Record]) -> None:
    assert get_type_hints(document).keys() == record.model_fields.keys()


def test_decision_is_stored_whole_with_its_time_and_its_change() -> None:
    assert get_type_hints(documents.DecisionDocument).keys() == {*Decision.model_fields, "at", "change_hash"}


def test_served_run_has_all_of_the_agents_run() -> None:
    assert AgentRun.model_fields.keys() < get_type_hints(documents.RunDocument).keys()
