"""l7lb turns Kubernetes Ingress objects into Tencent Cloud load balancers and keeps them right."""

__version__ = "0.1.0"
