"""Deterministic asyncio: loop, virtual clock, simulated network and hosts, trace digest, fences."""
