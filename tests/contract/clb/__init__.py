"""What the CLB API does, said with the unmodified SDK; today against the emulator, one day against the cloud."""
