"""Property tests replay the same examples everywhere; `L7LB_EXAMPLES=random` looks for new ones."""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("random" if os.environ.get("L7LB_EXAMPLES") == "random" else "same")
