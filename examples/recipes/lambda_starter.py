"""An AWS Lambda function that starts an execution for each message of an SQS queue.

It names the workflow's type, so its package needs genflow and boto3, and none of the workflow's code.
"""

from __future__ import annotations

import json
from typing import Any

import boto3

from genflow import AlreadyStarted, Client

swf = boto3.client('swf')  # outside of the handler: warm invocations use it again
client = Client('shop', swf)


def handler(event: dict[str, Any], context: object) -> dict[str, list[str]]:
    started, known = [], []
    for record in event['Records']:
        order = json.loads(record['body'])['order']
        # SQS delivers a message at least once: the id makes the second start a refusal.
        starter = client.starter('Order', version='1', task_list='orders', workflow_id=f'order-{order}')
        try:
            started.append(starter(order).workflow_id)
        except AlreadyStarted as error:
            known.append(error.workflow_id)
    return {'started': started, 'known': known}
