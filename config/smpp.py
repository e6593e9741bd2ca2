# SPDX-License-Identifier: MIT
"""The settings of an operator's SMSC: ``[smpp]``."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Smpp(BaseModel):
    """Texts through an operator's SMSC (SMPP 3.4). With a host set, our texts leave this way."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field("", description="the SMSC; empty: no SMPP")
    port: int = 2775
    system_id: str = Field("", description="account name at the operator")
    password: SecretStr = SecretStr("")
    tls: Literal["none", "tls"] = Field("none", description="tls: from the first byte, checked")
    ca_file: str = Field("", description="certificates to trust; empty: the system's")
    server_name: str = Field("", description="name in the SMSC's certificate; empty: host")
    name: str = Field(
        "smpp", min_length=1, max_length=64, description="of this account, on record: keep it"
    )
    number: str = Field("", description="our short code or name, as the operator gave it")
    system_type: str = Field("", description="as the operator says; often nothing")
    addr_range: str = Field("", description="as the operator says; often nothing")
    source_ton: int | None = Field(
        None, ge=0, le=255, description="of our number; unset: by its look"
    )
    source_npi: int | None = Field(None, ge=0, le=255, description="of our number")
    dest_ton: int = Field(1, ge=0, le=255, description="of recipients")
    dest_npi: int = Field(1, ge=0, le=255, description="of recipients")
    default_alphabet: Literal["gsm7", "latin1", "ascii"] = Field(
        "gsm7", description="what data_coding 0 means at this operator"
    )
    utf16_little_endian: bool = Field(
        default=False, description="whether data_coding 8 is the wrong way round"
    )
    registered_delivery: bool = Field(default=True, description="ask for receipts")
    message_id_form: Literal["as_is", "hex", "decimal"] = Field(
        "as_is", description="how submit_sm_resp writes ids"
    )
    receipt_id_form: Literal["as_is", "hex", "decimal"] = Field(
        "as_is", description="how the text of a receipt writes them"
    )
    message_id_strip_zeros: bool = Field(default=False, description="leading zeros are padding")
    window: int = Field(10, ge=1, le=1000, description="submit_sm without an answer at one time")
    throughput_per_second: float = Field(0.0, ge=0, description="segments a second; 0: no limit")
    throttle_seconds: float = Field(2.0, gt=0, description="pause when the SMSC says: too fast")
    enquire_link_seconds: float = Field(30.0, gt=0, description="silence before we ask")
    response_timeout_seconds: float = Field(30.0, gt=0, description="longest wait for an answer")
    connect_timeout_seconds: float = Field(10.0, gt=0, description="longest wait for the line")
    reconnect_base_seconds: float = Field(1.0, gt=0, description="first pause; doubles, jittered")
    reconnect_cap_seconds: float = Field(60.0, gt=0, description="longest pause")
    poll_seconds: float = Field(1.0, gt=0, description="how often due texts are looked for")
    hold_seconds: float = Field(
        30.0, gt=0, description="how long a text may wait in the process before it is given back"
    )
    max_parts_wait_minutes: float = Field(
        10.0, gt=0, description="a long text is filed without the parts that have not come by then"
    )
    late_parts_hours: float = Field(
        24.0, gt=0, description="how long after its first part a text still takes parts"
    )
    duplicate_window_minutes: float = Field(
        15.0, ge=0, description="the same part within it was sent again, after it is a new text"
    )
    max_unfiled_parts: int = Field(
        10_000, ge=1, description="stored parts that may wait; above it the SMSC is slowed down"
    )
    give_way_seconds: float = Field(
        5.0, ge=0, description="how long filing waits while texts come in without a pause"
    )
    give_up_hours: float = Field(
        24.0, gt=0, description="a text of ours that could not be handed over by then has failed"
    )

    def weaknesses(self) -> list[str]:
        """Say what keeps these settings from production, one plain sentence each."""
        if not self.host:
            return []
        problems: list[str] = []
        if self.tls == "none" and not _stays_inside(self.host):
            problems.append(
                "smpp.tls = none is only for an SMSC on this machine or at the private address "
                "of a tunnel: texts and the password would be readable on the way"
            )
        if not self.password.get_secret_value():
            problems.append("smpp.password is empty although smpp.host is set")
        if not self.number:
            problems.append("smpp.number is empty: set the short code that citizens write to")
        return problems


def _stays_inside(host: str) -> bool:
    """Whether a host is this machine or has a private address (RFC 1918, RFC 4193)."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"
