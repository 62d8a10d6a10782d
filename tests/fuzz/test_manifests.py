"""What users write into the cluster: annotations one by one, hosts, paths, Secrets, configurations, the record."""

import json
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from l7lb import ledger, translator
from l7lb.adapters.kube.events import MESSAGE_BYTES_MAX, _cut
from l7lb.model.cluster import ObjectMeta, TkeServiceConfig
from l7lb.model.identity import ObjectKey
from l7lb.model.problems import Problem
from l7lb.model.snapshot import Translation
from l7lb.reconciler import conditions
from l7lb.reconciler.conditions import readiness
from l7lb.translator.names import Name
from tests.builders import OWNER
from tests.fuzz.nasty import MEGABYTE, deep, leaves, pieces, pumped, texts, trees
from tests.unit.translator.builders import NOW, SETTINGS, SPACE, ingress, rule, secret, snapshot, tls
from tests.unit.translator.test_any_input import check, snapshots

KEYS = (
    "HTTP", "HTTPS", "host", "hosts", "path", "backend", "serviceName", "servicePort", "qcloud_cert_id", "snatIps",
    "subnetId", "ip", "InternetAccessible", "TagKey", "TagValue", "BandwidthpackageCount", "LoadBalancerName",
    "SubnetId", "Tags",
    "listeners", "v", "uid", "cluster", "rules", "site", "marks", "lb", "attempt", "class", "port", "defaultWeight",
    "groups", "key", "proto", "targets", "weight", "statefulSets",
)  # fmt: skip
FIELDS = (
    "loadBalancer", "l7Listeners", "protocol", "port", "domains", "domain", "rules", "url", "healthCheck", "enable",
    "session",
    "scheduler", "forwardType", "defaultServer", "http2", "keepaliveEnable", "sessionExpireTime", "listenerName",
)  # fmt: skip
KNOWN = (
    "true", "lb-7xk2m9qa", "subnet-4kq8z1wd", "sg-1", "ap-guangzhou", '[{"HTTP":80}]', '[{"host":"a.example.com"}]',
    '{"snatIps":[{"subnetId":"subnet-1"}]}', '[{"qcloud_cert_id":["Kd83hQ2x"]}]', "WRR", "TRAFFIC_POSTPAID_BY_HOUR",
)  # fmt: skip
values = texts(*KNOWN, keys=KEYS)
WRITTEN_MAX = 64 * 1024
"""Far below the 256 KiB that an API server takes for all annotations together."""


def judge(found: Translation) -> None:
    """It is a translation, and what would be written of it is small and can be written."""
    check(found)
    for problem in found.problems:
        assert len(_cut(problem.message).encode()) <= MESSAGE_BYTES_MAX
    written = condition_of(found.problems)
    assert len(written.encode()) <= WRITTEN_MAX


def condition_of(problems: tuple[Problem, ...]) -> str:
    return conditions.render(None, readiness(problems), NOW)


@given(st.sampled_from([str(name) for name in Name]), values, st.data())
def test_each_annotation_takes_any_text(name: str, value: str, data: st.DataObject) -> None:
    judge(translator.translate(data.draw(snapshots(st.just({name: value}))), SETTINGS))


@given(st.data())
def test_every_annotation_at_once(data: st.DataObject) -> None:
    said = data.draw(st.fixed_dictionaries({}, optional={str(name): values for name in Name}))
    of = data.draw(snapshots(st.just(said)))
    judge(translator.translate(of, SETTINGS))
    translator.options(of.ingress)
    translator.references(of.ingress)
    translator.creation_marks(of.ingress)
    translator.binding_key(of.ingress, None, SETTINGS)


@given(st.sampled_from([str(name) for name in Name]), pieces)
def test_a_megabyte_in_an_annotation_is_read_and_not_repeated(name: str, piece: str) -> None:
    of = ingress(rule(), annotations={name: piece * (MEGABYTE // len(piece))})
    judge(translator.translate(snapshot(of), SETTINGS))


@given(values, values)
@example('{"v":1,"uid":"uid-1","cluster":"cls-1","attempt":1e999}', "")
@example("[" * 100_000, "")
def test_a_record_takes_any_text(text: str, conditions_before: str) -> None:
    found = ledger.parse_record(text, OWNER)
    if found is not None:
        again = ledger.format_record(found)
        assert ledger.parse_record(again, OWNER) == found
        assert len(again) <= 2 * len(text) + 1000
    conditions.render(conditions_before, conditions.READY, NOW)


@given(st.dictionaries(st.sampled_from(KEYS), trees(st.sampled_from(KEYS)) | leaves))
def test_a_record_of_this_ingress_takes_any_fields(fields: dict[str, Any]) -> None:
    whole = {**fields, "v": 1, "uid": OWNER.ingress_uid, "cluster": OWNER.cluster.id}
    found = ledger.parse_record(json.dumps(whole), OWNER)
    assert found is not None
    assert ledger.parse_record(ledger.format_record(found), OWNER) == found


@given(deep | trees(pieces).map(lambda tree: json.dumps([{"type": "Ready", "x": tree}])) | values)
@example('[{"type":"Ready","x":' + "[" * 100_000)
@example('[{"type":"Ready","x":' + "[" * 5_000 + "]" * 5_000 + "}]")
def test_conditions_that_others_wrote_are_replaced(before: str) -> None:
    written = conditions.render(before, conditions.READY, NOW)
    assert json.loads(written)[-1]["type"] == "Ready"


@given(deep | trees(st.sampled_from(FIELDS)).map(json.dumps) | pumped)
def test_a_configuration_takes_any_spec(text: str) -> None:
    of = ingress(rule(), annotations={str(Name.CONFIG): "tuning"})
    meta = ObjectMeta(name="tuning", namespace=SPACE)
    made = TkeServiceConfig(metadata=meta, spec=msgspec.Raw(text.encode()))
    judge(translator.translate(snapshot(of, configs={ObjectKey(SPACE, "tuning"): made}), SETTINGS))


@given(values, values)
def test_a_secret_takes_any_ids(server: str, authority: str) -> None:
    of = ingress(rule(), certs=(tls("cert", "store.acme-demo.com"),))
    judge(translator.translate(snapshot(of, secret("cert", server, authority)), SETTINGS))
