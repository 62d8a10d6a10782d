"""The default domain of a listener: which host answers for unknown ones (page on forwarding domains)."""

from tests.emulators.clb.nouns import Listener


def settle_default(listener: Listener, heir: str = "") -> None:
    """After rules went: the default stays while it has a rule, else the heir, else the oldest host that is left."""
    if listener.rules_of(listener.default_domain):
        return
    oldest = next((rule.domains[0] for rule in listener.rules.values()), "")
    listener.default_domain = heir or oldest
