"""A service with a domain `dom`, a workflow type and an activity type, and short names for what its users do."""

from __future__ import annotations

import attrs

from genflow.local import LocalSWF, ManualClock

WORKFLOW = {'name': 'wf', 'version': '1'}
ACTIVITY = {'name': 'act', 'version': '1'}
WORKFLOW_DEFAULTS = {
    'defaultTaskList': {'name': 'deciders'},
    'defaultExecutionStartToCloseTimeout': '86400',
    'defaultTaskStartToCloseTimeout': '60',
    'defaultChildPolicy': 'ABANDON',
}
ACTIVITY_DEFAULTS = {
    'defaultTaskList': {'name': 'workers'},
    'defaultTaskScheduleToStartTimeout': 'NONE',
    'defaultTaskStartToCloseTimeout': '600',
    'defaultTaskScheduleToCloseTimeout': 'NONE',
    'defaultTaskHeartbeatTimeout': 'NONE',
}


def decision(kind, **attributes):
    return {'decisionType': kind, f'{kind[0].lower()}{kind[1:]}DecisionAttributes': attributes}


def schedule(name, **attributes):
    return decision('ScheduleActivityTask', activityId=name, activityType=ACTIVITY, **attributes)


COMPLETE = decision('CompleteWorkflowExecution', result='"done"')


@attrs.define
class Domain:
    """A service with the domain `dom`, and what its users do there."""

    swf: LocalSWF
    clock: ManualClock | None = None

    def prepare(self):
        self.swf.register_domain(name='dom', workflowExecutionRetentionPeriodInDays='7')
        self.swf.register_workflow_type(domain='dom', **WORKFLOW, **WORKFLOW_DEFAULTS)
        self.swf.register_activity_type(domain='dom', **ACTIVITY, **ACTIVITY_DEFAULTS)
        return self

    def start(self, workflow_id='w', **request):
        request = {'domain': 'dom', 'workflowId': workflow_id, 'workflowType': WORKFLOW, **request}
        return {'workflowId': workflow_id, 'runId': self.swf.start_workflow_execution(**request)['runId']}

    def poll_decision(self, task_list='deciders', **request):
        return self.swf.poll_for_decision_task(domain='dom', taskList={'name': task_list}, **request)

    def poll_activity(self, task_list='workers', **request):
        return self.swf.poll_for_activity_task(domain='dom', taskList={'name': task_list}, **request)

    def respond(self, task, *decisions, **request):
        self.swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=list(decisions), **request)

    def decide(self, *decisions, **request):
        task = self.poll_decision()
        self.respond(task, *decisions, **request)
        return task

    def complete(self, task, result='1'):
        self.swf.respond_activity_task_completed(taskToken=task['taskToken'], result=result)

    def signal(self, workflow_id='w', name='s'):
        self.swf.signal_workflow_execution(domain='dom', workflowId=workflow_id, signalName=name)

    def history(self, execution):
        pages = self.swf.get_paginator('get_workflow_execution_history').paginate(domain='dom', execution=execution)
        return [event for page in pages for event in page['events']]

    def types(self, execution):
        return [event['eventType'] for event in self.history(execution)]

    def describe(self, execution):
        return self.swf.describe_workflow_execution(domain='dom', execution=execution)
