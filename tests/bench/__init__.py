"""`make bench`: what l7lb costs, held against its budgets and against what else a user could run. Asserts no time."""
