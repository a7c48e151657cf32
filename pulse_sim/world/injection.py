"""How a world fault's effect is laid over the simulated network. It reads effects and never asks for a kind."""

from collections.abc import Callable

from pulse_sim.kernel import DnsFault, LinkFault
from pulse_sim.kernel.network import Network
from pulse_sim.kernel.toxics import EFFECTS, Toxic
from pulse_sim.world.faults import ClockEffect, LinkEffect, NameEffect, ToxicEffect, WorldEffect


def lay(network: Network, fault_id: str, effect: WorldEffect, host: str) -> Callable[[], None]:
    """Lay an effect on a host, or between everybody and it; what is returned takes it away again and is called once."""
    if isinstance(effect, ClockEffect):
        clock, step_ns = network.hosts[host].clock, effect.step_ns
        clock.step(step_ns)
        return lambda: clock.step(-step_ns)
    if isinstance(effect, NameEffect):
        network.dns.apply(fault_id, DnsFault(effect.kind, effect.delay_ns), name=host)
        return lambda: network.dns.heal(fault_id)
    network.apply(fault_id, _fault(effect), dst=host)
    return lambda: network.heal(fault_id)


def _fault(effect: LinkEffect | ToxicEffect) -> LinkFault | Toxic:
    if isinstance(effect, LinkEffect):
        return LinkFault(effect.kind, direction=effect.direction)
    return Toxic(EFFECTS[effect.type](**effect.attributes), effect.stream, effect.toxicity)
