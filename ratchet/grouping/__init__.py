"""Grouping: failures of one kind belong to one group, and a group is what a cycle works on."""

from ratchet.grouping.assigning import assign
from ratchet.grouping.groups import DayCount, FailureGroup, form_groups, group_key
from ratchet.grouping.regroup import current_groups, regroup
from ratchet.grouping.sample import representative_sample

__all__ = [
    "DayCount",
    "FailureGroup",
    "assign",
    "current_groups",
    "form_groups",
    "group_key",
    "regroup",
    "representative_sample",
]
