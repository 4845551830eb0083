"""Warnings go to what stderr is when they come, and not twice."""

from __future__ import annotations

import io
import logging
import sys

from genflow import NondeterminismError
from genflow.tools.cli.processes.news import warnings_on_stderr

log = logging.getLogger('genflow.worker')


def test_a_warning_goes_to_what_has_taken_the_place_of_stderr(monkeypatch):
    with warnings_on_stderr():
        monkeypatch.setattr(sys, 'stderr', table := io.StringIO())
        log.warning('%s was slow', 'Order')
    log.warning('nobody listens')
    assert table.getvalue() == 'genflow.worker: Order was slow\n'


def test_what_the_command_reports_itself_is_no_news(capsys):
    with warnings_on_stderr():
        log.error('Order is held: another activity', extra={'error': NondeterminismError('another activity')})
    assert capsys.readouterr().err == ''
