"""`l7lb adopt`: what is found out about each Ingress, also beside one whose load balancer is gone."""

from pathlib import Path

import pytest

from l7lb.app.adopting import assess
from l7lb.app.gate import Evidence, Gate
from l7lb.app.planning import offline
from l7lb.app.survey import Surveyed
from l7lb.errors import NotFound
from l7lb.model.identity import CloudRef, Cluster
from l7lb.model.snapshot import Settings
from tests.unit.runtime.fake_clock import FakeClock

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: shop, annotations: {{kubernetes.io/ingress.qcloud-loadbalance-id: {lb}}}}}
spec: {{defaultBackend: {{service: {{name: web, port: {{number: 80}}}}}}}}
---
"""


class Protected:
    """Modification protection is on wherever there is a load balancer; those that are not there are an error."""

    def __init__(self, *there: str) -> None:
        self._there = there

    def protected(self, refs: tuple[CloudRef, ...]) -> frozenset[CloudRef]:
        """All of them; raises NotFound."""
        for ref in refs:
            if ref.id not in self._there:
                raise NotFound(f"DescribeLBOperateProtect: {ref.id} not found")
        return frozenset(refs)


@pytest.mark.parametrize("there", [("lb-a", "lb-b", "lb-c"), ("lb-a", "lb-c"), ("lb-b",), ()], ids=str)
def test_a_load_balancer_that_is_gone_is_not_protected_and_hides_no_other(
    there: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text("".join(INGRESS.format(name=name, lb=f"lb-{name}") for name in "abc"), encoding="utf-8")
    cluster = Cluster("cls-9mfq2k1t", "uid-of-kube-system")
    worlds = offline([file], cluster, Settings(cluster.id, "ap-guangzhou", "vpc-4hd8w0pn"), FakeClock())
    gate = Gate(lambda: Evidence(None, None, None, readable=True), ignored=False)
    found = assess(Surveyed(worlds, gate.standing(), gate, ()), Protected(*there), lambda _: None)
    told = {str(one.load_balancer.id): one.protected for one in found.assessments if one.load_balancer is not None}
    assert told == {name: name in there for name in ("lb-a", "lb-b", "lb-c")}
