"""`l7lb tree`: what is drawn of a load balancer, in colour and without, on wide and narrow terminals."""

import json
from dataclasses import replace

import click
import pytest

from l7lb.app.sketching import Sketch
from l7lb.app.tree_words import tree_json, tree_text
from l7lb.model.branches import HostView, ListenerView, Mark, Part, RuleView, TargetView
from l7lb.model.cloud import Health
from l7lb.model.identity import CloudRef, ListenerKey, LoadBalancerId, ObjectKey
from l7lb.model.loadbalancer import TargetKey
from l7lb.model.portrait import Balancer, Member, Tree, Trouble

REF = CloudRef("ap-guangzhou", LoadBalancerId("lb-1"))
WEB = ObjectKey("shop", "web")


def target(number: int, health: Health | None = Health.ALIVE, part: Part = Part.THERE) -> TargetView:
    return TargetView(TargetKey(f"10.0.0.{number}", 80), part, 10, health, f"pod-{number}", "")


def drawn(*rules: RuleView, name: str = "web", trouble: str = "") -> Sketch:
    found = (Trouble(WEB, Mark.BAD, "", trouble, "E4041"),) if trouble else ()
    balancer = Balancer(REF, name, ("203.0.113.1",), "created", (WEB,), mark=Mark.OK, troubles=found)
    listener = ListenerView(ListenerKey("HTTPS", 443), name="mine", hosts=(HostView("a.example.com", "cert-1", rules),))
    other = ListenerView(ListenerKey("TCP", 9000), Part.OTHERS, name="theirs")
    return Sketch((Tree(0.0, balancer, (listener, other), "created: we made it", checked=0.0),))


MANY = tuple(target(number) for number in range(1, 11))
SICK = (target(1), target(2, Health.DEAD), target(3, Health.UNKNOWN))
PLAIN = """\
ap-guangzhou/lb-1  web  203.0.113.1  created
  created: we made it
  Ingress shop/web
├─ HTTPS:443  mine
│  └─ a.example.com  certificate cert-1
│     ├─ /  web:80  1/3 healthy
│     │  ├─ 10.0.0.2:80  unhealthy  weight 10  pod-2
│     │  ├─ 10.0.0.3:80  probing  weight 10  pod-3
│     │  └─ 10.0.0.1:80  healthy  weight 10  pod-1
│     └─ /old  -> 301 to HTTPS:443 a.example.com/
└─ TCP:9000  theirs  not ours

1 load balancer
"""
SKETCH = drawn(
    RuleView("/", backend="web:80", targets=SICK), RuleView("/old", redirect="301 to HTTPS:443 a.example.com/")
)


def test_a_tree_is_readable_without_colour() -> None:
    assert click.unstyle(tree_text(SKETCH)) == PLAIN


def test_colour_says_nothing_that_words_do_not() -> None:
    text = tree_text(SKETCH)
    assert "\x1b[33m1/3 healthy\x1b[0m" in text
    assert "\x1b[31munhealthy\x1b[0m" in text
    assert "\x1b[36mprobing\x1b[0m" in text


@pytest.mark.parametrize("width", [20, 40, 60, 200])
def test_no_line_is_wider_than_the_terminal_and_colour_ends_with_it(width: int) -> None:
    lines = tree_text(SKETCH, width=width).splitlines()
    bare = [click.unstyle(line) for line in lines]
    assert max(map(len, bare)) <= width
    for line, text in zip(bare, PLAIN.splitlines(), strict=True):
        assert line == text or text.startswith(line.removesuffix("…"))
    assert [
        line for line in lines if "\x1b[" in line and not line.rstrip("…").endswith("m") and line.endswith("…")
    ] == []


def test_of_many_targets_some_are_listed_unless_all_are_asked_for() -> None:
    sketch = drawn(RuleView("/", targets=MANY))
    text = click.unstyle(tree_text(sketch))
    assert text.count("pod-") == 8
    assert "and 2 more; --full lists them" in text
    assert click.unstyle(tree_text(sketch, full=True)).count("pod-") == 10


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ((), "no targets"),
        ((target(1, None),), "1 target"),
        ((target(1, Health.UNCHECKED),), "1/1 healthy"),
        ((target(1), target(2, None, Part.MISSING)), "1/1 healthy"),
        ((target(1, Health.DEAD),), "0/1 healthy"),
    ],
)
def test_a_rule_says_how_many_of_its_targets_serve(targets: tuple[TargetView, ...], said: str) -> None:
    (line,) = [
        line for line in click.unstyle(tree_text(drawn(RuleView("/", targets=targets)))).split("\n") if "─ /" in line
    ]
    assert line.endswith(said)


def test_what_could_not_be_read_and_who_has_none_is_told() -> None:
    member = Member(ObjectKey("shop", "new"), Mark.WAITING, "it is on its way")
    user = Member(ObjectKey("shop", "web"), Mark.OK, "all is in place")
    text = click.unstyle(tree_text(Sketch((), (member,), {REF: "gone"}, {REF: (user,)}, {"ap-beijing": "refused"})))
    assert text.splitlines() == [
        "the cloud did not answer for ap-beijing: refused",
        "What follows of them is what the cluster knows: records and conditions.",
        "",
        "ap-guangzhou/lb-1  could not be read: gone",
        "  Ingress shop/web  all is in place",
        "Ingress shop/new  it is on its way  no load balancer yet",
        "0 load balancers, 1 Ingress without",
    ]


def test_a_tree_for_programs_has_every_part() -> None:
    said = json.loads(tree_json(SKETCH))
    (balancer,) = said["loadBalancers"]
    assert (balancer["id"], balancer["ingresses"]) == ("lb-1", ["shop/web"])
    assert [one["listener"] for one in balancer["listeners"]] == ["HTTPS:443", "TCP:9000"]
    rule = balancer["listeners"][0]["hosts"][0]["rules"][0]
    assert rule["targets"][1] == {
        "address": "10.0.0.2", "port": 80, "part": "there", "weight": 10, "health": "Dead", "name": "pod-2",
        "instance": "",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202e", "[red]x[/red]"])
def test_hostile_text_stays_text(text: str) -> None:
    rule = RuleView(text, backend=text, redirect="", targets=(replace(target(1), name=text, instance=text),))
    sketch = drawn(rule, name=text, trouble=text)
    shown = click.unstyle(tree_text(sketch))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert tree_json(sketch).replace("\n", "").isprintable()
    assert (text in shown) is text.isprintable()
