"""Every decision type of botocore's model is written, and in a form that botocore accepts."""

from __future__ import annotations

import json
import math
import pickle

import attrs
import botocore.session
import pytest
from botocore.validate import ParamValidator

from genflow.core.model import decisions as core
from genflow.core.payloads.hooks import MAX_PAYLOAD
from genflow.swf.wire.decisions import ENCODERS, MAX_BYTES, encode, plan

MODEL = botocore.session.get_session().get_service_model('swf')

FULL = {
    'activity_id': '7.1',
    'name': 'A',
    'version': '1',
    'input': 'i',
    'control': 'c',
    'task_list': 'tl',
    'priority': -5,
    'heartbeat': math.inf,
    'schedule_to_close': 420,
    'schedule_to_start': 120,
    'start_to_close': 300,
    'timer_id': 't',
    'seconds': 0,
    'workflow_id': 'w',
    'workflow_duration': 3600,
    'decision_duration': 60,
    'child_policy': 'ABANDON',
    'tags': ('x', 'y'),
    'lambda_role': 'arn',
    'run_id': 'r',
    'signal': 's',
    'lambda_id': '3',
    'details': 'd',
    'result': '1',
    'reason': 'r',
}
"""A value for each field of each decision class."""


def test_every_decision_type_of_the_model_has_an_encoder():
    kinds = [kind for kind, _ in ENCODERS.values()]
    assert sorted(kinds) == sorted(MODEL.shape_for('DecisionType').enum)
    assert set(ENCODERS) == set(core.Decision.__args__)


@pytest.mark.parametrize('cls', list(ENCODERS), ids=lambda cls: cls.__name__)
def test_botocore_accepts_every_decision_and_every_member_is_used(cls):
    written = encode(cls(**{field.name: FULL[field.name] for field in attrs.fields(cls)}))
    report = ParamValidator().validate(written, MODEL.shape_for('Decision'))
    assert not report.has_errors(), report.generate_report()
    kind = written['decisionType']
    member = f'{kind[0].lower()}{kind[1:]}DecisionAttributes'
    assert set(written) == {'decisionType', member}
    assert set(written[member]) == set(MODEL.shape_for('Decision').members[member].members)


@pytest.mark.parametrize('cls', list(ENCODERS), ids=lambda cls: cls.__name__)
def test_decisions_are_values(cls):
    """Tests of users compare them, collect them and copy them with other members."""
    one, other = (cls(**{field.name: FULL[field.name] for field in attrs.fields(cls)}) for _ in range(2))
    assert one == other
    assert {one, other, core.Decisions((one,)), core.Decisions((other,))} == {one, core.Decisions((one,))}
    assert attrs.evolve(one) == pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - our own


@pytest.mark.parametrize('cls', list(ENCODERS), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize('letter', ['ü', '\N{GRINNING FACE}'], ids=['in the BMP', 'beyond it'])
def test_a_decision_that_goes_alone_fits_whatever_its_payloads(cls, letter):
    payload = letter * (MAX_PAYLOAD // len(letter.encode('utf-16-le')) * 2)
    name = letter * 256
    longest = {'tags': (name,) * 5, **dict.fromkeys(('input', 'control', 'details', 'result'), payload)}
    longest |= {key: name for key, value in FULL.items() if isinstance(value, str) and key not in longest}
    (written,) = plan(
        core.Decisions((cls(**{field.name: {**FULL, **longest}[field.name] for field in attrs.fields(cls)}),))
    )
    assert len(json.dumps([written])) <= MAX_BYTES


@pytest.mark.parametrize('cls', list(ENCODERS), ids=lambda cls: cls.__name__)
def test_what_is_not_said_is_left_out(cls):
    required = {field.name: FULL[field.name] for field in attrs.fields(cls) if field.default is attrs.NOTHING}
    written = encode(cls(**required))
    kind = written['decisionType']
    member = f'{kind[0].lower()}{kind[1:]}DecisionAttributes'
    assert set(written[member]) == set(MODEL.shape_for('Decision').members[member].required_members)


def test_durations_and_priorities_are_text():
    written = encode(
        core.ScheduleActivity('7.1', 'A', '1', priority=-5, heartbeat=math.inf, schedule_to_start=0, start_to_close=2.5)
    )
    assert written == {
        'decisionType': 'ScheduleActivityTask',
        'scheduleActivityTaskDecisionAttributes': {
            'activityType': {'name': 'A', 'version': '1'},
            'activityId': '7.1',
            'taskPriority': '-5',
            'heartbeatTimeout': 'NONE',
            'scheduleToStartTimeout': '0',
            'startToCloseTimeout': '3',
        },
    }


def test_a_continued_run_has_no_type_but_a_version():
    written = encode(core.ContinueAsNew('i', version='2', tags=('a',), task_list='tl'))
    assert written['continueAsNewWorkflowExecutionDecisionAttributes'] == {
        'input': 'i',
        'workflowTypeVersion': '2',
        'tagList': ['a'],
        'taskList': {'name': 'tl'},
    }
