"""Who is on the way under which key of the queue, and who holds which load balancer."""

from l7lb.model.identity import BindingKey, CloudRef, LoadBalancerId
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.plan import Plan
from l7lb.reconciler.flights import Flight, Flights

ONE, TWO, OLD, NEW = (BindingKey(name) for name in ("new/1", "new/2", "lb/old", "lb/new"))


def ref(name: str) -> CloudRef:
    return CloudRef("ap-guangzhou", LoadBalancerId(name))


def flight(key: BindingKey, lb: str) -> Flight:
    observed = ObservedLoadBalancer(LoadBalancerHead(ref(lb), name=lb, running=True))
    return Flight(key, "ap-guangzhou", Plan(()), "print", observed, started=0.0)


def test_a_flight_is_found_under_the_key_by_which_it_was_last_worked_on_until_it_ends() -> None:
    flights, one, two = Flights(), flight(ONE, "lb-1"), flight(TWO, "lb-2")
    for each in (one, two):
        assert flights.begin(each)
        flights.work_on(each, OLD)
    assert flights.under(OLD) == (one, two)
    flights.work_on(one, NEW)
    assert (flights.under(OLD), flights.under(NEW), one.binding) == ((two,), (one,), NEW)
    flights.end(ONE)
    flights.work_on(one, OLD)
    assert (flights.under(OLD), flights.under(NEW)) == ((two,), ())
    flights.end(TWO)
    assert flights.under(OLD) == ()
    assert flights.underway() == ()


def test_the_locks_of_a_flight_are_free_when_it_ends_and_those_of_others_are_not() -> None:
    flights, one, two = Flights(), flight(ONE, "lb-1"), flight(TWO, "lb-2")
    assert flights.begin(one)
    assert flights.begin(two)
    assert flights.lock(ref("lb-3"), ONE)
    assert not flights.lock(ref("lb-3"), TWO)
    flights.end(ONE)
    assert flights.lock(ref("lb-3"), TWO)
    assert not flights.lock(ref("lb-2"), ONE)
    assert flights.lock(ref("lb-1"), TWO)


def test_a_flight_begun_anew_takes_the_place_of_the_one_before() -> None:
    flights, one, other = Flights(), flight(ONE, "lb-1"), flight(ONE, "lb-1")
    assert flights.begin(one)
    flights.work_on(one, OLD)
    assert flights.begin(other)
    assert flights.under(OLD) == ()
    flights.work_on(other, OLD)
    assert flights.under(OLD) == (other,)
    assert flights.of(ONE) is other


def test_nothing_is_left_when_the_leadership_ends() -> None:
    flights, one = Flights(), flight(ONE, "lb-1")
    assert flights.begin(one)
    flights.work_on(one, OLD)
    flights.clear()
    assert (flights.under(OLD), flights.underway()) == ((), ())
    assert flights.lock(ref("lb-1"), TWO)
