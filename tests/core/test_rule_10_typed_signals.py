"""Rule 10: signals with a type, gets that choose, and branches that wait for one signal at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest

from genflow import DefinitionError, Signal, SignalFailed, YieldError, all_of, any_of, as_completed
from genflow.core.payloads.hooks import encode
from genflow.core.tasks import signals

from .story import Desk, Story

pytest.importorskip('cattrs')


@dataclass(frozen=True)
class Verdict:
    who: str
    accepted: bool


class Judged(Desk):
    verdict = Signal[Verdict]()
    lenient = Signal[Verdict](on_invalid='log')
    number = Signal[int]()
    later = Signal['Verdict']()


def judged(run, **given):
    return Story(type('Judged', (Judged,), {'run': run}), **given)


def after(story, *signals):
    story.decide()
    for name, value in signals:
        story.signaled(name, value)
        story.decide()
    return story


@pytest.mark.parametrize('name', ['verdict', 'later'])
def test_a_value_is_made_as_the_type_says(name):
    def run(self):
        value = yield getattr(self, name).get()
        return [type(value).__name__, value.who, value.accepted]

    assert after(judged(run), (name, {'who': 'Ada', 'accepted': True})).result == ['Verdict', 'Ada', True]


def test_drain_gives_values_of_the_type():
    def run(self):
        yield self.echo()
        return [value.who for value in self.verdict.drain()]

    story = judged(run)
    story.decide()
    for who in ('Ada', 'Bo'):
        story.signaled('verdict', {'who': who, 'accepted': False})
    story.completed(1)
    story.decide()
    assert story.result == ['Ada', 'Bo']


@pytest.mark.parametrize(('name', 'value'), [('verdict', {'who': 'Ada'}), ('number', 'seven'), ('number', True)])
def test_what_does_not_fit_fails_the_get_that_takes_it(name, value):
    def run(self):
        try:
            yield getattr(self, name).get()
        except SignalFailed as error:
            return str(error.reason)

    text = after(judged(run), (name, value)).result
    assert text.startswith(f'the input of signal {name!r} is no {"Verdict" if name == "verdict" else "int"}: ')
    assert 'get(raw=True)' in text


def test_what_does_not_fit_is_dropped_and_reported_where_the_signal_says_so(caplog):
    def run(self):
        value = yield self.lenient.get()
        return [value.who, len(self.lenient)]

    with caplog.at_level(logging.WARNING, 'genflow'):
        story = after(judged(run), ('lenient', 'secret'), ('lenient', {'who': 'Ada', 'accepted': True}))
    assert story.result == ['Ada', 0]
    texts = [record.getMessage() for record in caplog.records]
    assert texts
    assert all("the input of signal 'lenient' is no Verdict, and is dropped" in text for text in texts)
    assert 'secret' not in ''.join(texts)


def test_what_came_before_the_first_decision_or_was_carried_is_dropped_too():
    carried = {'genflow.restart': 1, 'input': '[[],{}]', 'signals': [['lenient', '"old"']]}

    def run(self):
        found = len(self.lenient)
        yield self.echo()
        return [found, len(self.lenient)]

    story = judged(run, input=encode(carried))
    story.signaled('lenient', 'typo')
    story.decide()
    story.completed(1)
    story.decide()
    assert story.result == [0, 0]


def test_on_invalid_is_one_of_two_words():
    with pytest.raises(DefinitionError, match="'ignore'; it must be 'raise' or 'log'"):
        Signal(on_invalid='ignore')


def test_a_value_goes_out_as_it_comes_in():
    def run(self):
        yield self.external('other').signal(Judged.verdict, Verdict('Ada', accepted=True))

    (said,) = judged(run).decide()
    assert '{"who":"Ada","accepted":true}' in said


def test_a_name_may_be_made_at_run_time():
    def run(self):
        first = yield self.signal('answer-1').get()
        typed = yield self.signal('answer-2', Verdict).get()
        declared = yield self.signal('verdict').get()
        return [first, typed.who, declared.who]

    ada, bo = {'who': 'Ada', 'accepted': True}, {'who': 'Bo', 'accepted': True}
    assert after(judged(run), ('answer-1', 1), ('answer-2', ada), ('verdict', bo)).result == [1, 'Ada', 'Bo']


def test_a_name_made_at_run_time_finds_what_came_before():
    def run(self):
        return (yield self.signal('early').get())

    story = judged(run)
    story.signaled('early', 1)
    story.decide()
    assert story.result == 1


# gets that choose


def choosing(key):
    return lambda value: value['key'] == key


def test_a_get_takes_the_first_that_matches_and_leaves_the_others():
    def run(self):
        yield self.echo()
        taken = yield self.go.get(match=choosing('b'))
        return [taken, self.go.drain()]

    story = Story(run)
    story.decide()
    for number, key in enumerate('abab'):
        story.signaled('go', {'key': key, 'n': number})
    story.completed(1)
    story.decide()
    taken, left = story.result
    assert taken == {'key': 'b', 'n': 1}
    assert [value['n'] for value in left] == [0, 2, 3]


def test_a_signal_is_offered_to_gets_in_their_order_until_one_takes_it():
    def ask(self, key):
        return (yield self.go.get(match=choosing(key)))['n']

    def run(self):
        return (yield [ask(self, 'a'), ask(self, 'b'), ask(self, 'a')])

    story = Story(run)
    story.decide()
    for number, key in enumerate('bcaa'):
        story.signaled('go', {'key': key, 'n': number})
        story.decide()
    assert story.result == [2, 0, 3]


def test_what_nobody_matches_goes_to_a_get_that_takes_any():
    def ask(self, **options):
        return (yield self.go.get(**options))

    def run(self):
        return (yield [ask(self, match=lambda value: value == 2), ask(self)])

    assert after(Story(run), ('go', 1), ('go', 2)).result == [2, 1]


def test_what_cannot_be_read_is_skipped_and_left():
    def run(self):
        found = yield self.go.get(match=lambda value: value == 2)
        return [found, self.go.drain(raw=True)]

    story = Story(run)
    story.decide()
    story.signaled('go', text='no JSON')
    story.decide()
    story.signaled('go', 2)
    story.decide()
    assert story.result == [2, ['no JSON']]


def test_a_predicate_that_raises_fails_its_get_and_leaves_the_signal():
    def picky(self):
        try:
            yield self.go.get(match=lambda value: value['key'])
        except TypeError as error:
            return type(error).__name__

    def run(self):
        return [*(yield [picky(self), waiting(self, 7)]), len(self.go)]

    assert after(Story(run), ('go', 7)).result == ['TypeError', 7, 0]


@pytest.mark.parametrize(
    'ask',
    [
        lambda self: self.echo(),
        lambda self: self.random,
        lambda self: self.patched('x'),
        lambda self: self.go.drain(),
        lambda self: self.stop.get(),
    ],
)
def test_a_predicate_may_only_read(ask):
    def run(self):
        try:
            yield self.go.get(match=lambda value: ask(self))
        except YieldError as error:
            return str(error)

    assert 'it may only read' in after(Story(run), ('go', 1)).result


def test_a_value_is_decoded_once(monkeypatch):
    decoded = []

    def counted(text):
        decoded.append(text)
        return int(text)

    monkeypatch.setattr(signals, 'decode', counted)

    def run(self):
        return (yield any_of([self.go.get(match=lambda value, n=n: value == n) for n in (1, 2, 3)])).result()

    assert after(Story(run), ('go', 3)).result == 3
    assert decoded == ['3', '3', '3']  # once by each execution: the kept one, and two that replay


@pytest.mark.parametrize('count', [3, 40])
def test_gets_that_choose_have_their_places_in_large_combinators(count):
    def run(self):
        gets = [self.go.get(match=choosing(number)) for number in range(count)]
        seen = []
        for slot in as_completed(gets):
            seen.append((yield slot)['key'])  # noqa: PERF401
        return seen

    story = Story(run)
    story.decide()
    for number in reversed(range(count)):
        story.signaled('go', {'key': number})
        story.decide()
    assert story.result == list(reversed(range(count)))


def test_a_get_that_lost_takes_nothing():
    def run(self):
        yield any_of(self.go.get(match=lambda value: value == 1), self.echo())
        yield self.sleep(5)
        return len(self.go)

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    story.signaled('go', 1)
    story.decide()
    story.fired(2)
    story.decide()
    assert story.result == 1


# two branches that wait for one signal


def reports(caplog):
    return [record.getMessage() for record in caplog.records if 'two branches wait for' in record.getMessage()]


def test_two_branches_that_wait_for_one_signal_are_reported_once(caplog):
    def ask(self):
        return [(yield self.go.get()), (yield self.go.get())]

    def run(self):
        return (yield [ask(self), ask(self)])

    with caplog.at_level(logging.WARNING, 'genflow'):
        after(Story(run), ('go', 1), ('go', 2), ('go', 3))
    texts = reports(caplog)
    assert len(texts) == 2  # by the execution that is kept, and by the one that replays nothing yet
    assert 'test_rule_10_typed_signals.py' in texts[0]
    assert 'match=' in texts[0]


@pytest.mark.parametrize(
    'run',
    [
        lambda self: (yield all_of(self.go.get(), self.go.get())),
        lambda self: (yield [waiting(self, 1), waiting(self, 2)]),
        lambda self: (yield [waiting(self, 1), self.go.get()]),
    ],
)
def test_one_branch_or_gets_that_choose_are_not_reported(run, caplog):
    with caplog.at_level(logging.WARNING, 'genflow'):
        after(Story(run), ('go', 1), ('go', 2))
    assert not reports(caplog)


def waiting(self, number):
    return (yield self.go.get(match=lambda value: value == number))
