"""Types are registered once, and what differs from what is registered is said."""

from __future__ import annotations

import logging

import pytest

from genflow import Activity, Workflow
from genflow.core.errors import RegistrationError
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.registration import register, register_domain
from genflow.swf.scanner import activity, workflow
from tests.swf.work import registry_of


def activity_class(**options):
    @activity('Deed', 1, **{'task_list': 'tl', **options})
    class Deed(Activity):
        def run(self):
            """Does nothing."""

    return Deed


@workflow('Flow', 'a', 'tl', child_policy='ABANDON', priority=3, lambda_role='arn:role', description='words')
class Flow(Workflow):
    def run(self):
        """Does nothing."""


def registered(swf, *classes):
    registry = registry_of(*classes)
    register(RetryingClient(connect(swf)), 'd', (*registry.workflows, *registry.activities))


def test_an_activity_type_is_registered_with_its_defaults(swf):
    registered(swf, activity_class(heartbeat=10, start_to_close=None))
    found = swf.describe_activity_type(domain='d', activityType={'name': 'Deed', 'version': '1'})
    assert found['configuration'] == {
        'defaultTaskList': {'name': 'tl'},
        'defaultTaskHeartbeatTimeout': '10',
        'defaultTaskScheduleToCloseTimeout': 'NONE',
        'defaultTaskScheduleToStartTimeout': '120',
        'defaultTaskStartToCloseTimeout': 'NONE',
    }


def test_a_workflow_type_is_registered_with_its_defaults(swf):
    registered(swf, Flow)
    found = swf.describe_workflow_type(domain='d', workflowType={'name': 'Flow', 'version': 'a'})
    assert found['typeInfo']['description'] == 'words'
    assert found['configuration'] == {
        'defaultTaskList': {'name': 'tl'},
        'defaultTaskPriority': '3',
        'defaultExecutionStartToCloseTimeout': '3600',
        'defaultTaskStartToCloseTimeout': '60',
        'defaultChildPolicy': 'ABANDON',
        'defaultLambdaRole': 'arn:role',
    }


def test_registering_again_says_nothing(swf, caplog):
    registered(swf, Flow, activity_class())
    registered(swf, Flow, activity_class())
    assert caplog.records == []


def test_other_defaults_are_shown(swf, caplog):
    registered(swf, activity_class(start_to_close=60))
    registered(swf, activity_class(start_to_close=90, task_list=None))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        'activity type Deed 1 is registered with other defaults, which apply until you register another version: '
        'defaultTaskList is tl, the class says not set; '
        'defaultTaskScheduleToCloseTimeout is 180, the class says 210; '
        'defaultTaskStartToCloseTimeout is 60, the class says 90'
    )


def test_a_deprecated_type_is_mentioned(swf, caplog):
    registered(swf, Flow)
    swf.deprecate_workflow_type(domain='d', workflowType={'name': 'Flow', 'version': 'a'})
    registered(swf, Flow)
    assert 'workflow type Flow a is deprecated' in caplog.text


def test_a_domain_that_is_not_there_is_named(swf):
    registry = registry_of(Flow)
    with pytest.raises(RegistrationError, match=r"workflow type 'Flow' version 'a'.*Unknown domain: nowhere"):
        register(RetryingClient(connect(swf)), 'nowhere', registry.workflows)


def test_a_domain_is_registered_once(swf):
    calls = RetryingClient(connect(swf))
    for _ in range(2):
        register_domain(calls, 'fresh', days=2)
    found = swf.describe_domain(name='fresh')
    assert found['configuration']['workflowExecutionRetentionPeriodInDays'] == '2'
