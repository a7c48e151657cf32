"""How a world fault's effect is laid over the simulated network. It reads effects and never asks for a kind."""

from collections.abc import Callable

from pulse_sim.kernel import DnsFault, LinkFault
from pulse_sim.kernel.network import Network
from pulse_sim.kernel.toxics import EFFECTS, Toxic
from pulse_sim.world.faults import LinkEffect, NameEffect, ToxicEffect, WorldEffect


def lay(network: Network, fault_id: str, effect: WorldEffect, appliance: str) -> Callable[[], None]:
    """Lay an effect between everybody and an appliance's host; what takes it away again, harmless when done twice."""
    if isinstance(effect, NameEffect):
        network.dns.apply(fault_id, DnsFault(effect.kind, effect.delay_ns), name=appliance)
        return lambda: network.dns.heal(fault_id)
    network.apply(fault_id, _fault(effect), dst=appliance)
    return lambda: network.heal(fault_id)


def _fault(effect: LinkEffect | ToxicEffect) -> LinkFault | Toxic:
    if isinstance(effect, LinkEffect):
        return LinkFault(effect.kind, direction=effect.direction)
    return Toxic(EFFECTS[effect.type](**effect.attributes), effect.stream, effect.toxicity)
