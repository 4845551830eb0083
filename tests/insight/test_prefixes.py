"""Whatever an execution is doing, it can be diagnosed and drawn: tried on pieces of the recorded histories."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from genflow.core.model.registry import WorkflowSpec, declared
from genflow.insight import ExecutionView, diagnose
from genflow.testing.histories.exports import load
from genflow.tools.pictures.terminal import page, plain, timeline
from genflow.tools.pictures.tree import picture_of
from tests.recorded import workflows

RECORDED = sorted((Path(__file__).parents[1] / 'recorded').rglob('*.json'))
SPECS = {
    (spec.name, spec.version): spec
    for value in vars(workflows).values()
    if isinstance(value, type)
    for spec in declared(value)
    if isinstance(spec, WorkflowSpec)
}


@pytest.mark.thorough
@pytest.mark.parametrize('path', RECORDED, ids=lambda path: path.stem)
def test_wherever_a_history_ends_there_is_a_state_a_picture_and_json(path):
    events = load(path).events
    for count in range(1, len(events) + 1, 7):
        view = ExecutionView('w', 'r').apply_all(events[:count])
        now = view.updated_at + timedelta(seconds=100)
        diagnosis = diagnose(view, now)
        assert diagnosis.state
        assert json.loads(json.dumps(diagnosis.to_dict()))['execution']['events'] == count
        picture = picture_of(view, now)
        assert max(map(len, plain([*page(picture, 50), *timeline(picture, 50)]).splitlines())) <= 50


@pytest.mark.parametrize('path', RECORDED, ids=lambda path: path.stem)
def test_the_code_that_made_a_history_has_no_quarrel_with_it(path):
    view = ExecutionView('w', 'r').apply_all(load(path).events)
    spec = SPECS[view.name, view.version]
    code = diagnose(view, view.updated_at, spec=spec).code
    assert code.error is None
