"""One suite per interface: what the emulators promise, and what the adapters may rely on."""
