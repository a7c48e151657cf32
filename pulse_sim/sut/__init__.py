"""The protocol of a system under test and its adapters."""
