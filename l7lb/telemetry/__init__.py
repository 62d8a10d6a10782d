"""Logs and metrics: told what happened, in the words of operators. Decides nothing, knows only the model."""
