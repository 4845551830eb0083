"""Metrics for Prometheus: the numbers of this process in its text format."""

from __future__ import annotations

from genflow.exposition import Instrument, Measurements
from genflow.telemetry.instruments import INSTRUMENTS, WORKER
from genflow.telemetry.measuring import Measured, Measuring, worker_numbers

__all__ = ['PrometheusMetrics']


class PrometheusMetrics(Measuring):
    """The metrics of this process, for its clients and workers, in Prometheus' text format.

    A program that serves ``/metrics`` itself returns :meth:`text` there; ``genflow worker --metrics PORT`` does it for
    a worker.
    """

    def __init__(self) -> None:
        self._numbers = Measurements(INSTRUMENTS)
        self._worker: Measured | None = None

    def watch(self, worker: Measured) -> None:
        """Includes the counts of a worker."""
        self._worker = worker

    def add(self, instrument: Instrument, /, *labels: str) -> None:
        """Adds 1 to a counter."""
        self._numbers.add(instrument, 1, *labels)

    def observe(self, instrument: Instrument, value: float, /, *labels: str) -> None:
        """Adds a value to a histogram."""
        self._numbers.observe(instrument, value, *labels)

    def text(self) -> str:
        """The current numbers in Prometheus' text format 0.0.4."""
        if self._worker is not None:
            for instrument in WORKER:
                self._numbers.clear(instrument)
            for instrument, number, labels in worker_numbers(self._worker):
                self._numbers.set(instrument, number, *labels)
        return self._numbers.text()
