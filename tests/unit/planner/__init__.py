"""Tests of the planner: two worlds in, a plan out."""
