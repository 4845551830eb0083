"""One model of an execution, built from its events: what it did, where it stands, and why it makes no progress.

The dashboard and the commands that show executions use three things:

* :class:`ExecutionView`, the model. ``ExecutionView(workflow_id, run_id).apply_all(events)`` reads the events of one
  run, and :meth:`~ExecutionView.apply` one more. Its :attr:`~ExecutionView.operations` have attempts, with queue wait
  and run time apart. :meth:`~ExecutionView.deadlines` says what SWF does next by itself, and
  :meth:`~ExecutionView.changed_since` what a page has to redraw.
* :func:`replayed` and :func:`suppose`, which need the workflow's class: where each branch stands, and what the code
  would do after a supposed event.
* :func:`diagnose`, which returns a :class:`Diagnosis`: a sentence of state, what happens next by itself, and the
  :class:`Finding` objects of :data:`RULES`, by rank.

``genflow.insight.timeline`` lays operations out over time, with idle time shortened. ``genflow.insight.flow`` finds
which operation led to which, and ``genflow.insight.repair`` the history that a repaired execution begins with.

The package is pure: no clock, no files, no network. The current time is an argument, and so are the :class:`Facts` that
a caller has asked a service for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.lazy_names import lazy_names

if TYPE_CHECKING:
    from genflow.insight.code import BranchView, CodeView, Place, replayed, suppose
    from genflow.insight.diagnosis import BranchState, Diagnosis, diagnose
    from genflow.insight.finding import CAUSE, NOTE, SETTING, Case, Evidence, Facts, Finding, Poller, Rule
    from genflow.insight.operations import (
        Attempt,
        CancelRequest,
        Close,
        Deadline,
        DecisionTask,
        Limits,
        Marker,
        Operation,
        Refusal,
        SignalReceived,
    )
    from genflow.insight.rules import RULES
    from genflow.insight.suppositions import Supposition, parsed
    from genflow.insight.times import clock_time, duration, elapsed, utc
    from genflow.insight.view import CLOSES, ExecutionView, attributes_of

__all__ = [
    'CAUSE',
    'CLOSES',
    'NOTE',
    'RULES',
    'SETTING',
    'Attempt',
    'BranchState',
    'BranchView',
    'CancelRequest',
    'Case',
    'Close',
    'CodeView',
    'Deadline',
    'DecisionTask',
    'Diagnosis',
    'Evidence',
    'ExecutionView',
    'Facts',
    'Finding',
    'Limits',
    'Marker',
    'Operation',
    'Place',
    'Poller',
    'Refusal',
    'Rule',
    'SignalReceived',
    'Supposition',
    'attributes_of',
    'clock_time',
    'diagnose',
    'duration',
    'elapsed',
    'parsed',
    'replayed',
    'suppose',
    'utc',
]

_LAZY = {
    'CAUSE': 'genflow.insight.finding',
    'CLOSES': 'genflow.insight.view',
    'NOTE': 'genflow.insight.finding',
    'RULES': 'genflow.insight.rules',
    'SETTING': 'genflow.insight.finding',
    'Attempt': 'genflow.insight.operations',
    'BranchState': 'genflow.insight.diagnosis',
    'BranchView': 'genflow.insight.code',
    'CancelRequest': 'genflow.insight.operations',
    'Case': 'genflow.insight.finding',
    'Close': 'genflow.insight.operations',
    'CodeView': 'genflow.insight.code',
    'Deadline': 'genflow.insight.operations',
    'DecisionTask': 'genflow.insight.operations',
    'Diagnosis': 'genflow.insight.diagnosis',
    'Evidence': 'genflow.insight.finding',
    'ExecutionView': 'genflow.insight.view',
    'Facts': 'genflow.insight.finding',
    'Finding': 'genflow.insight.finding',
    'Limits': 'genflow.insight.operations',
    'Marker': 'genflow.insight.operations',
    'Operation': 'genflow.insight.operations',
    'Place': 'genflow.insight.code',
    'Poller': 'genflow.insight.finding',
    'Refusal': 'genflow.insight.operations',
    'Rule': 'genflow.insight.finding',
    'SignalReceived': 'genflow.insight.operations',
    'Supposition': 'genflow.insight.suppositions',
    'attributes_of': 'genflow.insight.view',
    'clock_time': 'genflow.insight.times',
    'diagnose': 'genflow.insight.diagnosis',
    'duration': 'genflow.insight.times',
    'elapsed': 'genflow.insight.times',
    'parsed': 'genflow.insight.suppositions',
    'replayed': 'genflow.insight.code',
    'suppose': 'genflow.insight.code',
    'utc': 'genflow.insight.times',
}
"""Where each name is; its module is imported when the name is asked for."""

__getattr__, __dir__ = lazy_names(__name__, _LAZY)
