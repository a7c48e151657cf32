"""Deterministic asyncio: loop, virtual clock, simulated network and hosts, trace digest, fences.

The kernel knows nothing of appliances, scenarios or checks. It runs whatever asyncio code it is given, as a function
of that code and a seed.
"""

from pulse_sim.kernel.clock import HostClock
from pulse_sim.kernel.disk import Disk
from pulse_sim.kernel.dns import DnsFault
from pulse_sim.kernel.errors import FenceError, KernelError, SimulationDeadlock
from pulse_sim.kernel.hosts import Host
from pulse_sim.kernel.links import Link, LinkFault
from pulse_sim.kernel.schedule import Schedule
from pulse_sim.kernel.simulation import Simulation
from pulse_sim.kernel.timers import Priority
from pulse_sim.kernel.toxics import Bandwidth, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout, Toxic
from pulse_sim.kernel.trace import Checkpoint, Trace
from pulse_sim.kernel.unhandled import Unhandled

__all__ = [
    "Bandwidth",
    "Checkpoint",
    "Disk",
    "DnsFault",
    "FenceError",
    "Host",
    "HostClock",
    "KernelError",
    "Latency",
    "LimitData",
    "Link",
    "LinkFault",
    "Priority",
    "ResetPeer",
    "Schedule",
    "Simulation",
    "SimulationDeadlock",
    "Slicer",
    "SlowClose",
    "Timeout",
    "Toxic",
    "Trace",
    "Unhandled",
]
