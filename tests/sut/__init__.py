"""Tests of systems under test and of their adapters."""
