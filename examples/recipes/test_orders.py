"""Tests of an application that uses genflow, with the tools that it has already."""

from __future__ import annotations

import importlib
import json
from datetime import date

import boto3
from botocore.stub import Stubber
from freezegun import freeze_time
from moto import mock_aws
from shop import Order

from genflow import Client
from genflow.testing import Tester


def test_the_workflow_alone():
    """What the workflow does is tested with the tester: no AWS, no mock, no waiting."""
    tester = Tester(Order, charge='receipt 7').start(7).advance(days=3)
    assert tester.query(Order.current) == 'waits for approval'
    assert tester.signal(Order.approval, True).result() == 'receipt 7'


@freeze_time('2024-02-29')
def test_frozen_time():
    """Freezegun freezes what the application sees; the tester has a clock of its own, which `advance` moves."""
    tester = Tester(Order, charge=lambda order: f'{date.today():%d %B}').start(7).advance(days=3)
    assert tester.signal(Order.approval, True).result() == '29 February'
    assert (tester.now.month, tester.now.day) == (1, 4)


@mock_aws
def test_calls_against_moto():
    """Moto keeps what was started and signalled. It runs no workflow; `LocalSWF` and the tester do."""
    swf = boto3.client('swf', region_name='us-east-1')
    swf.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='1')
    client = Client('shop', swf)
    client.register(Order)
    execution = client.starter(Order, workflow_id='order-7', tags=['paid'])(7)
    execution.signal(Order.approval, True)
    assert execution.status() == 'OPEN'
    events = execution.history()
    assert json.loads(events[0]['workflowExecutionStartedEventAttributes']['input']) == [[7], {}]
    assert 'WorkflowExecutionSignaled' in [event['eventType'] for event in events]


def test_the_lambda_function(monkeypatch):
    """The Stubber checks each request and gives the answers, a refusal too."""
    monkeypatch.setenv('AWS_DEFAULT_REGION', 'eu-central-1')
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', 'test')
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'test')
    lambda_starter = importlib.import_module('lambda_starter')

    def request(order):
        return {
            'domain': 'shop',
            'workflowId': f'order-{order}',
            'workflowType': {'name': 'Order', 'version': '1'},
            'taskList': {'name': 'orders'},
            'input': json.dumps([[order], {}], separators=(',', ':')),
        }

    with Stubber(lambda_starter.swf) as stubber:
        stubber.add_response('start_workflow_execution', {'runId': 'run-1'}, request(1))
        stubber.add_client_error(
            'start_workflow_execution', 'WorkflowExecutionAlreadyStartedFault', expected_params=request(2)
        )
        records = [{'body': json.dumps({'order': order})} for order in (1, 2)]
        assert lambda_starter.handler({'Records': records}, None) == {'started': ['order-1'], 'known': ['order-2']}
