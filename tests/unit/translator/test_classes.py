"""Whose an Ingress is."""

import pytest

from l7lb import translator
from l7lb.model.cluster import IngressClass
from l7lb.model.marks import CLASS_ANNOTATION, CLASS_CONTROLLER, FINALIZER
from l7lb.model.options import Standing
from l7lb.model.snapshot import Settings, Verdict

from .builders import SETTINGS, class_object, ingress, record

OURS, NOT_OURS, UNKNOWN = Verdict.OURS, Verdict.NOT_OURS, Verdict.UNKNOWN
OUR_CLASS = class_object("edge", CLASS_CONTROLLER)
OTHER_CLASS = class_object("nginx", "k8s.io/ingress-nginx")
STRICT = Settings(cluster_id="cls-9mfq2k1t", region="ap-guangzhou", manage_classless=False)


@pytest.mark.parametrize(
    ("annotation", "field", "objects", "expected"),
    [
        pytest.param(None, None, (), OURS, id="neither annotation nor field"),
        pytest.param("qcloud", None, (), OURS, id="annotation qcloud without any object"),
        pytest.param("", None, (), OURS, id="an empty annotation counts as absent"),
        pytest.param("", "nginx", (OTHER_CLASS,), NOT_OURS, id="an empty annotation leaves the word to the field"),
        pytest.param("nginx", None, (), NOT_OURS, id="any other annotation, without an object"),
        pytest.param("nginx", None, (OTHER_CLASS,), NOT_OURS, id="any other annotation, with its object"),
        pytest.param("edge", None, (OUR_CLASS,), OURS, id="annotation names a class of our controller"),
        pytest.param("Qcloud", None, (), NOT_OURS, id="the annotation is compared as text"),
        pytest.param("qcloud", "nginx", (OTHER_CLASS,), OURS, id="they disagree and the annotation says ours"),
        pytest.param("nginx", "qcloud", (), NOT_OURS, id="they disagree and the annotation says not ours"),
        pytest.param(None, "qcloud", (), OURS, id="field qcloud without an object"),
        pytest.param(None, "qcloud", (class_object("qcloud", CLASS_CONTROLLER),), OURS, id="field qcloud, our object"),
        pytest.param(
            None,
            "qcloud",
            (class_object("qcloud", "ingress.cloud.tencent.com/x"),),
            OURS,
            id="field qcloud, TKE's object",
        ),
        pytest.param(
            None,
            "qcloud",
            (class_object("qcloud", "k8s.io/ingress-nginx"),),
            UNKNOWN,
            id="field qcloud, a third's object",
        ),
        pytest.param(None, "edge", (OUR_CLASS,), OURS, id="field names a class of our controller"),
        pytest.param(None, "nginx", (OTHER_CLASS,), NOT_OURS, id="field names another's class"),
        pytest.param(None, "nginx", (), UNKNOWN, id="field names a class without an object"),
    ],
)
def test_the_class_decides_whose_it_is(
    annotation: str | None, field: str | None, objects: tuple[IngressClass, ...], expected: Verdict
) -> None:
    it = ingress(annotations={} if annotation is None else {CLASS_ANNOTATION: annotation}, class_name=field)
    classes = {one.metadata.name: one for one in objects}
    assert translator.verdict(it, classes, SETTINGS, synced=True) is expected


def test_without_class_it_is_left_alone_when_the_flag_says_so() -> None:
    assert translator.verdict(ingress(), {}, STRICT, synced=True) is NOT_OURS


@pytest.mark.parametrize(
    ("annotation", "field", "expected"),
    [
        pytest.param("qcloud", None, OURS, id="annotation qcloud needs no objects"),
        pytest.param(None, None, OURS, id="no class needs no objects"),
        pytest.param("nginx", None, UNKNOWN, id="another text may name a class of ours"),
        pytest.param(None, "qcloud", UNKNOWN, id="an object qcloud may name a third controller"),
        pytest.param(None, "nginx", UNKNOWN, id="a class that is not read yet"),
    ],
)
def test_before_the_classes_are_read_nothing_is_given_away(
    annotation: str | None, field: str | None, expected: Verdict
) -> None:
    it = ingress(annotations={} if annotation is None else {CLASS_ANNOTATION: annotation}, class_name=field)
    assert translator.verdict(it, {}, SETTINGS, synced=False) is expected


@pytest.mark.parametrize(
    ("taken_as", "annotation", "field", "expected"),
    [
        pytest.param(("qcloud", None), "qcloud", None, Standing.OURS, id="nothing changed"),
        pytest.param(("qcloud", None), None, None, Standing.OURS, id="changed to no class, which is ours"),
        pytest.param(
            ("qcloud", None), "nginx", None, Standing.LEFT, id="annotation edited out, no class object at all"
        ),
        pytest.param((None, None), "nginx", None, Standing.LEFT, id="annotation added"),
        pytest.param((None, "edge"), None, "edge", Standing.UNCLEAR, id="class object deleted under it"),
        pytest.param((None, "qcloud"), None, "gone", Standing.UNCLEAR, id="field edited to a class without an object"),
        pytest.param(("nginx", None), "nginx", None, Standing.UNCLEAR, id="class object replaced under the annotation"),
        pytest.param(
            ("", "nginx"), "nginx", None, Standing.LEFT, id="an empty annotation in the record is no annotation"
        ),
    ],
)
def test_only_an_edit_of_the_ingress_lets_go(
    taken_as: tuple[str | None, str | None], annotation: str | None, field: str | None, expected: Standing
) -> None:
    it = ingress(annotations={} if annotation is None else {CLASS_ANNOTATION: annotation}, class_name=field)
    taken = record(ingress_class=taken_as)
    assert translator.standing(it, taken, {}, SETTINGS, synced=True) is expected


def test_classless_is_held_and_not_let_go_when_only_the_flag_changed() -> None:
    taken = record(ingress_class=(None, None))
    assert translator.standing(ingress(), taken, {}, STRICT, synced=True) is Standing.UNCLEAR


def test_leaving_waits_until_the_classes_are_read() -> None:
    it = ingress(annotations={CLASS_ANNOTATION: "nginx"})
    taken = record(ingress_class=("qcloud", None))
    assert translator.standing(it, taken, {}, SETTINGS, synced=False) is Standing.UNCLEAR


def test_an_ingress_that_was_never_taken_is_not_ours() -> None:
    it = ingress(annotations={CLASS_ANNOTATION: "nginx"})
    assert translator.standing(it, None, {}, SETTINGS, synced=True) is Standing.NOT_OURS
    assert translator.standing(it, record(claim="", lb=""), {}, SETTINGS, synced=True) is Standing.NOT_OURS


def test_our_finalizer_without_a_record_is_not_let_go() -> None:
    it = ingress(annotations={CLASS_ANNOTATION: "nginx"}, finalizers=(FINALIZER,))
    assert translator.standing(it, None, {}, SETTINGS, synced=True) is Standing.UNCLEAR


def test_the_pair_for_the_record_treats_empty_as_absent() -> None:
    assert translator.class_pair(ingress(annotations={CLASS_ANNOTATION: ""}, class_name="qcloud")) == (None, "qcloud")
