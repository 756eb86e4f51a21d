"""UCI Online Retail is published as a workbook; the reader takes CSV, which opens twenty times as fast."""

from pathlib import Path
from typing import IO

from omniretail.sources.download.download import FetchError


def to_csv(workbook: IO[bytes], path: Path, rows: int) -> None:
    """Write the workbook's first sheet as gzipped CSV.

    Args:
        workbook: an open .xlsx file.
        path: the CSV file to write.
        rows: how many the sheet must have below its header.

    Raises:
        FetchError: where openpyxl is missing, or the sheet has another number of rows.
    """
    import pandas as pd  # here, so that other datasets do not wait for it

    try:
        sheet = pd.read_excel(
            workbook,
            dtype={"InvoiceNo": "string", "StockCode": "string", "CustomerID": "Int64"},  # else customers read 17850.0
            engine="openpyxl",
        )
    except ImportError:
        raise FetchError("to read the workbook: pip install openpyxl, then run this command again") from None
    if len(sheet) != rows:
        raise FetchError(f"the workbook has {len(sheet):,} rows, not {rows:,}: the publisher has changed it")
    sheet.to_csv(path, index=False, compression="gzip")
