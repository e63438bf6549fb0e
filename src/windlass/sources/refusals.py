"""What cannot be read is refused by its own name, with what to do instead."""

import re
from pathlib import Path

from windlass.errors import DataError

ADDRESS = re.compile(r"(?:^|/)([a-z][a-z0-9+.-]+):/", re.IGNORECASE)
"""A scheme at the beginning, or behind the folder that a path was taken to start from."""
DATABASES = {
    "postgres": "PostgreSQL",
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "sqlite": "SQLite",
    "mssql": "SQL Server",
    "oracle": "Oracle",
    "mongodb": "MongoDB",
    "duckdb": "DuckDB",
    "redis": "Redis",
    "snowflake": "Snowflake",
    "bigquery": "BigQuery",
}
EXPORT = "export the table as CSV or Parquet, and name that file"
AS_CSV = "save it as .xlsx or as CSV (UTF-8)"
AS_TEXT = "put what is to be learned into a CSV file, a row for each example"
UNPACK = "unpack it, and name the file or folder inside"
SQLITE = ("a SQLite database", "export the table as CSV (`sqlite3 -header -csv FILE 'select * from TABLE'`)")
FORMATS = {
    **dict.fromkeys((".db", ".sqlite", ".sqlite3", ".db3"), SQLITE),
    ".duckdb": ("a DuckDB database", EXPORT),
    ".mdb": ("an Access database", EXPORT),
    ".accdb": ("an Access database", EXPORT),
    ".sql": ("a dump of a database", "load it into that database, then " + EXPORT),
    ".xls": ("an Excel file from before 2007", AS_CSV),
    ".xlsb": ("a binary Excel file", AS_CSV),
    ".ods": ("an OpenDocument spreadsheet", AS_CSV),
    ".numbers": ("a Numbers spreadsheet", AS_CSV),
    **dict.fromkeys((".sav", ".zsav", ".por"), ("an SPSS file", "in SPSS: File, Export, CSV")),
    ".dta": ("a Stata file", "in Stata: `export delimited`"),
    **dict.fromkeys((".sas7bdat", ".xpt"), ("a SAS file", "in SAS: `proc export`")),
    **dict.fromkeys((".rds", ".rda", ".rdata"), ("an R file", "in R: `write.csv(data, 'data.csv')`")),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), ("a pickle, which can run programs", "pandas: `to_parquet(path)`")),
    **dict.fromkeys((".feather", ".arrow"), ("an Arrow file", "polars: `pl.read_ipc(path).write_parquet(...)`")),
    **dict.fromkeys((".h5", ".hdf5"), ("an HDF5 file", "pandas: `to_parquet(path)`")),
    **dict.fromkeys((".avro", ".orc", ".mat"), ("a format that is not read", "save it as Parquet or CSV")),
    **dict.fromkeys((".doc", ".docx", ".odt", ".rtf"), ("a text document", AS_TEXT)),
    ".pdf": ("a PDF", AS_TEXT),
    **dict.fromkeys((".xml", ".html", ".htm"), ("a markup file", AS_TEXT)),
    **dict.fromkeys((".tar", ".tgz", ".rar", ".7z", ".bz2", ".xz", ".zst"), ("an archive that is not read", UNPACK)),
}
"""The ending of a file -> what it is, and what to do."""
MAGIC = (
    (b"SQLite format 3\x00", *SQLITE),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office file from before 2007", AS_CSV),
    (b"%PDF", "a PDF", AS_TEXT),
    (b"PK\x03\x04", "a zip archive or a spreadsheet", "give it its right ending, such as .zip or .xlsx"),
    (b"\x1f\x8b", "packed by gzip", "give it its right ending, such as .csv.gz"),
    (b"PAR1", "a Parquet file", "give it its right ending, .parquet"),
    (b"{\\rtf", "a text document", AS_TEXT),
)
"""The first bytes of a file -> what it is, and what to do; for files that are read as text."""
PLAIN = frozenset({".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".txt"})


def check_address(place: str) -> None:
    """Raises: DataError: the place is an address, of a database or in the network; who may log in is not repeated."""
    found = ADDRESS.search(place)
    if not found or len(found[1]) < 2:
        return
    scheme = found[1].lower()
    base = scheme.partition("+")[0]
    if base in DATABASES:
        raise DataError(f"data is the address of a {DATABASES[base]} database, expected a file or folder", EXPORT)
    raise DataError(f"data is an address ({scheme}://), expected a file or folder on this machine", "download it first")


def check_file(path: Path, readable: str) -> None:
    """Raises: DataError: the file is of a kind that is known and not read. readable: what is, in words."""
    known = FORMATS.get(path.suffix.lower())
    if path.name.lower().endswith((".tar.gz", ".tar.bz2", ".tar.xz")):
        known = FORMATS[".tar"]
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}), expected {readable}") from None
    is_text = path.suffix.lower() in PLAIN
    if not known and (is_text or head.startswith(MAGIC[0][0])):
        known = next(((name, advice) for magic, name, advice in MAGIC if head.startswith(magic)), None)
    if known:
        raise DataError(f"{path} is {known[0]}, expected {readable}", known[1])
