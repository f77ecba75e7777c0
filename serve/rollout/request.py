"""Asking for a rollout: by hand, or by the learning flow."""

from collections.abc import Callable
from datetime import UTC, datetime

from serve.rollout.policy import Phase, Policy
from serve.rollout.rollout_summary import RolloutSummary, Verdict
from serve.rollout.route_table import city_application
from streetloop.errors import RolloutError
from streetloop.ledger import Ledger
from streetloop.ledger.rollouts import Rollout, start_rollout
from streetloop.settings import Settings
from train.first_champion import ensure_champion
from train.model.find_model import open_registry
from train.model_registry import Registry, Version


def request_rollout(
    settings: Settings,
    ledger: Ledger,
    version: str,
    policy: Policy,
    author: str,
    city: str | None = None,
    say: Callable[[str], None] = lambda _: None,
    *,
    despite_verdict: bool = False,
) -> Rollout:
    """Ask for a rollout of a version; running streams take it up.

    Args:
        settings: As given at the roof.
        ledger: Where it is written down.
        version: A version of the registry, or an alias.
        policy: What it must show.
        author: Who asks.
        city: Only the cameras of this city.
        say: Called with what is being done.
        despite_verdict: Try it even if the judge refused it.

    Raises:
        RolloutError: Another one is open, the judge refused the version, or it cannot take the
            champion's place.
        RegistryError: The registry does not answer, or does not know the version.
    """
    registry = open_registry(settings)
    candidate = registry.find(version)
    champion, _ = ensure_champion(settings, say)
    if city is not None:
        champion = _own_champion(registry, city) or champion
    if candidate.number == champion.number:
        raise RolloutError(f"version {candidate.number} is the champion already")
    if candidate.record.classes != champion.record.classes:
        raise RolloutError(
            f"version {candidate.number} knows other classes than the champion, version "
            f"{champion.number}: {', '.join(candidate.record.classes)}"
        )
    verdict = verdict_of(candidate)
    refused = candidate.record.accepted is False
    if refused and policy.heed_verdict and not despite_verdict:
        raise RolloutError(
            f"{verdict.says}; `streetloop rollout start {candidate.number} --despite-verdict` "
            "tries it all the same"
        )
    overruled = f" all the same, as {author} wants it" if refused and despite_verdict else ""
    return start_rollout(
        ledger,
        str(candidate.number),
        str(champion.number),
        city,
        policy.model_dump(mode="json"),
        Phase().model_dump(mode="json"),
        author,
        datetime.now(UTC),
        f"{verdict.says}: it is tried{overruled}",
        RolloutSummary(verdict=verdict).as_json(),
    )


def verdict_of(version: Version) -> Verdict:
    """What the offline judge said of a version before it was registered."""
    record = version.record
    name, why = f"version {version.number}", "; ".join(record.verdict)
    if record.accepted is None:
        says = f"{name} was never judged" + (f", though there is said of it: {why}" if why else "")
    else:
        word = "was accepted" if record.accepted else "was refused"
        says = f"{name} {word} by the judge ({why or 'no reasons are known'})"
    return Verdict(accepted=record.accepted, reasons=tuple(record.verdict), says=says)


def _own_champion(registry: Registry, city: str) -> Version | None:
    """The champion that a city has of its own, if it has one."""
    alias = city_application(city)
    return next((v for v in registry.versions() if alias in v.aliases), None)
