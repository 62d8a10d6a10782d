"""Each promise broken on purpose, and the test that must notice.

The numbers are those of the table in docs/testing.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tests.mutants.mutation import Mutation, copied, run_in

FAILED: Final = 1
"""What pytest answers when a test has failed: any other code is no verdict."""


@dataclass(frozen=True)
class Broken(Mutation):
    """A fault, the promise that it breaks, and a test as pytest names it."""

    promise: int
    test: str
    always: bool = False
    """Whether the suite tries it too, and not `make mutants` alone."""


RECONCILER, PLANNER = "tests/unit/reconciler", "tests/unit/planner"
LEDGER, GUARD = "l7lb/ledger/authority.py", "l7lb/planner/guard.py"
PROOF, WITNESSES = "l7lb/reconciler/proof.py", "l7lb/reconciler/witnesses.py"
ELECTION, CAMPAIGN = "l7lb/runtime/election.py", "l7lb/app/campaign.py"
TWO_WRITERS = (
    "tests/unit/app/test_shards_model.py::test_never_two_writers_of_one_thing_whoever_believes_in_which_number"
)

PROMISES: Final = (
    Broken(
        "a living Ingress proves its deletion",
        PROOF,
        "        return live.deleting\n",
        "        return True\n",
        1,
        f"{RECONCILER}/test_proof.py"
        "::test_an_ingress_that_is_going_in_the_cache_and_alive_at_the_api_server_loses_nothing",
    ),
    Broken(
        "an uninstall drains without the word for it",
        "l7lb/app/leaving.py",
        "    if wish.confirmed != scene.cluster:\n",
        "    if wish.confirmed == scene.cluster:\n",
        1,
        "tests/unit/app/test_leaving.py::test_drain_wants_the_cluster_id_before_anything_else",
    ),
    Broken(
        "tags are not read again before a deletion",
        PROOF,
        "        now = ObservedLoadBalancer(head, observed.listeners)\n",
        "        now = observed\n",
        1,
        f"{RECONCILER}/test_keeping.py::test_an_owner_tag_set_right_before_the_deletion_is_honoured_although_nobody_looked",
    ),
    Broken(
        "an empty desire takes away",
        GUARD,
        "if any(spec.rules for spec in desired.listeners) or not",
        "if True or not",
        1,
        f"{PLANNER}/test_guard.py::test_nothing_desired_takes_nothing_away",
        always=True,
    ),
    Broken(
        "an upgrade counts as an edit of the Ingress",
        "l7lb/reconciler/records.py",
        "    return record.asked != translator.author_digest(ingress)\n",
        "    return record.desired != shape\n",
        1,
        f"{RECONCILER}/test_guarding.py::test_what_a_newer_version_makes_of_the_same_words_is_no_edit",
    ),
    Broken(
        "a copy of a cluster takes away what serves its original",
        "l7lb/reconciler/confirming.py",
        '        if not held:\n            return plan, ""\n',
        '        if held or not held:\n            return plan, ""\n',
        1,
        "tests/simulation/test_copies.py::test_whatever_happens_in_the_copy_the_originals_load_balancers_stay_as_they_are",
    ),
    Broken(
        "an orphan is collected at first sight",
        "l7lb/ledger/collecting.py",
        "    return sighting.count >= SIGHTINGS_MIN and now - sighting.first >= AGE_S_MIN\n",
        "    return True\n",
        1,
        "tests/simulation/test_collecting.py::test_an_orphan_is_collected_after_a_day_and_not_before",
    ),
    Broken(
        "the second check of the ledger is dropped",
        LEDGER,
        "    if not holds:\n",
        "    if False:\n",
        2,
        f"{RECONCILER}/test_authority.py::test_a_plan_that_deletes_another_load_balancer_instead_of_ours_does_nothing_at_all",
        always=True,
    ),
    Broken(
        "the second check is not asked when an Ingress is let go",
        "l7lb/reconciler/disposing.py",
        "        ledger.authorize(plan, claim, observed)\n",
        "",
        2,
        f"{RECONCILER}/test_authority.py::test_a_plan_that_deletes_a_lent_load_balancer_does_nothing_at_all",
    ),
    Broken(
        "the second check is not asked of a group's plan",
        "l7lb/reconciler/sharing.py",
        "        ledger.authorize(draft.plan, draft.claim, draft.observed)\n",
        "",
        2,
        f"{RECONCILER}/test_authority.py"
        "::test_a_plan_of_a_group_that_deletes_the_lenders_listener_as_well_does_nothing_at_all",
    ),
    Broken(
        "the second check is not asked of a group's step when its turn comes",
        "l7lb/reconciler/shared_witness.py",
        "        ledger.authorize(Plan((step,)), claim, now)\n",
        "",
        2,
        f"{RECONCILER}/test_authority.py"
        "::test_a_step_of_a_group_that_was_not_in_the_plan_that_was_allowed_is_refused_when_its_turn_comes",
    ),
    Broken(
        "the second check is not asked of an order",
        "l7lb/reconciler/converging.py",
        "        ledger.authorize(plan, claim, None)\n",
        "",
        2,
        f"{RECONCILER}/test_authority.py::test_an_order_that_brings_a_deletion_along_is_not_placed",
    ),
    Broken(
        "a refused look is taken for nobody bound",
        "l7lb/reconciler/confirming.py",
        '        return _Region(silence=str(refusal) or "it refuses", refuses=True)\n',
        "        return _Region()\n",
        1,
        "tests/simulation/test_copies.py::test_a_copy_that_is_refused_the_look_takes_nothing_away",
    ),
    Broken(
        "a region that does not answer holds only what is there",
        "l7lb/reconciler/confirming.py",
        "        return name == self._home or not region.refuses\n",
        "        return False\n",
        1,
        "tests/simulation/test_copies.py::test_while_one_region_is_silent_a_copy_takes_nothing_away_in_another",
    ),
    Broken(
        "a listener on a lent load balancer is ours by its name alone",
        "l7lb/ledger/claims.py",
        "announced.get(str(key))}) and key in wanted",
        "announced.get(str(key))})",
        2,
        f"{RECONCILER}/test_adopting.py"
        "::test_a_lenders_listener_that_bears_our_name_on_a_port_that_nobody_asks_for_is_left",
    ),
    Broken(
        "an order has no ClientToken",
        "l7lb/adapters/clb/steps.py",
        '        "ClientToken": _allowed(step.client_token, "CreateLoadBalancer without a ClientToken"),\n',
        "",
        3,
        "tests/contract/adapters_clb/test_steps.py::test_the_same_client_token_gives_the_same_load_balancer",
        always=True,
    ),
    Broken(
        "an order that was not answered is given again with another token",
        "l7lb/ledger/token.py",
        "    text = ",
        "    import uuid\n\n    text = str(uuid.uuid4()) + ",
        3,
        f"{RECONCILER}/test_creating.py::test_an_order_without_an_answer_is_given_again_with_the_same_token",
    ),
    Broken(
        "what is not listed is gone",
        "l7lb/reconciler/locating.py",
        "        if is_gone(cloud, probe):\n",
        "        if True:\n",
        3,
        f"{RECONCILER}/test_proof.py::test_a_list_that_leaves_a_load_balancer_out_does_not_make_a_second_one",
    ),
    Broken(
        "old targets go before new ones come",
        "l7lb/planner/targets.py",
        "draft.add(Phase.TARGETS, DeregisterTargets(part), turn=FIRST + 1 + turn, part=OFF)",
        "draft.add(Phase.TARGETS, DeregisterTargets(part), turn=FIRST + turn, part=OFF)",
        4,
        f"{PLANNER}/test_properties.py::test_a_rule_all_of_whose_targets_are_replaced_is_never_without_one",
    ),
    Broken(
        "old rules go before new ones serve",
        "l7lb/planner/order.py",
        "    SURPLUS_RULES = 19\n",
        "    SURPLUS_RULES = 0\n",
        4,
        f"{PLANNER}/test_properties.py::test_new_rules_have_their_targets_before_old_ones_go",
    ),
    Broken(
        "what is held is changed",
        "l7lb/model/problems.py",
        "            self.everything\n            or ref.listener in self.listeners\n",
        "            ref.listener in self.listeners and False\n",
        5,
        f"{PLANNER}/test_properties.py::test_what_is_held_keeps_its_shape",
    ),
    Broken(
        "an unsynced cache counts as empty",
        "l7lb/app/caches.py",
        "        unread = self._unread() | (",
        "        unread = frozenset() | (",
        6,
        "tests/unit/app/test_caches.py::test_kinds_that_are_not_synced_are_named_in_the_snapshot",
    ),
    Broken(
        "an expired watch goes on from the version that it had",
        "l7lb/runtime/reflector.py",
        'if event.code == 410 or event.reason in ("Expired", "Gone"):',
        "if False:",
        6,
        "tests/unit/runtime/test_reflector.py::test_an_expired_watch_lists_the_newest_once",
        always=True,
    ),
    Broken(
        "a write is sent without the lease",
        ELECTION,
        '        if not self._elector.holds(now):\n            raise LostLeadership("not the leader")\n',
        "        if not self._elector.holds(now):\n            return\n",
        7,
        "tests/unit/runtime/test_election.py::test_a_process_that_was_frozen_writes_nothing_when_it_wakes",
        always=True,
    ),
    Broken(
        "a write is sent although it may outlive the lease",
        ELECTION,
        "        if remaining_s < self._margin_s:\n",
        "        if False:\n",
        7,
        "tests/unit/runtime/test_election.py::test_writes_end_when_less_than_15_seconds_are_left_even_before_the_loss",
    ),
    Broken(
        "a write to the cloud does not ask for the lease",
        "l7lb/adapters/clb/calls.py",
        "        if request.write:\n            self._ask_guard(request, region)\n",
        "",
        7,
        "tests/unit/adapters/clb/test_calls.py::test_the_guard_is_asked_before_each_time_that_a_write_is_sent",
    ),
    Broken(
        "a shard is written while who agrees on the number of shards is not known any more",
        CAMPAIGN,
        "        return min(one.remaining(now) for one in self._both)\n",
        "        return self._both[1].remaining(now)\n",
        7,
        TWO_WRITERS,
    ),
    Broken(
        "who takes a shard forgets whose the agreement on their number was before",
        CAMPAIGN,
        "        ends = [one.previous_expiry for one in (union, own) if one.previous_expiry is not None]\n",
        "        ends = [one.previous_expiry for one in (own,) if one.previous_expiry is not None]\n",
        7,
        TWO_WRITERS,
    ),
    Broken(
        "who joins those who agree on the number of shards believes at once what he reads",
        ELECTION,
        "            self._previous_expiry = started  # whose it was before us cannot be known; it was over by now\n",
        "            pass\n",
        7,
        TWO_WRITERS,
    ),
    Broken(
        "one of many who hold a lease together lets it go",
        ELECTION,
        "        if self.is_shared:\n            return  #",
        "        if False:\n            return  #",
        7,
        TWO_WRITERS,
    ),
    Broken(
        "a lease is let go although a write of the holder before may be on its way",
        ELECTION,
        "        if self.term is not None and not self.term.settled(self._clock.monotonic()):\n",
        "        if False:\n",
        7,
        TWO_WRITERS,
    ),
    Broken(
        "a lease counts from the answer of a renewal and not from its start",
        ELECTION,
        "                self._renewed_at = started\n",
        "                self._renewed_at = now\n",
        7,
        TWO_WRITERS,
    ),
    Broken(
        "a renewal that is answered too late brings leadership back",
        ELECTION,
        "            in_time = now < self._renewed_at + self._timing.give_up_s\n",
        "            in_time = True\n",
        7,
        TWO_WRITERS,
    ),
    Broken(
        "a renewal by somebody else counts as ours",
        ELECTION,
        "            with self._lock:\n                self.seen.record = found\n        else:\n",
        "            with self._lock:\n                self.seen.record = found\n"
        "                self._renewed_at = self._clock.monotonic()\n        else:\n",
        7,
        TWO_WRITERS,
    ),
    Broken(
        "deletion protection keeps nothing",
        "l7lb/ledger/table.py",
        '        "it has deletion protection": evidence.delete_protection,\n',
        "",
        8,
        f"{RECONCILER}/test_keeping.py::test_deletion_protection_keeps_the_load_balancer",
    ),
    Broken(
        "what the cloud undoes is written again for ever",
        "l7lb/reconciler/stability.py",
        "        if not unstable:\n",
        "        if True:\n",
        9,
        f"{RECONCILER}/test_guarding.py::test_a_field_that_is_undone_again_and_again_is_left_alone_for_an_hour_and_all_else_goes_on",
    ),
    Broken(
        "the finalizer comes after the first write to the cloud",
        "l7lb/reconciler/writeback.py",
        "        finalizers = () if FINALIZER in ingress.finalizers else (FINALIZER,)\n",
        "        finalizers = () if not record.lb or FINALIZER in ingress.finalizers else (FINALIZER,)\n",
        10,
        f"{RECONCILER}/test_cluster_side.py::test_the_finalizer_is_on_before_the_first_write_to_the_cloud",
    ),
    Broken(
        "the finalizer goes when a deletion was accepted",
        "l7lb/reconciler/disposing.py",
        "            case Waiting(after_s, reason):\n",
        "            case Waiting(after_s, reason) if isinstance(flight.step, DeleteLoadBalancer):\n"
        "                return self.released(matter, parting, ours=True)\n"
        "            case Waiting(after_s, reason):\n",
        10,
        f"{RECONCILER}/test_serving.py"
        "::test_the_finalizer_goes_when_the_load_balancer_is_gone_and_not_when_the_call_was_accepted",
    ),
    Broken(
        "the key of the cloud shows when its holder is printed",
        "l7lb/adapters/clb/credentials.py",
        "    secret_key: str = field(repr=False)\n",
        "    secret_key: str = field()\n",
        11,
        "tests/unit/adapters/clb/test_credentials.py::test_keys_are_never_shown",
    ),
)


def notices(broken: Broken) -> tuple[bool, str]:
    """Whether its test fails on the faulty copy, and what pytest says."""
    with copied(broken) as copy:
        code, words = run_in(copy, ["pytest", "-x", "-q", broken.test])
        return code == FAILED, words


def passes(rows: Iterable[Broken] = PROMISES) -> tuple[bool, str]:
    """Whether all these tests pass on a copy without a fault."""
    tests = sorted({broken.test for broken in rows})
    if not tests:
        return True, ""
    with copied(None) as copy:
        code, words = run_in(copy, ["pytest", "-q", *tests])
        return code == 0, words
