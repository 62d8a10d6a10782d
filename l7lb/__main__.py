"""`python -m l7lb`."""

from l7lb.cli import main

main()
