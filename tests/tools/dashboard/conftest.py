"""Pages wait for everything that they show, however slow the machine is."""

import pytest

from genflow.tools.dashboard.data import executions


@pytest.fixture(autouse=True)
def patient_pages(monkeypatch):
    monkeypatch.setattr(executions, 'FIRST', 60)
