"""Tests of determinism."""
