"""Our CLB adapter against the emulator: every step is performed over a socket and read back."""
