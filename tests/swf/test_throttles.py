"""Buckets let everything pass until SWF throttles, and then keep to the rates that SWF documents."""

from __future__ import annotations

import botocore.session
from botocore import xform_name

from genflow.swf.aws.rate_limits import Bucket, buckets


def test_every_operation_has_a_bucket():
    model = botocore.session.get_session().get_service_model('swf')
    assert set(buckets()) == {xform_name(name) for name in model.operation_names}


def test_polls_and_answers_share_a_bucket_and_heartbeats_have_another():
    found = buckets()
    assert found['poll_for_decision_task'] is found['respond_activity_task_completed']
    assert found['record_activity_task_heartbeat'] is not found['poll_for_decision_task']


def test_nothing_waits_before_the_first_refusal():
    bucket = Bucket(2, 1)
    assert [bucket.take(0) for _ in range(10)] == [0] * 10


def test_a_refusal_empties_the_bucket_and_calls_are_spaced_from_then_on():
    bucket = Bucket(100, 4)
    bucket.throttled(10)
    assert [bucket.take(10) for _ in range(3)] == [0.25, 0.5, 0.75]
    assert bucket.take(11) == 0  # four were refilled in that second, three of them had been taken


def test_a_bucket_that_would_be_full_again_lets_everything_pass():
    bucket = Bucket(8, 4)
    bucket.throttled(0)
    assert bucket.take(2) == 0
    assert [bucket.take(4) for _ in range(10)] == [0] * 10
