"""What every worker would otherwise load again, loaded once in the process that forks them: import this and fork.

Only what no run can change: code, templates, tables, and what is installed. Nothing of a scenario is here.
"""

import pulse_sim.sut.reference  # noqa: F401 - the system most runs are about; loading it takes a fifth of a short run
from pulse_sim.cli.job import CHECKOUT
from pulse_sim.evidence.environment import describe_environment
from pulse_sim.kernel.rebinding import foresee
from pulse_sim.report.html import load_templates
from pulse_sim.scenario.document import parse_document
from pulse_sim.world.simulated import REBOUND

describe_environment(argv=(), started_at="", ended_at="", checkout=CHECKOUT)
foresee(REBOUND)
load_templates()
parse_document("warm.yaml", b"first: [1, 2.5, true, text]\n")  # the parser makes its tables when it is first used
