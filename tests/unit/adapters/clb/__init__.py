"""The CLB adapter without a cloud: tables, codecs, budgets, and a socket that misbehaves."""
