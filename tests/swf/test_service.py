"""Calls are repeated where that may help and does no harm; outages are logged once."""

from __future__ import annotations

import logging
import math
import random

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from genflow.swf.aws.client import Backoff, RetryingClient
from genflow.swf.aws.connections import connect
from tests.swf.scripted import URL, Scripted, Waiting, refusal, service, silent, unconnected, unreachable

PASSING = [
    refusal('ThrottlingException'),
    refusal('InternalFailure', 500),
    refusal('ServiceUnavailable', 503),
    refusal('ExpiredTokenException'),
    refusal('RequestExpired'),
    unreachable(),
    unconnected(),
    silent(),
    ConnectionClosedError(endpoint_url=URL),
]


@pytest.mark.parametrize('error', PASSING, ids=lambda error: str(error)[:40])
def test_what_passes_is_waited_for(error):
    client = Scripted(error, error, {'runId': 'r'})
    assert service(client).call('describe_workflow_execution', domain='d') == {'runId': 'r'}
    assert client.calls == [('describe_workflow_execution', {'domain': 'd'})] * 3


@pytest.mark.parametrize('code', ['UnknownResourceFault', 'ValidationException', 'AccessDeniedException'])
def test_what_does_not_pass_is_raised_at_once(code):
    client = Scripted(refusal(code))
    with pytest.raises(ClientError, match=code):
        service(client).call('describe_workflow_execution')
    assert len(client.calls) == 1


def test_pauses_double_up_to_a_bound():
    waiting = Waiting()
    client = Scripted(*[unreachable()] * 12, {})
    service(client, waiting).call('describe_workflow_execution', patience=math.inf)
    assert waiting.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30]


def test_pauses_are_drawn_between_half_and_whole():
    assert Backoff(1, 8).pause(3, chance=0) == 2
    assert Backoff(1, 8).pause(3, chance=1) == 4
    assert Backoff(1, 8).pause(5000, chance=1) == 8


def test_patience_ends():
    waiting = Waiting()
    client = Scripted(*[unreachable()] * 9)
    with pytest.raises(EndpointConnectionError):
        service(client, waiting).call('describe_workflow_execution', patience=3)
    assert waiting.pauses == [0.1, 0.2, 0.4, 0.8]  # the next, 1.6, would end after 3.1 seconds


def test_a_program_that_stops_waits_no_longer():
    waiting = Waiting(stops_after=2)
    client = Scripted(*[unreachable()] * 9)
    with pytest.raises(EndpointConnectionError):
        service(client, waiting).call('poll_for_decision_task', patience=math.inf)
    assert len(client.calls) == 2


@pytest.mark.parametrize('operation', ['signal_workflow_execution', 'start_workflow_execution'])
@pytest.mark.parametrize('error', [silent(), refusal('InternalFailure', 500)], ids=['no answer', 'server error'])
def test_what_may_have_happened_is_not_done_twice(operation, error):
    client = Scripted(error)
    with pytest.raises(type(error)):
        service(client).call(operation)
    assert len(client.calls) == 1


@pytest.mark.parametrize('operation', ['signal_workflow_execution', 'start_workflow_execution'])
@pytest.mark.parametrize('error', [refusal('ThrottlingException'), unreachable()], ids=['throttled', 'never sent'])
def test_what_cannot_have_happened_is_tried_again(operation, error):
    client = Scripted(error, {'runId': 'r'})
    assert service(client).call(operation) == {'runId': 'r'}


def test_a_poll_that_timed_out_is_left_to_the_poller():
    with pytest.raises(ReadTimeoutError):
        service(Scripted(silent())).call('poll_for_activity_task')


def test_a_crowded_task_list_is_waited_for():
    client = Scripted(refusal('LimitExceededFault'), {'startedEventId': 0})
    assert service(client).call('poll_for_activity_task') == {'startedEventId': 0}
    with pytest.raises(ClientError, match='LimitExceededFault'):
        service(Scripted(refusal('LimitExceededFault'))).call('start_workflow_execution')


def test_throttled_calls_are_spaced_at_the_documented_rate():
    waiting = Waiting()
    client = Scripted(refusal('ThrottlingException'), {}, {}, {})
    calls = service(client, waiting, backoff=Backoff(0.5, 0.5))
    for _ in range(3):
        calls.call('describe_workflow_execution')
    # 6 a second: half a second refilled three, and the three calls took those.
    assert waiting.pauses == [0.5]
    for _ in range(2):
        client.script.append({})
        calls.call('describe_workflow_execution')
    assert waiting.pauses[1:] == pytest.approx([1 / 6, 1 / 6])


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(caplog):
    caplog.set_level(logging.INFO, 'genflow.worker')
    client = Scripted(*[unreachable()] * 5, {}, {}, {})
    calls = service(client)
    for _ in range(3):
        calls.call('poll_for_decision_task')
    assert [record.getMessage() for record in caplog.records] == [
        f'poll_for_decision_task failed at the service, trying again: Could not connect to the endpoint URL: "{URL}"',
        'the service answers again after 3.1 s and 5 failed calls',
    ]


def test_services_with_other_pauses_share_rates_and_outages():
    one = service(Scripted())
    other = one.pausing(Waiting().pause)
    assert other.buckets is one.buckets
    assert other.outage is one.outage


def test_the_jitter_leaves_the_programs_own_chance_alone():
    before = random.getstate()
    RetryingClient(connect(Scripted(unreachable(), {})), pause=lambda seconds: False).call(
        'describe_workflow_execution'
    )
    assert random.getstate() == before
