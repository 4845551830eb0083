"""What any release recorded, this one replays: ids, engine timers, markers and envelopes are a contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genflow import NondeterminismError
from genflow.core.model import wire_names
from genflow.core.model.wire_names import (
    FAILURE_ENVELOPE,
    HEARTBEAT_PART,
    RESTART_ENVELOPE,
    RETRY_TIMER_SUFFIX,
    WAKE_TIMER_PREFIX,
)
from genflow.testing import replay

from . import workflows

HERE = Path(__file__).parent
HISTORIES = sorted(HERE.glob('*/*.json'))
CLASSES = {cls.__name__: cls for cls in workflows.ALL}


def type_of(history):
    started = json.loads(history.read_text())['events'][0]
    return CLASSES[started['workflowExecutionStartedEventAttributes']['workflowType']['name']]


@pytest.mark.parametrize('history', HISTORIES, ids=lambda path: f'{path.parent.name}-{path.stem}')
def test_a_recorded_history_is_replayed_without_a_difference(history):
    replayed = replay(history, type_of(history), input_mismatch='error')
    assert not replayed.warnings


def test_the_corpus_shows_every_kind_of_thing_that_genflow_writes():
    text = '\n'.join(path.read_text() for path in HISTORIES)
    for written in (
        WAKE_TIMER_PREFIX,
        f'{RETRY_TIMER_SUFFIX}"',
        f'{HEARTBEAT_PART}10',
        RESTART_ENVELOPE,
        FAILURE_ENVELOPE,
    ):
        assert written in text, written
    events = [event for path in HISTORIES for event in json.loads(path.read_text())['events']]
    markers = {
        event['markerRecordedEventAttributes']['markerName']
        for event in events
        if event['eventType'] == 'MarkerRecorded'
    }
    assert markers == {getattr(wire_names, name) for name in wire_names.__all__ if name.endswith('_MARKER')}


def test_the_corpus_would_show_a_change():
    everyday = next(path for path in HISTORIES if path.stem == 'everyday')
    with pytest.raises(NondeterminismError):
        replay(everyday.read_text().replace('"3.1', '"33.1'), workflows.Everyday)
