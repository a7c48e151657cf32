"""The observation log: what a run saw, on disk before anything judges it (R6).

Knows nothing of who writes or reads it.
"""

from pulse_sim.observation.log import AlertSample, LogDamaged, ResourceSample, RunLog
from pulse_sim.observation.record import FORMAT_VERSION, Header, Record, Source
from pulse_sim.observation.series import Sample, Scrape
from pulse_sim.observation.topology import Connection, FaultWindow, Request, Span
from pulse_sim.observation.truth import Truth
from pulse_sim.observation.writer import LogWriter

__all__ = [
    "FORMAT_VERSION",
    "AlertSample",
    "Connection",
    "FaultWindow",
    "Header",
    "LogDamaged",
    "LogWriter",
    "Record",
    "Request",
    "ResourceSample",
    "RunLog",
    "Sample",
    "Scrape",
    "Source",
    "Span",
    "Truth",
]
