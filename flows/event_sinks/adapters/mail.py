"""E-mail by SMTP: one mail for all changes that wait."""

import logging
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any
from urllib.parse import unquote, urlsplit

from streetloop.alerting.sink_config import EventSinkConfig
from streetloop.clock import SystemClock
from streetloop.errors import EventSinkError
from streetloop.ledger.alerts.event_changes import ACKNOWLEDGED, BEGIN, END, TEST, EventChange

_log = logging.getLogger(__name__)

DELIVERIES = "X-Streetloop-Deliveries"
_PORTS = {"smtp": 25, "smtps": 465}
_VERBS = {BEGIN: "began", END: "ended", ACKNOWLEDGED: "was acknowledged", TEST: "is a test"}
_WHY: Mapping[type[Exception], str] = {
    smtplib.SMTPAuthenticationError: "refuses the user or password",
    smtplib.SMTPRecipientsRefused: "refuses every recipient",
    smtplib.SMTPSenderRefused: "refuses the sender",
    smtplib.SMTPServerDisconnected: "the connection broke",
    smtplib.SMTPNotSupportedError: "offers no encryption, without which no password is sent",
    smtplib.SMTPException: "refuses the mail",
    TimeoutError: "no answer in time",
    ssl.SSLError: "has no valid certificate",
    OSError: "cannot be reached",
}
"""The errors of smtplib in our words; the first kind that fits counts."""


class MailSink:
    """See `EventSink`. A user in ``url`` signs in, over TLS alone.

    Args:
        config: ``sender`` and ``to`` are the ends; ``smtp`` uses STARTTLS where it is offered.
    """

    batch_size = 100
    batches = True

    def __init__(self, config: EventSinkConfig) -> None:
        self._config, self._shown = config, str(config.url)
        self._url = urlsplit(config.url.reveal())

    def send(self, changes: Sequence[EventChange]) -> None:
        """See `EventSink.send`."""
        mail = mail_of(changes, str(self._config.sender), self._config.to)
        try:
            with self._connect() as server:
                refused = server.send_message(mail)
        except tuple(_WHY) as error:
            # `from None`: the vendor's exception quotes the server, which may quote the user.
            raise EventSinkError(f"{self._shown}: {_why(error)}") from None
        if refused:
            _log.error("%s: refuses %d of the recipients", self._shown, len(refused))

    def close(self) -> None:
        """See `EventSink.close`: each mail has a connection of its own."""

    def _connect(self) -> smtplib.SMTP:
        host, port = str(self._url.hostname), self._url.port or _PORTS[self._url.scheme]
        secure = ssl.create_default_context()
        server: smtplib.SMTP
        if self._url.scheme == "smtps":
            server = smtplib.SMTP_SSL(host, port, timeout=self._config.timeout_s, context=secure)
        else:
            server = smtplib.SMTP(host, port, timeout=self._config.timeout_s)
        try:
            self._secure(server, secure)
        except BaseException:
            server.close()
            raise
        return server

    def _secure(self, server: smtplib.SMTP, secure: ssl.SSLContext) -> None:
        server.ehlo()
        has_user = self._url.username is not None
        if self._url.scheme == "smtp" and (has_user or server.has_extn("starttls")):
            server.starttls(context=secure)
            server.ehlo()
        if has_user:
            server.login(unquote(self._url.username or ""), unquote(self._url.password or ""))


def mail_of(changes: Sequence[EventChange], sender: str, to: Sequence[str]) -> EmailMessage:
    """One mail that tells of changes, a paragraph each.

    Args:
        changes: At least one.
        sender: Its From.
        to: Its To.
    """
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Subject"] = f"[streetloop] {_subject(changes)}"
    mail["Date"] = format_datetime(SystemClock().now())
    mail["Message-ID"] = make_msgid(str(changes[0].message["id"]), sender.rpartition("@")[2])
    mail[DELIVERIES] = " ".join(str(one.message["id"]) for one in changes)
    mail.set_content("\n\n".join(_paragraph(one) for one in changes) + "\n")
    return mail


def _subject(changes: Sequence[EventChange]) -> str:
    if len(changes) == 1:
        return _headline(changes[0])
    kinds = list(dict.fromkeys(one.kind for one in changes))
    more = ", ..." if len(kinds) > 3 else ""
    return f"{len(changes)} changes: {', '.join(kinds[:3])}{more}"


def _headline(change: EventChange) -> str:
    where = f"{change.camera_id}: " if change.camera_id else ""
    return f"{where}{change.kind} {_VERBS.get(change.change, change.change)}"


def _paragraph(change: EventChange) -> str:
    event: Mapping[str, Any] = change.message["event"]
    lines = [_headline(change), f"  began {event['started_at']}"]
    if event["ended_at"] is not None:
        lines.append(f"  ended {event['ended_at']}")
    if event.get("cause"):
        lines.append(f"  {event['cause']}")
    if event["id"] is not None:
        lines.append(f"  event {event['id']}")
    return "\n".join(lines)


def _why(error: Exception) -> str:
    if isinstance(error.__context__, TimeoutError):  # smtplib says that the server hung up
        error = error.__context__
    return next(text for kind, text in _WHY.items() if isinstance(error, kind))
