"""What one FreeSWITCH channel is by itself: a caller from outside, a phone of ours, a leg to the operator."""

from collections.abc import Iterable

from calls.ingest.formats.freeswitch_json import Channel
from calls.ingest.records import Switch
from calls.numbers import NumberKind, normalise


class Channels:
    """Tells channels apart, knowing the PBX's configuration."""

    def __init__(self, switch: Switch) -> None:
        self.trunks = set(switch.trunks)

    def arrived(self, channel: Channel) -> bool:
        """Whether somebody outside called us on it; a phone that signed in is none, wherever it did so."""
        outside = channel.profile in self.trunks or channel.context == "public"
        return channel.inbound and outside and not channel.user

    def is_paid(self, channel: Channel) -> bool:
        """Whether it leads to the operator: through a gateway, or to an address on an outside profile."""
        if channel.inbound or channel.gateway:
            return not channel.inbound
        dialled = channel.profile in self.trunks and not channel.dialled_user
        return dialled and bool(normalise(channel.number).space)

    def who(self, channel: Channel) -> str:
        """The person at the far end of a channel: an extension, or a number outside."""
        if channel.inbound:
            known = channel.user or self.arrived(channel)
            return channel.user if known else normalise(channel.caller).text
        own = not self.is_paid(channel) and channel.dialled_user
        return own or normalise(channel.number).text


def is_loopback(channel: Channel) -> bool:
    """Whether it is half of a pair inside the PBX: ``-a`` was dialled, ``-b`` dials on."""
    return channel.name.startswith("loopback/")


def unrecorded(channels: Iterable[Channel]) -> list[Channel]:
    """The answered channels that sent no record (``log-b-leg=false``), as far as the ones that dialled them tell."""
    known = {channel.uuid: channel for channel in channels}
    return [
        _partner_of(channel)
        for channel in known.values()
        if channel.answer
        and channel.bridge
        and channel.partner not in known
        and normalise(channel.partner_number).kind != NumberKind.UNKNOWN
    ]


def _partner_of(channel: Channel) -> Channel:
    answer = max(channel.answer, channel.bridge)
    outside = bool(normalise(channel.partner_number).space)
    return Channel(
        uuid=channel.partner,
        gateway="?" if outside else "",
        number=channel.partner_number,
        start=channel.start,
        answer=answer,
        bridge=answer,
        end=channel.end,
        billed_ms=(channel.end - answer) // 1000,
        parent=channel.uuid,
        partner=channel.uuid,
    )
