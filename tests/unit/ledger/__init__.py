"""Tests of the ledger: tags, record and owner in, a claim out; and no plan beyond the claim."""
