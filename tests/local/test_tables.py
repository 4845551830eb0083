"""The tables of the service against botocore's model: a new operation, decision or event shows as a red test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genflow import local
from genflow.local.engine.calls import CALLS
from genflow.local.operations import tasks
from genflow.local.requests import faults
from genflow.local.requests.decision_lists import CLOSE_DECISIONS, INCOMPATIBLE_WITH_CLOSE
from genflow.local.requests.model import operations, service_model
from genflow.local.requests.validation import DECISION_TYPES, decision_member
from genflow.local.rules.closing import CHILD_POLICIES, CLOSINGS
from genflow.local.rules.decisions import DECISIONS, DENIALS
from genflow.local.rules.recording import attributes_member
from genflow.local.rules.timeouts import TIMEOUTS
from genflow.local.state.items import ITEM_KINDS
from genflow.local.state.limits import AWS_RATES

ROOM = Path(local.__file__).parent
SOURCES = {path: path.read_text(encoding='utf-8') for path in ROOM.rglob('*.py')}
WORDS = set(re.findall(r"'([A-Za-z_]+)'", '\n'.join(SOURCES.values())))


def enum(shape):
    return set(service_model().shape_for(shape).metadata['enum'])


def test_every_operation_is_served():
    assert set(CALLS) | set(tasks.POLLS) == set(service_model().operation_names)
    assert len(operations()) == 39


def test_every_decision_is_applied():
    assert set(DECISIONS) == enum('DecisionType') == set(DECISION_TYPES)


def test_every_decision_but_a_lambda_can_be_denied():
    assert set(DENIALS) == enum('DecisionType') - {'ScheduleLambdaFunction'}
    assert {failed for failed, _ in DENIALS.values()} <= enum('EventType')


def test_the_special_decisions_are_decisions():
    assert enum('DecisionType') >= CLOSE_DECISIONS
    assert enum('DecisionType') >= INCOMPATIBLE_WITH_CLOSE


def test_every_close_status_has_its_event():
    assert {status for status, _, _ in CLOSINGS.values()} == enum('CloseStatus')
    assert {told for _, told, _ in CLOSINGS.values() if told} <= enum('EventType')


def test_every_child_policy_is_applied():
    assert set(CHILD_POLICIES) == enum('ChildPolicy')


def test_every_item_with_a_deadline_has_a_timeout():
    assert set(TIMEOUTS) == set(ITEM_KINDS) - {'child'}


def test_every_event_is_recorded_somewhere():
    assert enum('EventType') - WORDS == set()


@pytest.mark.parametrize('shape', [name for name in service_model().shape_names if name.endswith('FailedCause')])
def test_every_cause_is_given_somewhere(shape):
    assert enum(shape) - WORDS == set()


def test_every_timeout_type_is_given_somewhere():
    shapes = [name for name in service_model().shape_names if name.endswith('TimeoutType')]
    assert {value for shape in shapes for value in enum(shape)} - WORDS == set()


def test_every_fault_is_raised_somewhere():
    assert {shape.name for shape in service_model().error_shapes} - WORDS == set()


def test_faults_outside_of_the_model_are_placed():
    assert set(faults.PLACES) & {shape.name for shape in service_model().error_shapes} == set()


def test_attributes_members_are_those_of_the_model():
    members = set(service_model().shape_for('HistoryEvent').members)
    assert {attributes_member(kind) for kind in enum('EventType')} <= members
    assert {decision_member(kind) for kind in DECISIONS} <= set(service_model().shape_for('Decision').members)


def test_rates_are_of_operations_and_decisions():
    assert set(AWS_RATES) <= set(service_model().operation_names) | enum('DecisionType')


def test_only_the_store_speaks_sql():
    statement = re.compile(r"'(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE) ")
    speakers = {
        path.parent.name for path, text in SOURCES.items() if statement.search(text) or 'import sqlite3' in text
    }
    assert speakers == {'store'}


def test_rules_read_no_clock_and_no_file():
    for path, text in SOURCES.items():
        if path.parent.name == 'rules':
            found = re.findall(r'^(?:from|import) (time|datetime|sqlite3|threading|random)\b', text, re.MULTILINE)
            assert found == [], path
