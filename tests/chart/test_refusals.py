"""Values that are wrong are refused before anything is installed, and the message names the value."""

import pytest

from tests.chart.rendering import render
from tests.tools import needs

pytestmark = needs("helm")

MISSING = ["clusterId", "region", "vpcId", "image.repository", "credentialsSecret"]
REFUSED = [
    ("--set=replicas=3", "replicas"),
    ("--set=image.name=l7lb", "name"),
    ("--set=monitoring.serviceMonitor.enable=true", "enable"),
    ("--set=uninstall.polcy=keep", "polcy"),
    ("--set=resources.limit.cpu=1", "limit"),
    ("--set=clusterId=cls_1", "/clusterId"),
    ("--set=region=Guangzhou", "/region"),
    ("--set=vpcId=4hd8w0pn", "/vpcId"),
    ("--set=moreRegions=ap-a;ap-b", "/moreRegions"),
    ("--set-string=replicaCount=two", "/replicaCount"),
    ("--set=maxConcurrentReconciles=0", "/maxConcurrentReconciles"),
    ("--set=maxConcurrentReconciles=1.5", "/maxConcurrentReconciles"),
    ("--set=classExitGrace=-1", "/classExitGrace"),
    ("--set=verifyInterval=100000", "/verifyInterval"),
    ("--set=secretsFrom=all", "/secretsFrom"),
    ("--set=logLevel=trace", "/logLevel"),
    ("--set=logFormat=xml", "/logFormat"),
    ("--set-string=leaderElect=yes", "/leaderElect"),
    ("--set=metricsBindAddress=8080", "/metricsBindAddress"),
    ("--set=metricsBindAddress=:70000", "/metricsBindAddress"),
    ("--set=credentials=AKIDsomething", "/credentials"),
    ("--set=watchNamespace=Shop", "/watchNamespace"),
    ("--set=image.digest=sha256:12", "/image/digest"),
    ("--set=image.pullPolicy=Sometimes", "/image/pullPolicy"),
    ("--set=antiAffinity=firm", "/antiAffinity"),
    ("--set=terminationGracePeriodSeconds=30", "/terminationGracePeriodSeconds"),
    ("--set=uninstall.policy=delete", "/uninstall/policy"),
    ("--set=extraArgs={run}", "/extraArgs/0"),
    ("--set=resources.limits.memory=lots", "/resources/limits/memory"),
    ("--set=referencedSecrets[0].namespace=shop", "referencedSecrets"),
    ("--set=podDisruptionBudget.maxUnavailable=half", "/podDisruptionBudget/maxUnavailable"),
    ("--set=confirmCluster=cls-other", "confirmCluster: is not clusterId"),
    ("--set=collectOrphans=true,watchNamespace=shop", "collectOrphans: not together with watchNamespace"),
    ("--set=collectOrphans=true,verifyInterval=0", "collectOrphans: not together with verifyInterval=0"),
    ("--set=leaderElect=false", "leaderElect: more than one replica needs it"),
    ("--set=referencedSecrets[0].namespace=shop,referencedSecrets[0].names={a}", "referencedSecrets: only with"),
    ("--set=credentials=cvm-role", "credentialsSecret: is not used with credentials=cvm-role"),
    ("--set=monitoring.serviceMonitor.enabled=true,monitoring.podMonitor.enabled=true", "scrape everything twice"),
    ("--set=monitoring.serviceMonitor.enabled=true,metricsBindAddress=0", "metricsBindAddress"),
    ("--set=uninstall.policy=drain", "uninstall.confirmCluster: `drain` deletes load balancers"),
    ("--set=uninstall.policy=drain,uninstall.confirmCluster=cls-other", "uninstall.confirmCluster"),
    (
        "--set=uninstall.policy=drain,uninstall.confirmCluster=cls-9mfq2k1t,watchNamespace=shop",
        "uninstall.policy: `drain` is for a whole cluster",
    ),
]


def refusal(*arguments: str) -> str:
    with pytest.raises(RuntimeError) as refused:
        render(*arguments)
    return str(refused.value)


@pytest.mark.parametrize(("argument", "words"), REFUSED, ids=[argument for argument, _ in REFUSED])
def test_a_wrong_value_is_named(argument: str, words: str) -> None:
    assert words in refusal(argument)


def test_everything_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(RuntimeError) as refused:
        render(values=())
    assert [name for name in MISSING if f"  - {name}: " not in str(refused.value)] == []
