"""Tests of the application: what it wires, waits for, says and ends with."""
