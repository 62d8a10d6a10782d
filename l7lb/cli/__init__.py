"""The command line. Parses, prints, and chooses the exit code; decides nothing.

Exit codes: 0, all is well, or done; 1, something could not be read or done; 2, there is something to look at or to do,
or a flag is wrong.
"""

from l7lb.cli.entry import main

__all__ = ["main"]
