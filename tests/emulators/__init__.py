"""Emulators of the two worlds that l7lb talks to; nothing here may import l7lb (a witness, not a twin)."""
