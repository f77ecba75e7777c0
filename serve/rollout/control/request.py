"""Asks for a rollout: for a person, or for the learning flow."""

from collections.abc import Callable
from datetime import UTC, datetime

from serve.rollout.policy import Phase, Policy
from serve.rollout.rollout_summary import JudgeVerdict, RolloutSummary
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
    """Ensure that there is a champion, then ask for a rollout against it.

    The first step registers the model of the settings where the registry has no champion, which
    takes a while; the second only reads the registry and writes the ledger.

    Args:
        settings: The settings of the run.
        ledger: The ledger.
        version: A version of the registry, or an alias.
        policy: What the challenger must show.
        author: Who asks.
        city: Only the cameras of this city; None for all.
        say: Called with a sentence about what is being done.
        despite_verdict: True tries a version that the offline judge refused.

    Raises:
        RolloutError: Another rollout is open, the judge refused the version, or it cannot replace
            the champion.
        RegistryError: The registry does not answer, or does not have the version.
    """
    registry = open_registry(settings)
    challenger = registry.find(version)
    champion, _ = ensure_champion(settings, say)
    if city is not None:
        champion = _own_champion(registry, city) or champion
    return request_against(
        ledger, champion, challenger, policy, author, city, despite_verdict=despite_verdict
    )


def request_against(
    ledger: Ledger,
    champion: Version,
    challenger: Version,
    policy: Policy,
    author: str,
    city: str | None = None,
    *,
    despite_verdict: bool = False,
) -> Rollout:
    """Ask for a rollout of one version against another; running streams take it up.

    Args:
        ledger: The ledger.
        champion: The version that serves.
        challenger: The version to roll out.
        policy: Its rules.
        author: Who asks.
        city: Limits the rollout to the cameras of a city; None for all.
        despite_verdict: Roll out a version that the judge refused.

    Raises:
        RolloutError: As `request_rollout`.
    """
    _require_same_task(champion, challenger)
    verdict = verdict_of(challenger)
    refused = challenger.record.accepted is False
    if refused and policy.heed_verdict and not despite_verdict:
        raise RolloutError(
            f"{verdict.says}; `streetloop rollout start {challenger.number} --despite-verdict` "
            "tries it all the same"
        )
    overruled = f" all the same, as {author} wants it" if refused and despite_verdict else ""
    return start_rollout(
        ledger,
        str(challenger.number),
        str(champion.number),
        city,
        policy.model_dump(mode="json"),
        Phase().model_dump(mode="json"),
        author,
        datetime.now(UTC),
        f"{verdict.says}: it is tried{overruled}",
        RolloutSummary(verdict=verdict).as_json(),
    )


def _require_same_task(champion: Version, challenger: Version) -> None:
    if challenger.number == champion.number:
        raise RolloutError(f"version {challenger.number} is the champion already")
    if challenger.record.classes != champion.record.classes:
        raise RolloutError(
            f"version {challenger.number} knows other classes than the champion, version "
            f"{champion.number}: {', '.join(challenger.record.classes)}"
        )


def verdict_of(version: Version) -> JudgeVerdict:
    """What the offline judge said of a version before it was registered."""
    record = version.record
    name, why = f"version {version.number}", "; ".join(record.verdict)
    if record.accepted is None:
        says = f"{name} was never judged" + (f", though there is said of it: {why}" if why else "")
    else:
        word = "was accepted" if record.accepted else "was refused"
        says = f"{name} {word} by the judge ({why or 'no reasons are known'})"
    return JudgeVerdict(accepted=record.accepted, reasons=tuple(record.verdict), says=says)


def _own_champion(registry: Registry, city: str) -> Version | None:
    """The city's own champion, if it has one."""
    alias = city_application(city)
    return next((v for v in registry.versions() if alias in v.aliases), None)
