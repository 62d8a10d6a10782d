"""What the data plane of the CLB emulator promises to whoever sends requests through it."""
