"""Registered models and versions by name, number or alias; an error names those that there are."""

from difflib import get_close_matches

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException

from omniretail.core.errors import MissingError, SettingsError

LOCK = ".promotion-lock"
"""Suffix of registered models that are locks, see ``registry.promotion_lock``."""
_SCHEME = "models:/"
_SHOWN = 10


def resolved(client: MlflowClient, uri: str, model: str) -> ModelVersion:
    """The version that ``models:/name/3`` or ``models:/name@champion`` names.

    Raises:
        MissingError: where there is none.
        SettingsError: where it is of another form.
    """
    name, alias_mark, alias = model.removeprefix(_SCHEME).partition("@")
    name, _, version = name.partition("/")
    if not model.startswith(_SCHEME) or not (alias if alias_mark else version):
        raise SettingsError(f"model={model} is not of the form models:/name/3 or models:/name@champion")
    if not alias_mark:
        return registered_version(client, uri, name, version)
    aliases = registered_model(client, uri, name).aliases
    if alias not in aliases:
        raise MissingError(f"{name} has no alias {alias}; it has {', '.join(aliases) or 'none'}")
    return registered_version(client, uri, name, aliases[alias])


def registered_model(client: MlflowClient, uri: str, name: str) -> RegisteredModel:
    """A registered model.

    Raises:
        MissingError: naming the nearest, where there is none of that name.
    """
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    names = [each.name for each in client.search_registered_models(max_results=1000) if not each.name.endswith(LOCK)]
    nearest = get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"; did you mean {', '.join(nearest)}?" if nearest else "" if names else "; nothing is registered there"
    raise MissingError(f"no model is registered as {name} in {uri}{hint}")


def registered_version(client: MlflowClient, uri: str, name: str, version: str | int) -> ModelVersion:
    """A version of a registered model.

    Raises:
        MissingError: naming the versions that there are, where there is none of that number.
        SettingsError: where it is no number.
    """
    registered_model(client, uri, name)
    if not str(version).isdecimal():
        raise SettingsError(f"version takes a whole number, not {version}")
    try:
        return client.get_model_version(name, str(version))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    numbers = sorted(int(each.version) for each in client.search_model_versions(f"name = '{name}'"))
    listed = ", ".join(map(str, numbers[-_SHOWN:])) or "none"
    raise MissingError(f"{name} has no version {version}; it has {'… ' if len(numbers) > _SHOWN else ''}{listed}")
