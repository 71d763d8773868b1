"""The socket to the broker: plain, or TLS with the broker's certificate verified. It knows nothing of MQTT."""

import asyncio
import gc

import tls

from protocols.certificates import not_before_s
from protocols.errors import DecodeError, SettingsError

# How mbedtls begins its text for a certificate from the future, as MicroPython passes it on (1.25 and 1.29).
FROM_THE_FUTURE = "The certificate validity starts in the future"
OF_TIME = (FROM_THE_FUTURE, "The certificate validity has expired")


def _content(path, entry):
    """The file at `path`; SettingsError naming the `entry` of the settings."""
    gc.collect()
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        raise SettingsError("%s: %s cannot be read; provision the node again" % (entry, path))


class Transport:
    """Opens connections to the broker of `settings`; raises SettingsError where its certificates cannot be used.

    `counters`: "tls_refused" are certificates of the broker that we did not accept, "tls_failed" other failures of TLS.
    """

    def __init__(self, settings, calendar):
        self._host = settings.host
        self._port = settings.port
        self._name = settings.server_name
        self._calendar = calendar
        self._issued_s = 0
        self._context = self._make_context(settings) if settings.tls else None
        self._beneath = None
        self.counters = {"tls_refused": 0, "tls_failed": 0}

    def _make_context(self, settings):
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue]  not in the stubs
        try:
            context.load_verify_locations(_content(settings.ca, "broker.tls.ca"))
        except ValueError:
            raise SettingsError("broker.tls.ca: %s is no certificate in PEM or DER" % settings.ca)
        if settings.certificate:
            certificate = _content(settings.certificate, "broker.tls.certificate")
            try:
                context.load_cert_chain(certificate, _content(settings.key, "broker.tls.key"))
            except ValueError as error:
                raise SettingsError(
                    "broker.tls.certificate or broker.tls.key: %s (%s, %s)"
                    % (error, settings.certificate, settings.key)
                )
        context.verify_callback = self._note_issued  # pyright: ignore[reportAttributeAccessIssue]
        return context

    def _note_issued(self, der, depth):
        """Called for each certificate of the chain; 0 = no objection of ours. The library's own checks stand."""
        if not self._calendar.told:
            try:
                self._issued_s = max(self._issued_s, not_before_s(der))
            except DecodeError:
                pass  # the library judges it
        return 0

    async def open(self):
        """(reader, writer) of a connection under way; its handshake is done by the first bytes written."""
        self._issued_s = 0
        return await asyncio.open_connection(self._host, self._port, ssl=self, server_hostname=self._name)

    def wrap_socket(self, beneath, **how):
        """What asyncio asks of a TLS context: the socket to talk through."""
        self._beneath = beneath
        return beneath if self._context is None else self._context.wrap_socket(beneath, **how)

    def close(self):
        """Give the last socket back. TLS whose first bytes failed closes all but that, and asyncio none (1.25, measured)."""
        if self._beneath is not None:
            self._beneath.close()
            self._beneath = None

    def explain(self, error):
        """What went wrong, in words; failures of TLS are counted."""
        if self._context is None:
            return repr(error)
        # MicroPython gives a refused certificate as ValueError, with one line for each reason.
        if isinstance(error, ValueError):
            self.counters["tls_refused"] += 1
            reasons = str(error).strip()
            if self._calendar.told:
                if any(reason in reasons for reason in OF_TIME):
                    self._calendar.doubt()
            elif reasons == FROM_THE_FUTURE:
                # Its issuer has signed that it is that late already: our clock only knew that it is no earlier than it shows.
                self._calendar.at_least(self._issued_s)
            return "the certificate of %s was refused: %s" % (self._name, reasons.replace("\n", "; "))
        # Errors of mbedtls are far below those of sockets.
        if isinstance(error, OSError) and error.args and error.args[0] < -255:
            self.counters["tls_failed"] += 1
            return "TLS with %s failed: %r" % (self._name, error)
        return repr(error)
