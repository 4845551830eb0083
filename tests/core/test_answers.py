"""Programs that wait for answers, which were wrong in silence before a get could choose: each gets its own."""

from __future__ import annotations

from genflow import ActivityProxy, Signal, TaskTimeout, Workflow

from .story import Story


class Agent(Workflow):
    """Asks a person for each dangerous call, all at once."""

    book = ActivityProxy('Book', '1', retry=0)
    approval = Signal()

    def run(self, calls):
        return (yield [self.called(call) for call in calls])

    def called(self, call):
        try:
            answer = yield self.approval.get(match=lambda answer: answer['id'] == call).timeout(60)
        except TaskTimeout:
            return f'{call}: nobody answered'
        if not answer['approved']:
            return f'{call}: refused'
        return (yield self.book(call))


def test_each_branch_gets_the_answer_to_its_own_question():
    story = Story(Agent, ['a', 'b', 'c'])
    story.decide()
    story.signaled('approval', {'id': 'c', 'approved': True})
    story.signaled('approval', {'id': 'x', 'approved': True})
    story.signaled('approval', {'id': 'a', 'approved': False})
    assert 'activity 4.1 Book [["c"],{}]' in story.decide()
    story.completed('4.1', 'c: booked')
    (timer,) = [item for item in story.open.values() if item.kind == 'timer']
    story.fired(timer)
    story.decide()
    assert story.result == ['a: refused', 'b: nobody answered', 'c: booked']


class Transfer(Workflow):
    """Asks two accounts at the same time; an answer that comes too late is nobody's."""

    answer = Signal()

    def run(self):
        both = yield [self.ask('source', 'withdraw'), self.ask('target', 'deposit')]
        again = yield from self.ask('source', 'deposit')
        return [*both, again, len(self.answer)]

    def ask(self, account, what):
        key = f'{account} {what}'
        yield self.external(account).signal('operation', {'id': key, 'reply_to': self.info.workflow_id})
        try:
            return (yield self.answer.get(match=lambda answer: answer['id'] == key).timeout(60))['text']
        except TaskTimeout:
            return None


def test_an_answer_that_comes_too_late_is_not_taken_for_another_one():
    story = Story(Transfer)
    story.decide()
    for item in list(story.open.values()):
        story.delivered(item)
    story.decide()
    story.signaled('answer', {'id': 'target deposit', 'text': 'deposited'})
    story.decide()
    (timer,) = [item for item in story.open.values() if item.kind == 'timer']
    story.fired(timer)
    story.decide()
    (sent,) = [item for item in story.open.values() if item.kind == 'signal']
    story.delivered(sent)
    story.signaled('answer', {'id': 'source withdraw', 'text': 'withdrawn too late'})
    story.decide()
    story.signaled('answer', {'id': 'source deposit', 'text': 'given back'})
    story.decide()
    assert story.result == [None, 'deposited', 'given back', 1]
