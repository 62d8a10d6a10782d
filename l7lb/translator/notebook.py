"""Where one translation writes down what it finds: problems in a stable order, and what they hold."""

from collections.abc import Iterable, Mapping
from typing import Final

from l7lb.model.cluster import Ingress
from l7lb.model.identity import ListenerKey, Protocol, RuleKey, RuleRef
from l7lb.model.problems import Findings, Held, Problem, Severity

HTTP: Final = ListenerKey(Protocol.HTTP, 80)
HTTPS: Final = ListenerKey(Protocol.HTTPS, 443)

LISTENERS: Final = (HTTP, HTTPS)
"""What is held is held on both, and on all that are asked for: an Ingress that moves to TLS with a broken part must not
lose the working one."""

SHOWN_MAX = 80


def shown(text: str) -> str:
    """Text of a user for a message: quoted, cut, and of plain characters only."""
    cut = text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "..."
    return '"' + cut.encode("ascii", "backslashreplace").decode("ascii").replace("\n", "\\n") + '"'


class Notebook:
    """Findings about one Ingress."""

    def __init__(self, ingress: Ingress) -> None:
        self.about = ingress.key
        self._problems: dict[Problem, None] = {}
        self._hosts: set[str] = set()
        self._bare_hosts: set[str] = set()
        self._rules: set[RuleKey] = set()
        self._broken: set[RuleKey] = set()
        self._refs: set[RuleRef] = set()
        self._listeners: set[ListenerKey] = set()
        self._placed: dict[ListenerKey, frozenset[RuleKey]] = {}

    def problem(
        self, code: str, reason: str, message: str, *, field: str = "", severity: Severity = Severity.ERROR
    ) -> Problem:
        """Write one down (once) and give it back."""
        finding = Problem(code, reason, message, field, severity, self.about)
        self._problems[finding] = None
        return finding

    def warn(self, code: str, reason: str, message: str, *, field: str = "") -> None:
        """Something that holds nothing."""
        self.problem(code, reason, message, field=field, severity=Severity.WARNING)

    def repeat(self, problems: Iterable[Problem]) -> None:
        """Take over what was found elsewhere."""
        self._problems |= dict.fromkeys(problems)

    def place(self, rules: Mapping[ListenerKey, Iterable[RuleKey]]) -> None:
        """Which listeners are asked for, and what they forward."""
        self._placed = {listener: frozenset(keys) for listener, keys in rules.items()}

    def hold_rule(self, key: RuleKey) -> None:
        """The rule keeps its shape, wherever it is."""
        self._rules.add(key)

    def hold_broken(self, key: RuleKey) -> None:
        """So does a rule whose backend is at fault, also where TKE wrote an exact path as a plain one."""
        self._broken.add(key)

    def hold(self, ref: RuleRef) -> None:
        """The rule keeps its shape on this listener."""
        self._refs.add(ref)

    def hold_host(self, host: str) -> None:
        """All rules and the certificate of this host keep their shape."""
        self._hosts.add(host)

    def hold_certificate(self, host: str) -> None:
        """The host cannot be served on HTTPS as asked. On HTTP it keeps what is to move away, and gets what is new."""
        self._bare_hosts.add(host)

    def hold_listener(self, key: ListenerKey, rules: Iterable[RuleKey] = ()) -> None:
        """The listener and these rules keep their shape, and are not made."""
        self._listeners.add(key)
        self._refs |= {RuleRef(key, rule) for rule in rules}

    def findings(self) -> Findings:
        """All of it as a value."""
        listeners = dict.fromkeys((*LISTENERS, *self._placed))
        return Findings(
            tuple(self._problems),
            Held(
                listeners=frozenset(self._listeners),
                hosts=frozenset((listener, host) for listener in listeners for host in self._held_hosts(listener)),
                rules=frozenset(
                    RuleRef(listener, rule) for listener in listeners for rule in self._held_rules(listener)
                )
                | self._refs,
            ),
        )

    def _held_hosts(self, listener: ListenerKey) -> set[str]:
        if listener.protocol == Protocol.HTTPS:
            return self._hosts | self._bare_hosts
        return self._hosts | (self._bare_hosts - {key.host for key in self._placed.get(listener, ())})

    def _held_rules(self, listener: ListenerKey) -> set[RuleKey]:
        everything = frozenset().union(*self._placed.values())
        here = self._placed.get(listener, everything)
        broken = self._broken | {key for key in everything - here if key.host in self._bare_hosts}
        twins = {RuleKey(key.host, key.path.removeprefix("=")) for key in broken}
        return self._rules | broken | (twins - here)
