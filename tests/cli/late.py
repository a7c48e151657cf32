"""Systems that are the reference stack for a long while and then differ by next to nothing; for comparing runs."""

from collections.abc import Callable

from pulse_sim.stack.assembly import Parts
from pulse_sim.stack.metrics import Metrics
from pulse_sim.sut.protocol import Place
from pulse_sim.sut.reference import ReferenceSystem

START_NS = 1_770_595_200_000_000_000  # 2026-02-09T00:00:00Z, where every scenario of the catalogue begins
MINUTE_NS = 60_000_000_000


def _after(late_ns: int) -> Callable[[Place], ReferenceSystem]:
    class ANanosecondMore(Metrics):
        def poll_succeeded(self, instance: str, duration_s: float, unix_ns: int) -> None:
            super().poll_succeeded(instance, duration_s + (1e-9 if unix_ns >= START_NS + late_ns else 0), unix_ns)

    return lambda place: ReferenceSystem(place, Parts(metrics=ANanosecondMore))


after_ten_minutes = _after(10 * MINUTE_NS)
after_forty_minutes = _after(40 * MINUTE_NS)
after_forty_seven_hours = _after(47 * 60 * MINUTE_NS)
