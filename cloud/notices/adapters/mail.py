"""Mail by SMTP, always under TLS: from the first byte, or by STARTTLS, which a server must then offer."""

import asyncio
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import aiosmtplib

from cloud.notices.adapters.answers import MOST_DETAIL
from cloud.notices.message import Message, masked, one_line
from cloud.notices.outcome import Again, Never, Outcome, Sent
from cloud.notices.outward import SEND_S, Outward, Unreached


def mail_of(settings: dict[str, Any], found: Message) -> EmailMessage:
    """The mail. Its Message-ID is made of the notice's id: a mailbox that gets a repeat shows it once."""
    out = EmailMessage()
    out["Subject"] = one_line(
        found.title + (f" · {found.facts['rescue_code']}" if found.facts.get("rescue_code") else "")
    )
    out["From"], out["To"] = settings["sender"], ", ".join(settings["recipients"])
    out["Date"] = format_datetime(datetime.fromtimestamp(found.made_at_ms / 1000, UTC))
    out["Message-ID"] = f"<{found.id}@notices.liftwatch>"
    out["Auto-Submitted"] = "auto-generated"
    if found.severity >= 4:
        out["Importance"] = "high"
    lines = [f"{label}: {value}" for label, value in found.lines]
    out.set_content("\n".join([found.title, "", *lines, *(["", found.link] if found.link else [])]))
    return out


async def smtp(outward: Outward, settings: dict[str, Any], secret: str, found: Message, now_ms: int) -> Outcome:
    """Hand the mail to a server. Whom it refuses among several is in the receipt; refused are all only where it refuses all."""
    mail = mail_of(settings, found)
    try:
        async with asyncio.timeout(SEND_S):
            return await _hand_over(outward, settings, secret, mail)
    except TimeoutError as error:
        raise Unreached("timeout", f"not taken within {SEND_S:g} s") from error


async def _hand_over(outward: Outward, settings: dict[str, Any], secret: str, mail: EmailMessage) -> Outcome:
    host, at_once = settings["host"], settings["security"] == "tls"
    client = aiosmtplib.SMTP(
        hostname=host, sock=await outward.connect(host, settings["port"]), use_tls=at_once, start_tls=not at_once,
        tls_context=outward.tls, timeout=SEND_S, local_hostname=settings["sender"].rpartition("@")[2],
        username=settings["username"] or None, password=secret or None,
    )  # fmt: skip
    try:
        await client.connect()
        refused, said = await client.send_message(mail, sender=settings["sender"], recipients=settings["recipients"])
    except aiosmtplib.SMTPAuthenticationError as error:
        return Never(str(error.code), "the mail server does not take this name and password")
    except aiosmtplib.SMTPRecipientsRefused as error:
        codes = [one.code for one in error.recipients]
        return (Never if min(codes) >= 500 else Again)(str(codes[0]), "the mail server takes none of the recipients")
    except aiosmtplib.SMTPResponseException as error:
        return Again(str(error.code), error.message[:MOST_DETAIL])
    except aiosmtplib.SMTPException as error:
        raise Unreached("cut", str(error)[:MOST_DETAIL]) from error
    except OSError as error:  # also what TLS does not like
        raise Unreached("no_connection", str(error)[:MOST_DETAIL]) from error
    finally:
        client.close()
    left_out = f"refused: {', '.join(masked(name) for name in refused)}; " if refused else ""
    taken = tuple(masked(name) for name in settings["recipients"] if name not in refused)
    return Sent("250", detail=(left_out + said)[:MOST_DETAIL], to=taken)
