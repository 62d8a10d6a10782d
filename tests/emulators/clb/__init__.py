"""An emulator of the Tencent Cloud CLB API that the unmodified SDK talks to.

Written from the public API description, not from our client code. ``python -m tests.emulators.clb`` starts it as a
process; a test uses ``emulator.ClbEmulator`` without a socket (``handle``) or ``server.ClbServer`` round it.
"""
