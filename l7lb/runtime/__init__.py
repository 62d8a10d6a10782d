"""Generic machinery: knows the model and the errors, and nothing of Ingresses or load balancers. Could be a library."""
