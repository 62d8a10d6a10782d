"""Scenarios of the reconciler, each a sentence, in one thread on a virtual clock."""
