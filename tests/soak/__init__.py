"""The shipped command under mixed churn for a while, and whether what it takes stays flat. Not part of the suite."""
