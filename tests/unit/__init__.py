"""Pure tests: time is an argument, nothing sleeps; what needs a socket or a thread is marked `system`."""
