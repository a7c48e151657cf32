"""What the kernel raises about itself, never about the simulated network."""


class KernelError(RuntimeError):
    """The simulation cannot go on as asked."""


class FenceError(KernelError):
    """Something tried to leave the simulation; the message names the call."""


class SimulationDeadlock(KernelError):
    """Nothing can ever run again, or virtual time has stopped moving."""
