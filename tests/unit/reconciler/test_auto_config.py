"""`tke-service-config-auto`: an object that follows the rules, belongs to its author, and holds nothing."""

import pytest

from tests.simulation import manifests, tuning
from tests.simulation.checkers import Watchman
from tests.simulation.tuning import AUTO, HOST, KEPT, NAMED, domain, listener
from tests.simulation.world import World


def _serve(world: World, *rules: manifests.Json, defined: bool = True, named: str = "") -> None:
    if defined:
        tuning.define(world)
    more = {NAMED: named} if named else {}
    world.users.create(manifests.ingress("shop", *rules, annotations={AUTO: "true", **more}))
    world.start()
    world.settle()


def test_it_shows_what_is_there_and_belongs_to_the_ingress(world: World, watchman: Watchman) -> None:
    _serve(world, manifests.rule(HOST, "/"))
    assert tuning.shown(world) == [
        {
            "protocol": "HTTP",
            "port": 80,
            "defaultServer": HOST,
            "keepaliveEnable": 0,
            "domains": [
                {
                    "domain": HOST,
                    "rules": [
                        {
                            "url": "/",
                            "forwardType": "HTTP",
                            "scheduler": "WRR",
                            "session": {"enable": False},
                            "healthCheck": {
                                "enable": True,
                                "intervalTime": 5,
                                "timeout": 2,
                                "healthNum": 3,
                                "unHealthNum": 3,
                                "httpCode": 31,
                                "httpCheckMethod": "HEAD",
                                "httpCheckPath": "/",
                                "httpCheckDomain": HOST,
                                "sourceIpType": 0,
                            },
                        }
                    ],
                }
            ],
        }
    ]
    found = tuning.find(world)
    assert found is not None
    (owner,) = found["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Ingress", "shop", world.users.ingress().uid)
    watchman.check_rest()


def test_a_second_look_writes_nothing(world: World, watchman: Watchman) -> None:
    _serve(world)
    assert tuning.written(world) == ["create"]
    world.account.forget_calls()
    world.live().verify()
    world.settle()
    world.start()
    world.settle()
    assert tuning.written(world) == ["create"]
    assert world.account.writes() == {}
    watchman.check_rest()


def test_entries_come_and_go_with_rules_and_edits_of_its_author_are_applied_and_stay(
    world: World, watchman: Watchman
) -> None:
    _serve(world, manifests.rule(HOST, "/", "/old"))
    (shown,) = tuning.shown(world)
    shown["domains"][0]["rules"][0] |= {"scheduler": "IP_HASH", "note": "ours"}
    tuning.edit(world, KEPT, shown)
    world.users.rules(manifests.rule(HOST, "/", "/new"), manifests.rule("b.example.com"))
    world.settle()
    assert tuning.entries(world) == {f"HTTP:80 {HOST}/", f"HTTP:80 {HOST}/new", "HTTP:80 b.example.com/"}
    assert tuning.shown(world)[0]["domains"][0]["rules"][0]["note"] == "ours"
    by_path = {f"{rule.domains[0]}{rule.url}": rule.scheduler for rule in world.account.listener().rules.values()}
    assert by_path == {f"{HOST}/": "IP_HASH", f"{HOST}/new": "WRR", "b.example.com/": "WRR"}
    watchman.check_rest()


def test_the_default_host_goes_and_its_successor_is_named(world: World, watchman: Watchman) -> None:
    _serve(world, manifests.rule(HOST), manifests.rule("b.example.com"))
    assert tuning.shown(world)[0]["defaultServer"] == HOST
    world.users.rules(manifests.rule("b.example.com"), manifests.rule("c.example.com"))
    world.settle()
    assert tuning.shown(world)[0]["defaultServer"] == "b.example.com"
    assert world.account.listener().default_domain == "b.example.com"
    assert world.users.ingress().is_ready
    watchman.check_rest()


def test_the_entry_of_a_rule_that_is_held_stays(world: World, watchman: Watchman) -> None:
    _serve(world, manifests.rule(HOST), manifests.rule("b.example.com", backend="api"))
    world.users.remove("/api/v1/namespaces/shop/services/api")
    world.users.rules(manifests.rule(HOST, "/", "/new"), manifests.rule("b.example.com", backend="api"))
    world.run(200.0)
    assert tuning.entries(world) == {f"HTTP:80 {HOST}/", f"HTTP:80 {HOST}/new", "HTTP:80 b.example.com/"}


def test_it_goes_with_its_ingress(world: World, watchman: Watchman) -> None:
    _serve(world)
    world.users.delete()
    world.settle()
    assert tuning.find(world) is None
    assert world.users.find() is None
    assert world.account.lbs() == []


def test_an_object_that_tke_made_is_taken_over_as_it_is(world: World, watchman: Watchman) -> None:
    tuning.define(world)
    world.users.create(tuning.tuning(KEPT, listener(domain(HOST, scheduler="IP_HASH", forwardType="HTTP"))))
    world.users.create(manifests.ingress("shop", annotations={AUTO: "true"}))
    before = tuning.written(world)
    world.start()
    world.settle()
    assert tuning.written(world) == before
    world.users.delete()
    world.settle()
    assert tuning.find(world) is None


@pytest.mark.parametrize("kind", ["http_403", "http_422", "http_500", "drop"])
def test_what_cannot_be_written_is_said_and_holds_nothing(world: World, kind: str) -> None:
    tuning.define(world)
    for verb in ("create", "delete"):
        world.users.fault(kind, verb, "tkeserviceconfigs", 50)
    world.users.create(manifests.ingress("shop", annotations={AUTO: "true"}))
    world.start()
    world.settle()
    assert tuning.find(world) is None
    assert world.users.ingress().is_ready
    assert world.account.paths() == {f"{HOST}/"}
    assert world.said("ServiceConfigNotWritten")
    world.users.delete()
    world.settle()
    assert world.users.find() is None
    assert world.account.lbs() == []


def test_a_deletion_that_fails_holds_no_finalizer(world: World) -> None:
    _serve(world)
    world.users.fault("http_403", "delete", "tkeserviceconfigs", 50)
    world.users.delete()
    world.settle()
    assert world.users.find() is None
    assert world.said("ServiceConfigNotWritten")


def test_in_a_cluster_without_the_kind_all_else_goes_on(world: World, watchman: Watchman) -> None:
    _serve(world, defined=False)
    assert world.users.ingress().is_ready
    assert world.said("ServiceConfigNotWritten")
    watchman.check_rest()


def test_a_name_that_is_given_excludes_it(world: World) -> None:
    _serve(world, named="tuning")
    assert tuning.find(world) is None
    assert world.said("ExcludedAnnotation")
    assert not world.users.ingress().is_ready
