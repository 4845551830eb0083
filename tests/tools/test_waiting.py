"""Looking at what an execution waits for leaves it as it is."""

from __future__ import annotations

from genflow import Signal, Workflow
from genflow.core.model.registry import Registry, WorkflowSpec
from genflow.local import LocalSWF
from genflow.swf.worker.sticky_cache import StickyCache
from genflow.tools.executions.follow import HistoryTail
from genflow.tools.run.blocked import stranded, waiting

NAMES = {'domain': 'd', 'workflowId': 'w'}

effects = []


class Approval(Workflow):
    approve = Signal()

    def run(self):
        yield self.approve.get()
        self.side_effect(lambda: effects.append(1))
        yield self.approve.get()


def test_a_decision_that_is_being_made_is_not_made_twice():
    registry = Registry()
    registry.add(WorkflowSpec(Approval, 'Approval', '1'))
    swf = LocalSWF(long_poll=0)
    swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
    swf.register_workflow_type(domain='d', name='Approval', version='1')
    started = swf.start_workflow_execution(
        **NAMES,
        workflowType={'name': 'Approval', 'version': '1'},
        taskList={'name': 'list'},
        input='[[],{}]',
        executionStartToCloseTimeout='60',
        taskStartToCloseTimeout='NONE',
        childPolicy='TERMINATE',
    )
    run = HistoryTail(swf, 'd', 'w', started['runId'])

    def poll():
        return swf.poll_for_decision_task(domain='d', taskList={'name': 'list'})['taskToken']

    token = poll()
    swf.signal_workflow_execution(**NAMES, signalName='approve', input='1')  # comes while the first is being made
    swf.respond_decision_task_completed(taskToken=token)
    assert stranded(swf, 'd') == []  # the next is due
    token = poll()
    assert stranded(swf, 'd') == []  # and being made
    assert waiting(run, registry, StickyCache()).signals == ('approve',)
    assert effects == []
    swf.close()
