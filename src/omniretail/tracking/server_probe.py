"""What answers at the address of a tracking server: MLflow's server, something else, or nothing."""

import re
from urllib.parse import urlsplit

import requests
from mlflow.environment_variables import MLFLOW_TRACKING_INSECURE_TLS, MLFLOW_TRACKING_SERVER_CERT_PATH

from omniretail.core.credentials import hide, reveal
from omniretail.core.errors import SettingsError

_PATIENCE = 5
"""Seconds to wait for an answer."""
_ENCODED = re.compile(r"[\w.~!$&'()*+,;=:%-]*")


def check_address(uri: str) -> None:
    """Check the form of an address that begins with ``http``.

    Raises:
        SettingsError: where no server can have this address.
    """
    before, mark, _ = uri.rpartition("@")
    if mark and not _ENCODED.fullmatch(before.partition("://")[2]):
        encode = """python -c 'import getpass, urllib.parse as u; print(u.quote(getpass.getpass(), safe=""))'"""
        raise SettingsError(
            f"the credentials in {hide(uri)} hold characters that an address cannot; put MLFLOW_TRACKING_USERNAME and "
            f"MLFLOW_TRACKING_PASSWORD in their place, or encode the password with: {encode}"
        )
    try:
        valid = bool(urlsplit(uri).hostname) and not re.search(r"\s", uri) and urlsplit(uri).port != 0
    except ValueError:
        valid = False
    if not valid:
        raise SettingsError(f"{hide(uri)} is no address of a server; write http://host:5000")


def wrong_server(uri: str) -> str | None:
    """The sentence for an address at which something else than MLflow answers; None where MLflow or nothing does."""
    if not uri.startswith(("http://", "https://")):
        return None
    verify = MLFLOW_TRACKING_SERVER_CERT_PATH.get() or not MLFLOW_TRACKING_INSECURE_TLS.get()
    try:
        answer = requests.get(f"{reveal(uri).rstrip('/')}/version", timeout=_PATIENCE, verify=verify)
    except requests.exceptions.SSLError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return (
                f"the certificate of {uri} cannot be verified; name the authority's file in "
                "MLFLOW_TRACKING_SERVER_CERT_PATH"
            )
        return f"what answers at {uri} does not speak TLS; write http://{uri.removeprefix('https://')}"
    except requests.exceptions.RequestException as error:
        garbled = "BadStatusLine" in str(error) or "HTTP/0.9" in str(error)
        return _no_mlflow(uri, "in another protocol") if garbled else None
    if answer.status_code >= 500 or re.match(r"\d+\.\d+", answer.text):
        return None
    return _no_mlflow(uri, f"with {answer.status_code} {answer.reason}".rstrip())


def _no_mlflow(uri: str, how: str) -> str:
    return (
        f"{uri} is no MLflow tracking server: something else answers there, {how}; correct tracking.uri or "
        "MLFLOW_TRACKING_URI"
    )
