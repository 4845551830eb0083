"""What clients and workers tell about themselves: traces, metrics, and a record of each closed execution.

Everything here is middleware (:class:`genflow.Middleware`):

* :class:`Tracing`: OpenTelemetry spans, one trace from the starter to the last activity;
* :class:`PrometheusMetrics`: counters and histograms in Prometheus' text format;
* :class:`Meters`: the same as OpenTelemetry instruments;
* :class:`Records`: one line of JSON for each execution that closes.

``Tracing`` and ``Meters`` need the extra ``otel``, which is OpenTelemetry's API; where the spans go is the business of
the program that sets up its SDK.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genflow.telemetry.metrics import PrometheusMetrics
    from genflow.telemetry.otel_metrics import Meters
    from genflow.telemetry.records import Records
    from genflow.telemetry.tracing import Tracing

__all__ = ['Meters', 'PrometheusMetrics', 'Records', 'Tracing']

_LAZY = {
    'Meters': 'genflow.telemetry.otel_metrics',
    'PrometheusMetrics': 'genflow.telemetry.metrics',
    'Records': 'genflow.telemetry.records',
    'Tracing': 'genflow.telemetry.tracing',
}
"""Where each name is; its module is imported when the name is asked for."""


def __getattr__(name: str) -> Any:
    """Loads a name when it is asked for, once."""
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    found = globals()[name] = getattr(import_module(module), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
