"""Tests and the conformance runners."""
