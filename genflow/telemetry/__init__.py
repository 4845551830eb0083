"""Traces, metrics, and a record of each closed execution, from clients and workers.

Everything here is middleware (:class:`genflow.Middleware`):

* :class:`Tracing`: OpenTelemetry spans, one trace from the starter to the last activity;
* :class:`PrometheusMetrics`: counters and histograms in Prometheus' text format;
* :class:`Meters`: the same as OpenTelemetry instruments;
* :class:`Records`: one line of JSON for each execution that closes.

``Tracing`` and ``Meters`` need the extra ``otel``, which is OpenTelemetry's API; where the spans go is the business of
the program that sets up its SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.lazy_names import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _LAZY)
