"""Values that are wrong are refused before anything is installed, and the message names the value."""

import pytest

from tests.chart.rendering import render, template
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
    ("--set=watchNamespace=null", "missing property 'watchNamespace'"),
    ("--set=logLevel=null", "missing property 'logLevel'"),
    ("--set=image=null", "missing property 'image'"),
    ("--set=replicaCount=null", "missing property 'replicaCount'"),
    ("--set=uninstall.policy=null", "missing property 'policy'"),
    ("--set=uninstall.timeoutSeconds=1000000", "/uninstall/timeoutSeconds"),
    ("--set=terminationGracePeriodSeconds=1000000", "/terminationGracePeriodSeconds"),
    ("--set=revisionHistoryLimit=1000000", "/revisionHistoryLimit"),
    ("--set=podDisruptionBudget.maxUnavailable=1000000", "/podDisruptionBudget/maxUnavailable"),
    ("--set=image.repository=registry.example.com/l7lb:0.1.0", "/image/repository"),
    ("--set=image.repository=l7lb:0.1.0", "/image/repository"),
    ("--set=fullnameOverride=1st", "/fullnameOverride"),
    ("--set=fullnameOverride=l7lb.one", "/fullnameOverride"),
    ("--set=nameOverride=l7lb.one", "/nameOverride"),
    ("--set=metricsBindAddress=:8081", "healthProbeBindAddress: port 8081 is taken by metricsBindAddress"),
    ("--set=consoleBindAddress=127.0.0.1:8080", "consoleBindAddress: port 8080 is taken by metricsBindAddress"),
    ("--set=metricsBindAddress=:0", "metricsBindAddress: 0 is no port"),
    (
        '--set-json=readinessWebhook.enabled=true,readinessWebhookBindAddress="0"',
        "readinessWebhookBindAddress: is 0",
    ),
    (
        '--set-json=secretsFrom="referenced",referencedSecrets=[{"namespace":"a","names":["b"]},{"namespace":"a","names":["c"]}]',
        "referencedSecrets: a namespace is there twice",
    ),
    ("--set=confirmCluster=cls-other", "confirmCluster: is not clusterId"),
    ("--set=collectOrphans=true,watchNamespace=shop", "collectOrphans: not together with watchNamespace"),
    ("--set=collectOrphans=true,verifyInterval=0", "collectOrphans: not together with verifyInterval=0"),
    ("--set=leaderElect=false", "leaderElect: more than one replica needs it"),
    ("--set=leaderElect=false,replicaCount=1,shards=2", "shards: more than one needs leaderElect"),
    ("--set=shards=2,consoleBindAddress=127.0.0.1:8082", "shards: more than one and the console"),
    ("--set=shards=17", "/shards"),
    ("--set=referencedSecrets[0].namespace=shop,referencedSecrets[0].names={a}", "referencedSecrets: only with"),
    ("--set=credentials=cvm-role", "credentialsSecret: is not used with credentials=cvm-role"),
    ("--set=monitoring.serviceMonitor.enabled=true,monitoring.podMonitor.enabled=true", "scrape everything twice"),
    ("--set=monitoring.serviceMonitor.enabled=true,metricsBindAddress=0", "metricsBindAddress"),
    ("--set=credentials=env,credentialsSecret=", "credentialsSecret: credentials=env needs the Secret"),
    (
        "--set=credentials=env,credentialsSecret=,extraEnv[0].name=TENCENTCLOUD_SECRET_ID,extraEnv[0].value=a",
        "credentialsSecret: credentials=env needs the Secret",
    ),
    (
        "--set=credentials=tke-oidc,credentialsSecret=",
        "serviceAccount.annotations: credentials=tke-oidc needs tke.cloud.tencent.com/role-arn",
    ),
    ("--set=healthProbeBindAddress=127.0.0.1:8081", "healthProbeBindAddress: 127.0.0.1:8081 is heard in the pod alone"),
    ("--set=healthProbeBindAddress=localhost:8081", "healthProbeBindAddress: localhost:8081 is heard in the pod alone"),
    ("--set=healthProbeBindAddress=[::1]:8081", "healthProbeBindAddress: [::1]:8081 is heard in the pod alone"),
    (
        "--set=monitoring.podMonitor.enabled=true,metricsBindAddress=127.0.0.1:8080",
        "metricsBindAddress: 127.0.0.1:8080 is heard in the pod alone",
    ),
    (
        "--set=monitoring.serviceMonitor.enabled=true,metricsBindAddress=localhost:8080",
        "metricsBindAddress: localhost:8080 is heard in the pod alone",
    ),
    ("--set=podLabels.app\\.kubernetes\\.io/name=web", "podLabels: app.kubernetes.io/name is the chart's own"),
    (
        '--set-json=monitoring.podMonitor.labels={"app.kubernetes.io/version":"1"}',
        "monitoring.podMonitor.labels: app.kubernetes.io/version is the chart's own",
    ),
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


def test_a_release_whose_name_can_name_no_service_is_told_what_to_give() -> None:
    with pytest.raises(RuntimeError, match="fullnameOverride: 7lb-l7lb cannot be the name of a Service"):
        template(release="7lb")


KEYS = '[{"name":"TENCENTCLOUD_SECRET_ID","value":"a"},{"name":"TENCENTCLOUD_SECRET_KEY","value":"b"}]'


@pytest.mark.parametrize("argument", [
    "--set=credentials=env",
    f'--set-json=credentials="env",credentialsSecret="",extraEnv={KEYS}',
    "--set=credentials=tke-oidc,credentialsSecret=,serviceAccount.create=false,serviceAccount.name=own",
    "--set=credentials=tke-oidc,credentialsSecret=,extraEnv[0].name=TKE_ROLE_ARN,extraEnv[0].value=a",
    "--set=healthProbeBindAddress=10.0.0.7:8081",
    "--set=metricsBindAddress=127.0.0.1:8080",
])  # fmt: skip
def test_what_can_work_is_let_through(argument: str) -> None:
    assert "kind: Deployment" in template(argument)


def test_an_empty_list_or_map_may_be_left_out_in_yaml() -> None:
    assert template("--set=tolerations=null,nodeSelector=null,extraEnv=null,affinity=null") == template()


@pytest.mark.parametrize("repository", ["l7lb", "team/l7lb", "registry.example.com:5000/team/l7lb", "10.0.0.1/l7lb"])
def test_an_image_may_be_anywhere(repository: str) -> None:
    assert f'"{repository}:0.1.0"' in template(f"--set=image.repository={repository}")


def test_everything_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(RuntimeError) as refused:
        render(values=())
    assert [name for name in MISSING if f"  - {name}: " not in str(refused.value)] == []
