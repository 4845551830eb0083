"""The steps from line to line of the user's code: what guides a search to code that was not reached."""

from __future__ import annotations

import json
import sys

import pytest

from genflow.testing.explorer.searching.lines import LineArcs


def sign(number):
    if number > 0:  # noqa: SIM108 - lines are what this is about
        word = 'positive'
    else:
        word = 'not positive'
    return json.dumps(word)


FIRST = sign.__code__.co_firstlineno


def watched(arcs, *numbers):
    with arcs.watching():
        for number in numbers:
            sign(number)
    return {(before and before - FIRST, line - FIRST) for code, before, line in arcs.seen if code is sign.__code__}


def test_each_way_through_an_if_is_a_step_of_its_own():
    assert {(1, 2), (2, 5)} <= watched(LineArcs(), 1)
    assert {(1, 4), (4, 5)} <= watched(LineArcs(), -1)
    assert not {(1, 4), (4, 5)} & watched(LineArcs(), 1)


def test_code_of_libraries_is_not_collected():
    arcs = LineArcs()
    watched(arcs, 1)
    assert {code.co_filename for code, _, _ in arcs.seen} == {__file__}


def test_nothing_is_left_behind():
    before = sys.gettrace()
    watched(LineArcs(), 1)
    assert sys.gettrace() is before


@pytest.mark.skipif(sys.version_info >= (3, 12), reason='sys.monitoring has room for several tools')
def test_a_debugger_keeps_its_trace_function():
    before = sys.gettrace()
    try:
        sys.settrace(lambda frame, event, argument: None)
        mine = sys.gettrace()
        assert watched(LineArcs(), 1) == set()
        assert sys.gettrace() is mine
    finally:
        sys.settrace(before)
