"""A service in this process with a domain in it, and time that stands still."""

from __future__ import annotations

import pytest

from genflow.local import LocalSWF, ManualClock

DOMAIN = 'd'


@pytest.fixture
def swf():
    with LocalSWF(clock=ManualClock()) as service:
        service.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='90')
        yield service
