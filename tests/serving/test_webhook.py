"""A receiver believes the registry's messages alone, and none twice after minutes."""

import pytest
from mlflow.webhooks.delivery import _generate_hmac_signature

from omniretail.serving.webhook import SignatureError, verified

BODY = '{"data": {"name": "grocery", "alias": "champion", "version": "3"}}'


def headers(secret: str = "secret", sent: str = "1000") -> dict[str, str]:
    signature = _generate_hmac_signature(secret, "id-1", sent, BODY)
    return {"X-MLflow-Signature": signature, "X-MLflow-Timestamp": sent, "x-mlflow-delivery-id": "id-1"}


def test_what_mlflow_signs_is_believed() -> None:
    assert verified(BODY.encode(), headers(), "secret", now=1010)["data"]["version"] == "3"


@pytest.mark.parametrize(
    ("body", "given", "now"),
    [
        (BODY, headers("another"), 1010),
        (BODY.replace("3", "4"), headers(), 1010),
        (BODY, {**headers(), "X-MLflow-Timestamp": "1005"}, 1010),
        (BODY, {}, 1010),
        (BODY, headers(), 2000),
    ],
)
def test_anything_else_is_refused(body: str, given: dict[str, str], now: float) -> None:
    with pytest.raises(SignatureError):
        verified(body.encode(), given, "secret", now=now)
