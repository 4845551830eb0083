"""What a service knows beside the events of an execution."""

from __future__ import annotations

import pytest

from genflow import Workflow, workflow
from genflow.core.model import registry
from genflow.insight import ExecutionView
from genflow.testing import History
from genflow.tools.executions.follow import HistoryTail
from genflow.tools.executions.gathering import Gatherer, from_file, known_spec
from tests.insight.breaking import DOMAIN, Environment, Parent, Plain
from tests.testing.orders import Order


@pytest.fixture
def no_classes(monkeypatch):
    """Other tests of this process have decorated classes as the same types."""
    monkeypatch.setattr(registry, 'decorated', [])


def test_who_takes_tasks_is_read_from_the_histories_of_other_executions():
    env = Environment()
    env.begin(Plain, 'other')
    env.take(identity='worker-9')
    env.begin(Plain)
    facts = env.gathered().facts
    assert {key: [one.identity for one in pollers] for key, pollers in facts.pollers.items()} == {
        ('decision', 'deciders'): ['decider-1'],
        ('activity', 'work'): ['worker-9'],
    }
    assert facts.pending == {('activity', 'work'): 1}
    assert facts.types == {('activity', 'Work', '1'): 'REGISTERED', ('workflow', 'Plain', '1'): 'REGISTERED'}


@pytest.mark.usefixtures('no_classes')
def test_what_the_service_refuses_is_named_and_does_no_harm():
    env = Environment(denied=('CountPendingActivityTasks', 'DescribeActivityType', 'ListOpenWorkflowExecutions'))
    env.begin(Plain)
    env.wait(60)
    run = HistoryTail(env.swf, DOMAIN, 'w', env.run_ids['w'])
    gathered = Gatherer(env.swf, DOMAIN, clock=lambda: env.now).gather(run)
    assert gathered.facts.pending == {}
    assert [text.partition(' (')[0] for text in gathered.facts.unknown] == [
        'how many activity tasks wait',
        'which executions are open',
        'whether the activity types are registered',
    ]
    assert gathered.diagnosis().first_cause.code == 'activity-not-polled'


@pytest.mark.usefixtures('no_classes')
def test_a_child_is_followed_down():
    env = Environment()
    env.begin(Parent)
    env.decide()
    env.decide()
    env.wait(60)
    (below,) = env.gathered().facts.children.values()
    assert (below.view.title, below.first_cause.code) == ('child', 'activity-not-polled')
    assert env.gathered('child').facts.parent == 'open'


def test_a_file_gives_its_end_as_the_present(tmp_path):
    path = tmp_path / 'history.json'
    history = History(Order, 1).decide().after(seconds=70).signaled('approve', 1)
    path.write_text(history.to_json())
    gathered = from_file(path)
    assert gathered.now == gathered.view.updated_at == history.events[-1]['eventTimestamp']
    assert not gathered.facts.live


def test_a_class_is_known_by_its_type_where_it_is_imported():
    @workflow(name='KnownHere', version='7', task_list='x')
    class Known(Workflow):
        def run(self):
            return None

    assert known_spec(ExecutionView().apply_all(History(Known).events)).cls is Known
    assert known_spec(ExecutionView()) is None


def test_only_the_last_events_of_other_executions_are_read():
    env = Environment()
    env.begin(Plain, 'other')
    env.take(identity='worker-9')
    for _ in range(250):
        env.signal('noise', 'other')
    env.begin(Plain)
    assert ('activity', 'work') not in env.gathered().facts.pollers
