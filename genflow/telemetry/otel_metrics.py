"""The metrics as OpenTelemetry instruments.

Their names are those of :mod:`genflow.telemetry.instruments` in OpenTelemetry's spelling: ``genflow.decision`` in
seconds is ``genflow_decision_seconds`` once its Prometheus exporter has written it, so that one Grafana dashboard fits
both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from genflow.exposition import Instrument
from genflow.telemetry.instruments import OBSERVED, WORKER
from genflow.telemetry.measuring import Measured, Measuring, worker_numbers

__all__ = ['Meters', 'otel_name']


def otel_name(instrument: Instrument) -> str:
    """The OpenTelemetry name of an instrument."""
    name = instrument.name.removeprefix('genflow_').removesuffix('_total').removesuffix('_seconds')
    return f'genflow.{name}'


def _unit(instrument: Instrument) -> str:
    return 's' if instrument.name.endswith('_seconds') else '1' if instrument.type == 'gauge' else ''


class Meters(Measuring):
    """The metrics as OpenTelemetry instruments.

    Args:
        meter_provider: Makes the meter; OpenTelemetry's global one unless given.
    """

    def __init__(self, meter_provider: Any = None) -> None:
        provider = meter_provider if meter_provider is not None else metrics.get_meter_provider()
        self._meter = provider.get_meter('genflow', version('genflow'))
        self._instruments = {one: self._made(one) for one in OBSERVED}

    def watch(self, worker: Measured) -> None:
        """Also exports the counts of a worker. Call it for one worker of a process only."""
        for instrument in WORKER:
            create = self._meter.create_observable_gauge
            if instrument.type == 'counter':
                create = self._meter.create_observable_counter
            create(
                otel_name(instrument),
                callbacks=[_reading(worker, instrument)],
                unit=_unit(instrument),
                description=instrument.help,
            )

    def _made(self, instrument: Instrument) -> Any:
        name, unit, text = otel_name(instrument), _unit(instrument), instrument.help
        if instrument.type == 'counter':
            return self._meter.create_counter(name, unit, text)
        return self._meter.create_histogram(
            name, unit, text, explicit_bucket_boundaries_advisory=list(instrument.buckets)
        )

    def add(self, instrument: Instrument, /, *labels: str) -> None:
        """Adds 1 to a counter."""
        self._instruments[instrument].add(1, dict(zip(instrument.labels, labels, strict=True)))

    def observe(self, instrument: Instrument, value: float, /, *labels: str) -> None:
        """Adds a value to a histogram."""
        self._instruments[instrument].record(value, dict(zip(instrument.labels, labels, strict=True)))


def _reading(worker: Measured, instrument: Instrument) -> Callable[[CallbackOptions], Iterator[Observation]]:
    def read(options: CallbackOptions) -> Iterator[Observation]:
        for one, number, labels in worker_numbers(worker):
            if one is instrument:
                yield Observation(number, dict(zip(instrument.labels, labels, strict=True)))

    return read
