"""Golden cases: cluster objects and an observed cloud in, plan and Events out. Read first: tests/README.md."""
