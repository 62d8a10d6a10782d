"""Tests: see tests/README.md for where a new one belongs."""
