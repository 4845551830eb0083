"""A service whose time passes by itself, with a domain in it."""

from __future__ import annotations

import pytest

from genflow.local import LocalSWF, SystemClock


@pytest.fixture
def live():
    with LocalSWF(clock=SystemClock(), synchronous='OFF', long_poll=0.1) as service:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        yield service
