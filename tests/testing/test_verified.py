"""Made-up histories are held against the embedded service: the same story has the same events there."""

from __future__ import annotations

import pytest

from genflow import ActivityProxy, LambdaProxy, Signal, Workflow, WorkflowProxy, activity, workflow
from genflow.core.authoring.activity import Activity
from genflow.testing import Fail, History, Never, Tester

OWN = {'runId', 'workflowId', 'newExecutionRunId', 'continuedExecutionRunId', 'identity', 'lambdaRole'}
"""What is made up, or told to the service only."""


@activity(name='VerifiedWork', version='1', task_list='work', heartbeat=30)
class Work(Activity):
    def run(self, value):
        return value


@workflow(name='VerifiedChild', version='1', task_list='decisions', workflow_duration=600)
class Child(Workflow):
    def run(self, value):
        return value


@workflow(name='Verified', version='1', task_list='decisions', workflow_duration=7200, decision_duration=30)
class Lead(Workflow):
    work = ActivityProxy(name='VerifiedWork', version='1', retry=0)
    child = WorkflowProxy(name='VerifiedChild', version='1', retry=0, tags=['a'])
    resize = LambdaProxy('resize')
    go = Signal()

    def run(self, steps):
        for step in steps:
            yield from getattr(self, step)()
        return steps

    def working(self):
        try:
            yield self.work(1)
        except Exception:
            self.set_status('failed')

    def timing(self):
        timer = self.sleep(100)
        yield self.sleep(60)
        timer.cancel()

    def parenting(self):
        try:
            yield self.child('x')
        except Exception:
            self.set_status('failed')

    def waiting(self):
        yield self.go.get()

    def signaling(self):
        try:
            yield self.external('nobody').signal('hello', 1)
        except Exception:
            self.set_status('failed')

    def calling(self):
        yield self.resize({'size': 3})

    def noting(self):
        self.side_effect(lambda: 7)
        yield self.sleep(0)

    def giving_up(self):
        work = self.work(2)
        yield self.sleep(5)
        work.cancel()


@workflow(name='VerifiedPages', version='1', task_list='decisions')
class Pages(Workflow):
    def run(self, page):
        return self.restart(page + 1) if page < 2 else page


def story(*steps):
    return History(Lead, list(steps)).decide()


STORIES = {
    'completed': (story('working').completed('work', 1).decide(), {'work': 1}),
    'failed': (story('working').failed('work', 'no', 'because').decide(), {'work': Fail('no', 'because')}),
    'timed out': (story('working').started('work').timed_out('work', 'HEARTBEAT').decide(), {'work': Never()}),
    'timers': (story('timing').fired('2').decide(), {}),
    'side effects and markers': (story('noting').fired('1').decide(), {}),
    'undelivered': (story('signaling').refused('1').decide(), {}),
    'cancelled': (story('giving_up').started('work').fired('2').decide(), {'work': Never()}),
    'function': (story('calling').completed('resize', 6).decide(), {'resize': 6}),
}


def comparable(events):
    """Types, times and attributes, without what is made up."""
    begun = events[0]['eventTimestamp']
    return [_plain({**event, 'eventTimestamp': event['eventTimestamp'] - begun}) for event in events]


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if name not in OWN}
    return value


@pytest.mark.parametrize(('made_up', 'stubs'), STORIES.values(), ids=STORIES)
def test_a_story_has_the_events_of_the_service(made_up, stubs):
    said = made_up.events[0]['workflowExecutionStartedEventAttributes']['input']
    tester = Tester(Lead, **stubs)
    tester.start(*Lead()._deserialize_arguments(said)[0]).result()
    assert comparable(tester.history.events) == comparable(made_up.events)


def test_a_child_has_the_events_of_the_service():
    made_up = story('parenting').started('child').decide().completed('child', 'x').decide()
    tester = Tester(Lead)
    tester.start(['parenting']).result()
    assert comparable(tester.history.events) == comparable(made_up.events)


def test_signals_and_cancel_requests_have_the_events_of_the_service():
    made_up = story('waiting').signaled('go', 1).cancel_requested().decide()
    tester = Tester(Lead).start(['waiting'])
    tester.step()
    tester.signal('go', 1).cancel()
    tester.step()
    assert comparable(tester.history.events) == comparable(made_up.events)


def test_the_end_by_others_has_the_events_of_the_service():
    tester = Tester(Lead).start(['waiting'])
    tester.step()
    tester.service.terminate_workflow_execution(domain='test', workflowId='workflow-1', reason='enough')
    made_up = story('waiting').terminated(reason='enough')
    assert comparable(tester.history.events) == comparable(made_up.events)
    tester = Tester(Lead).start(['waiting'])
    tester.step()
    tester.clock.advance(7200)
    assert comparable(tester.history.events) == comparable(story('waiting').timed_out().events)


def test_a_decision_that_timed_out_has_the_events_of_the_service():
    tester = Tester(Lead).start(['waiting'])
    tester.service.poll_for_decision_task(domain='test', taskList={'name': 'decisions'})
    tester.clock.advance(30)
    made_up = History(Lead, ['waiting']).decision_timed_out()
    assert comparable(tester.history.events) == comparable(made_up.events)


def test_a_restart_has_the_events_of_the_service():
    made_up = History(Pages, 1).given(tags=['a'], priority=3).decide()
    tester = Tester(Pages)
    run_id = tester.service.start_workflow_execution(
        domain='test',
        workflowId='other',
        workflowType={'name': 'VerifiedPages', 'version': '1'},
        input='[[1],{}]',
        tagList=['a'],
        taskPriority='3',
    )['runId']
    tester.start(2)  # steps do what is to be done in the whole domain
    while tester.step() is not None:
        pass
    first, second = (
        tester.service.get_workflow_execution_history(domain='test', execution={'workflowId': 'other', 'runId': run})[
            'events'
        ]
        for run in (run_id, newest(tester))
    )
    assert comparable(first) == comparable(made_up.events)
    assert comparable(second[:2]) == comparable(made_up.next_run().events)


def newest(tester):
    filters = {'startTimeFilter': {'oldestDate': 0}, 'executionFilter': {'workflowId': 'other'}}
    infos = []
    for kind in ('open', 'closed'):
        infos += getattr(tester.service, f'list_{kind}_workflow_executions')(domain='test', **filters)['executionInfos']
    (run_id,) = {info['execution']['runId'] for info in infos if info.get('closeStatus') != 'CONTINUED_AS_NEW'}
    return run_id
