"""Which load balancer an Ingress is bound to, and what it says too late."""

import pytest

from l7lb import translator
from l7lb.model.identity import ObjectKey
from l7lb.model.ownership import Record
from l7lb.translator.names import Name

from .builders import SETTINGS, UID, backend, ingress, path, record, rule, tls

LENT = {Name.EXIST_LB_ID: "lb-7xk2m9qa"}


@pytest.mark.parametrize(
    ("annotations", "taken", "expected"),
    [
        pytest.param({}, None, f"new/{UID}", id="its own"),
        pytest.param(LENT, None, "lb/ap-guangzhou/lb-7xk2m9qa", id="lent"),
        pytest.param(
            {**LENT, Name.CROSS_REGION: "ap-shanghai"}, None, "lb/ap-shanghai/lb-7xk2m9qa", id="lent in another region"
        ),
        pytest.param({**LENT, Name.GROUP: "true"}, None, "lb/ap-guangzhou/lb-7xk2m9qa", id="group"),
        pytest.param({Name.EXIST_LB_ID: "7xk2m9qa"}, None, f"new/{UID}", id="a malformed id names nothing"),
        pytest.param(LENT, record("created"), f"new/{UID}", id="existLbId added later is not followed"),
        pytest.param(LENT, record("creating", lb=""), f"new/{UID}", id="existLbId added while one is being created"),
        pytest.param(
            {}, record("adopted", lb="lb-old00001"), "lb/ap-guangzhou/lb-old00001", id="existLbId removed later"
        ),
        pytest.param(
            LENT, record("adopting", lb="lb-old00001"), "lb/ap-guangzhou/lb-old00001", id="edited while adopting"
        ),
        pytest.param(
            {},
            record("adopted", lb="lb-old00001", region="ap-beijing"),
            "lb/ap-beijing/lb-old00001",
            id="region of record",
        ),
        pytest.param(LENT, record("", lb=""), "lb/ap-guangzhou/lb-7xk2m9qa", id="an emptied record decides nothing"),
        pytest.param(LENT, record("created", uid="another"), "lb/ap-guangzhou/lb-7xk2m9qa", id="a copied record"),
        pytest.param(
            LENT, record("created", cluster="cls-2"), "lb/ap-guangzhou/lb-7xk2m9qa", id="another cluster's record"
        ),
    ],
)
def test_a_valid_claim_decides_the_key_else_the_annotations(
    annotations: dict[str, str], taken: Record | None, expected: str
) -> None:
    assert translator.binding_key(ingress(annotations=annotations), taken, SETTINGS) == expected


def test_references_name_everything_that_the_ingress_uses() -> None:
    it = ingress(
        rule("a.acme-demo.com", path("/", to="web"), path("/api", to="api")),
        default=backend("fallback"),
        certs=[tls("default-cert"), tls("", "x.acme-demo.com")],
        annotations={Name.CONFIG: "tuning"},
    )
    found = translator.references(it)
    assert {key.name for key in found.services} == {"web", "api", "fallback"}
    assert found.secrets == {ObjectKey("shop", "default-cert")}
    assert found.configs == {ObjectKey("shop", "tuning")}


def test_an_edited_exist_lb_id_is_reported_with_how_to_apply_it() -> None:
    (problem,) = translator.not_applied(ingress(annotations=LENT), record("created", lb="lb-own00001"), SETTINGS)
    assert problem.reason == "NotApplied"
    assert "lb-own00001" in problem.message
    assert "delete the Ingress and create it anew" in problem.message


def test_a_removed_exist_lb_id_is_reported() -> None:
    (problem,) = translator.not_applied(ingress(), record("adopted", lb="lb-7xk2m9qa"), SETTINGS)
    assert problem.field == "metadata.annotations[kubernetes.io/ingress.existLbId]"


def test_an_edited_region_is_reported() -> None:
    it = ingress(annotations={Name.CROSS_REGION: "ap-shanghai"})
    assert [p.field for p in translator.not_applied(it, record(), SETTINGS)] == [
        "metadata.annotations[ingress.cloud.tencent.com/cross-region-id]"
    ]


def test_an_edited_bandwidth_is_reported_when_the_marks_of_the_creation_are_known() -> None:
    made = translator.creation_marks(ingress(annotations={Name.BANDWIDTH: "100"}))
    edited = ingress(annotations={Name.BANDWIDTH: "200"})
    assert [p.field for p in translator.not_applied(edited, record(), SETTINGS, made)] == [
        "metadata.annotations[kubernetes.io/ingress.internetMaxBandwidthOut]"
    ]


@pytest.mark.parametrize(
    ("claim", "shares", "told"),
    [("shared", "true", False), ("shared", "false", True), ("adopted", "true", True), ("adopted", "false", False)],
)
def test_sharing_is_decided_once(claim: str, shares: str, told: bool) -> None:
    it = ingress(annotations={**LENT, Name.GROUP: shares})
    found = translator.not_applied(it, record(claim, lb="lb-7xk2m9qa"), SETTINGS)
    assert [problem.field for problem in found] == ([f"metadata.annotations[{Name.GROUP}]"] if told else [])


@pytest.mark.parametrize(
    "annotations",
    [pytest.param({}, id="its own"), pytest.param({Name.EXIST_LB_ID: "lb-own00001"}, id="handed over")],
)
def test_what_did_not_change_is_not_reported(annotations: dict[str, str]) -> None:
    it = ingress(annotations=annotations)
    assert translator.not_applied(it, record(), SETTINGS, translator.creation_marks(it)) == ()


def test_before_there_is_a_load_balancer_nothing_is_too_late() -> None:
    it = ingress(annotations=LENT)
    assert translator.not_applied(it, record("creating", lb=""), SETTINGS, {}) == ()
    assert translator.not_applied(it, None, SETTINGS, {}) == ()
