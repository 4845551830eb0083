"""What `check.py` does with boto 2.49."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from boto.regioninfo import RegionInfo
from boto.swf.exceptions import SWFDomainAlreadyExistsError, SWFResponseError
from boto.swf.layer1 import Layer1

address = urlsplit(sys.argv[1])
region = RegionInfo(name='us-east-1', endpoint=address.hostname)
swf = Layer1('any', 'any', is_secure=False, port=address.port, region=region)

assert swf.list_domains('REGISTERED')['domainInfos'][0]['name'] == 'd'
swf.start_workflow_execution('d', 'boto2', 'w', '1')
task = swf.poll_for_decision_task('d', 'list')
assert task['startedEventId'] == 3
done = {'decisionType': 'CompleteWorkflowExecution', 'completeWorkflowExecutionDecisionAttributes': {}}
assert swf.respond_decision_task_completed(task['taskToken'], [done]) is None
assert swf.poll_for_activity_task('d', 'list') == {'startedEventId': 0}


def error_of(call, *arguments):
    """What the call raises."""
    try:
        call(*arguments)
    except SWFResponseError as error:
        return error
    raise AssertionError(f'{call} was not refused')


assert error_of(swf.describe_domain, 'nowhere').error_code == 'UnknownResourceFault'
taken = error_of(swf.register_domain, 'd', '1')
assert isinstance(taken, SWFDomainAlreadyExistsError)
assert taken.body['message'] == 'd'
