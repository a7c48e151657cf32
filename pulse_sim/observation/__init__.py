"""The observation log: what a run saw, on disk before anything judges it (R6). Knows nothing of who writes or reads it."""

from pulse_sim.observation.record import FORMAT_VERSION, Header, Record, Source

__all__ = ["FORMAT_VERSION", "Header", "Record", "Source"]
