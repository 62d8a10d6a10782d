"""Where one translation writes down what it finds: problems in a stable order, and what they hold."""

from collections.abc import Iterable
from typing import Final

from l7lb.model.cluster import Ingress
from l7lb.model.identity import ListenerKey, Protocol, RuleKey, RuleRef
from l7lb.model.problems import Findings, Held, Problem, Severity

HTTP: Final = ListenerKey(Protocol.HTTP, 80)
HTTPS: Final = ListenerKey(Protocol.HTTPS, 443)

LISTENERS: Final = (HTTP, HTTPS)
"""What is held is held on both: an Ingress that moves to TLS with a broken part must not lose the working one."""

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
        self._rules: set[RuleKey] = set()
        self._listeners: set[ListenerKey] = set()

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

    def hold_rule(self, key: RuleKey) -> None:
        """The rule keeps its shape."""
        self._rules.add(key)

    def hold_host(self, host: str) -> None:
        """All rules and the certificate of this host keep their shape."""
        self._hosts.add(host)

    def hold_listener(self, key: ListenerKey) -> None:
        """The listener keeps its shape, and is not made."""
        self._listeners.add(key)

    def findings(self) -> Findings:
        """All of it as a value."""
        return Findings(
            tuple(self._problems),
            Held(
                listeners=frozenset(self._listeners),
                hosts=frozenset((listener, host) for listener in LISTENERS for host in self._hosts),
                rules=frozenset(RuleRef(listener, rule) for listener in LISTENERS for rule in self._rules),
            ),
        )
