"""Tests of logs and metrics: names, labels, and that each value is really filled."""
