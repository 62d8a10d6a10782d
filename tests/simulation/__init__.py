"""The product in one thread on a virtual clock, against both emulators: `python -m tests.simulation --seed N`."""
