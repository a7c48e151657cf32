"""An alert book over metrics and a registry that a test moves by hand. It judges nothing."""

from typing import Any

from pulse_sim.kernel import Simulation
from pulse_sim.stack.alerts.book import AlertBook
from pulse_sim.stack.alerts.file import AlertFile
from pulse_sim.stack.breaker import Breaker
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.errors import ErrorType
from pulse_sim.stack.metrics import Metrics
from pulse_sim.stack.registry import Registry

START_NS = 1_770_595_200_000_000_000


class AlertBed:
    """One connection `nas-1` to begin with; time stands at 0 and moves 15 s a tick."""

    def __init__(self, interval_s: int = 60, disk: Any = None) -> None:
        self.now = 0.0
        self.ticks = 0
        self.interval_s = interval_s
        self.disk = disk if disk is not None else Simulation(1, START_NS).disk("pulse")
        self.disk.make_directory("/data", 0o700)
        self.connections: list[Connection] = []
        self.failures: dict[str, int] = {}
        self.metrics = Metrics(lambda: self.now)
        self.registry = Registry()
        self.book = AlertBook(
            self,
            self.metrics,
            self.registry,
            AlertFile(self.disk, "/data"),
            lambda: self.now,
            monitored=lambda: self.connections,
        )
        self.add("nas-1")

    def now_ns(self) -> int:
        return START_NS + int(self.now * 1e9)

    def add(self, instance: str) -> None:
        self.connections.append(Connection(id=instance, host="nas", poll_interval_s=self.interval_s))
        self.metrics.unregister(instance)
        self.metrics.register(instance)

    def fails(self, error_type: ErrorType, duration_s: float = 0.1, instance: str = "nas-1") -> None:
        self.failures[instance] = self.failures.get(instance, 0) + 1
        self.metrics.poll_failed(instance, duration_s, error_type)
        self.metrics.show_failures(instance, self.failures[instance], Breaker(lambda: 0.0))

    def succeeds(self, duration_s: float = 0.1, instance: str = "nas-1") -> None:
        self.failures[instance] = 0
        self.metrics.poll_succeeded(instance, duration_s, self.now_ns())
        self.metrics.show_failures(instance, 0, Breaker(lambda: 0.0))

    def tick(self) -> None:
        self.ticks += 1
        self.now += 15.0
        self.book.evaluate(self.ticks)
