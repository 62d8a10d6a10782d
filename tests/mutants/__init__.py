"""The product with one fault put in on purpose: a test must notice. `make mutants` tries them all."""
