"""How release 24.10 shows the state of the appliance: one module a resource (truenas-api 3). No routing, no I/O."""
