"""The judge of idempotency: no call is performed twice unless both have one idempotency key."""

from __future__ import annotations

from genflow.testing.explorer.judging.asked import asked, what_is_asked, words_of
from genflow.testing.explorer.judging.baseline import Baseline
from genflow.testing.explorer.playing.calls import Call
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['repeated']

READS = frozenset(
    {'check', 'count', 'describe', 'fetch', 'find', 'get', 'has', 'is', 'list', 'load', 'look', 'poll', 'query', 'read'}
    | {'search', 'status', 'wait', 'watch'}
)
"""First words of the names of calls that only read, so that it is no harm if one is made anew."""


def repeated(run: Simulation, first: Baseline) -> str | None:
    return _repeated_key(run) or _asked_again(run, first)


def _asked_again(run: Simulation, first: Baseline) -> str | None:
    """A call that timed out may have been performed; another call of the same has another idempotency key."""
    if run.cancel_at is not None:
        return None
    known: dict[tuple[str, str], list[Call]] = {}
    for place, call in enumerate(run.calls):
        if call.kind == 'child':
            continue  # one that timed out is closed
        if _is_compensation(run, call):
            continue  # what undoes a step may be the same call
        what, key, _ = asked(run, call)
        before = known.get(what)
        if before is None:
            known[what] = [call]
            continue
        others = [other for other in before if (other.run, other.number) != (call.run, call.number)]
        last = {(other.run, other.number): other for other in others}  # of its attempts; one before it was tried again
        lost = [other for other in last.values() if _may_have_been_performed(other, place)]
        again = [other for other in lost if key is None or asked(run, other).key != key]
        before.append(call)
        many = len({(other.run, other.number) for other in before}) > first.asked[what] > 0
        if again and again[0].outcome != 'timed out' and not _gives_up(run, first, again[0], call):
            continue
        if again and many and not _only_reads(call):
            when = 'after it timed out' if again[0].outcome == 'timed out' else 'while it is still open'
            return (
                f'{call} is called anew {when}: the first call may have been performed, and the second '
                'has another idempotency key; let retry= try again, or give both calls one key'
            )
    return None


def _gives_up(run: Simulation, first: Baseline, known: Call, call: Call) -> bool:
    """Whether a call that is made while an equal one is open takes its place, as far as that can be told.

    It is all that its decision calls, nothing was called in between, and the first order makes no equal calls at all.
    """
    if max(first.asked.values(), default=0) > 1 or run.calls.index(call) != run.calls.index(known) + 1:
        return False
    decisions = run.decisions_of_calls()
    own = decisions.get(id(call))
    return own is not None and decisions.get(id(known)) != own and list(decisions.values()).count(own) == 1


def _may_have_been_performed(call: Call, place: int) -> bool:
    """Whether a call had timed out, or not ended at all, when so many calls had been made."""
    return call.ended is None or call.ended > place or call.outcome == 'timed out'


def _only_reads(call: Call) -> bool:
    """Whether the name of a call begins with a word for what may be repeated at will."""
    return bool(READS & {words_of(name)[0] for name in (call.name, call.attribute) if words_of(name)})


def _is_compensation(run: Simulation, call: Call) -> bool:
    """Whether a call was made while a compensation ran."""
    return call.number.isdigit() and any(undo.made(int(call.number)) for undo in run.saga_log(call.run).undos)


def _repeated_key(run: Simulation) -> str | None:
    """A second call with a key, unless it asks for the same once more after the first one has timed out or failed."""
    seen: dict[tuple[str, str], Call] = {}
    for place, call in enumerate(run.calls):
        _, key, text = asked(run, call)
        if key is None:
            continue
        known = seen.setdefault((call.name, text), call)
        if (known.run, known.number) == (call.run, call.number) or _asks_once_more(run, known, call, place):
            seen[call.name, text] = call
        else:
            return f'{call} is a second call with the idempotency key {key!r}; the first one {known.outcome}'
    return None


def _asks_once_more(run: Simulation, known: Call, call: Call, place: int) -> bool:
    is_over = known.ended is not None and known.ended <= place and known.outcome not in ('open', 'completed')
    return is_over and what_is_asked(run, known) == what_is_asked(run, call)
