"""The suite's own tables: complete, and about tests that exist."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

from . import moto_differences
from .clients import OPERATIONS
from .shapes import MODEL

FILES = sorted(Path(__file__).parent.glob('*.py'))
SOURCE = '\n'.join(path.read_text() for path in FILES)


def test_every_difference_names_a_test():
    tests = {
        f'{path.stem.removeprefix("test_")}.{name}'
        for path in FILES
        for name in re.findall(r'^def test_(\w+)', path.read_text(), re.MULTILINE)
    }
    idle = [
        line
        for line in moto_differences.lines()
        if not any(fnmatchcase(test, line.partition('[')[0]) for test in tests)
    ]
    assert idle == []


# Methods that tests put together from the words of a table.
COMPOSED = re.compile(
    r'(describe|deprecate|undeprecate|delete|list|register)_(workflow|activity)_types?'
    r'|respond_activity_task_(completed|failed|canceled)|poll_for_(activity|decision)_task'
    r'|count_pending_(activity|decision)_tasks|(list|count)_(open|closed)_workflow_executions'
)


def test_every_operation_is_called():
    written = set(re.findall(r'[a-z]+(?:_[a-z]+)+', SOURCE))
    assert [name for name in OPERATIONS if name not in written and not COMPOSED.fullmatch(name)] == []


def test_every_event_and_decision_is_told_of():
    named = MODEL.shape_for('EventType').enum + MODEL.shape_for('DecisionType').enum
    assert [name for name in named if f"'{name}" not in SOURCE and not _assembled(name)] == []


def _assembled(name: str) -> bool:
    """`ChildWorkflowExecutionFailed` and the like, whose last word stands in a table."""
    return bool(re.fullmatch(r'ChildWorkflowExecution(Completed|Failed|Canceled)|.*WorkflowExecutionFailed', name))
