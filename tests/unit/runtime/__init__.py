"""Tests of the generic machinery, stepped by hand on a clock that only the test moves."""
