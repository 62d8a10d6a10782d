"""A Kubernetes API server for tests and the demo, written from the API's documentation.

`KubeEmulator` is the whole of it. Nothing below this package may import from l7lb, or need more than PyYAML.
"""

from tests.emulators.kube.emulator import ConnectionLost, Hang, KubeEmulator, Request, Response
from tests.emulators.kube.server import Tls

__all__ = ["ConnectionLost", "Hang", "KubeEmulator", "Request", "Response", "Tls"]
