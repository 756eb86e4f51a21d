"""Messages of MLflow's registry to a receiver of one's own, such as that a version has become the champion."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

_MAX_AGE_S = 300


class SignatureError(ValueError):
    """A message that the registry did not send, or sent long ago."""


def verified(body: bytes, headers: Mapping[str, str], secret: str, now: float | None = None) -> dict[str, Any]:
    """The content of a message, once its signature has been checked (HMAC-SHA256 over id, time and body).

    Args:
        body: as received.
        headers: of the request; upper and lower case are one.
        secret: that the webhook was made with.
        now: seconds since 1970; None: the present.

    Raises:
        SignatureError: where the signature is missing or another, or the message is older than five minutes.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    sent, delivery = fields.get("x-mlflow-timestamp", ""), fields.get("x-mlflow-delivery-id", "")
    content = f"{delivery}.{sent}.".encode() + body
    signature = base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest())
    if not hmac.compare_digest(b"v1," + signature, fields.get("x-mlflow-signature", "").encode()):
        raise SignatureError("the message is not signed with this secret")
    if not sent.isdigit() or abs((time.time() if now is None else now) - int(sent)) > _MAX_AGE_S:
        raise SignatureError(f"the message is older than {_MAX_AGE_S} seconds")
    return json.loads(body)
