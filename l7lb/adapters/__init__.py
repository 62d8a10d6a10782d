"""The two worlds, Kubernetes and the cloud, in the words of the model.

An adapter knows `errors` and `model` and nothing else of ours; it has the shape of the reconciler's ports without
knowing them. Foreign exceptions stop here.
"""
