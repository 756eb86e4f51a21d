"""The commands of ``scripts/`` inside this process, which saves the seconds that a new one takes to import."""

import logging
import os
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from unittest.mock import patch


@dataclass(frozen=True)
class Done:
    """What a process would leave."""

    returncode: int
    stdout: str
    stderr: str


def command(name: str, *words: str) -> Done:
    """Run ``python scripts/<name>.py <words>``."""
    out, err, code = StringIO(), StringIO(), 0
    handlers, level = logging.root.handlers[:], logging.root.level
    with patch.object(sys, "argv", [f"{name}.py", *words]), patch.dict(os.environ):
        try:
            with redirect_stdout(out), redirect_stderr(err):
                import_module(f"omniretail.commands.{name}").main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
            err.write(f"{end.code}\n" if isinstance(end.code, str) else "")
        except Exception:
            code = 1
            traceback.print_exc(file=err)
        finally:
            logging.root.handlers[:], logging.root.level = handlers, level
    return Done(code, out.getvalue(), err.getvalue())
