"""A small suite against the real cloud, with the unmodified SDK and the shipped command. The emulator proves it.

docs/real-account.md says what it needs, what it costs, and how what is left is taken away.
"""
