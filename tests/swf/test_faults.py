"""What errors mean, and what of them is told."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ParamValidationError

from genflow.swf.aws import faults
from genflow.swf.worker.failure_log import FailureLog
from tests.swf.scripted import refusal

SECRET = 'the secret'  # noqa: S105 - stands for a payload


def test_a_refused_value_is_not_told():
    message = (
        f"2 validation errors detected: Value '{SECRET}' at 'result' failed to satisfy constraint: Member must have "
        f"length less than or equal to 32768; Value '{SECRET}\n' at 'x' failed"
    )
    text = faults.shown(refusal('ValidationException', message=message))
    assert SECRET not in text
    assert "at 'result' failed to satisfy constraint" in text


@pytest.mark.thorough
def test_nor_is_one_that_botocore_refuses():
    keys = {'aws_access_key_id': 'key', 'aws_secret_access_key': 'secret', 'region_name': 'us-east-1'}
    client = boto3.client('swf', **keys)
    with pytest.raises(ParamValidationError) as raised:
        client.respond_activity_task_completed(taskToken='t', result=[SECRET])
    assert SECRET in str(raised.value)
    assert SECRET not in faults.shown(raised.value)


def test_what_is_told_is_short():
    assert len(faults.shown(refusal('ValidationException', message='x' * 10_000))) == 500


class Odd(Exception):
    """Of code that is not the client's: its response is not like botocore's, and it has no text."""

    response = {'Error': 'a text'}  # noqa: RUF012 - never changed

    def __str__(self):
        raise RuntimeError('no text')


def test_an_error_of_another_kind_is_asked_for_nothing_that_it_does_not_have(caplog):
    failures = FailureLog()
    for _ in range(2):
        failures.write(Odd(), 'no')
    assert faults.message_of(Odd()) is None
    assert caplog.messages[1].startswith('no: Odd: <the exception has no readable text> (failure 2 of this kind')
