"""Tests of the translator: cluster objects in, a desired load balancer, problems and held scopes out."""
