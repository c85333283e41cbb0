"""Links from assets to their source code, which Dagster's UI opens in an editor.

They are made when the code is loaded and point to the files that run: those of a checkout or of an installed package.
"""

import warnings
from collections.abc import Sequence

import dagster as dg

from snap_pipeline.lake.storage import Table
from snap_pipeline.project_files import PACKAGE

SQL_FOLDERS = (PACKAGE / "lake" / "sql", PACKAGE / "delivery" / "sql")
REFERENCES = "dagster/code_references"


def with_source_code(assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """Return the assets with links to the SQL file of the table, where there is one, and to the asset's function."""
    with warnings.catch_warnings():
        # Code references are a beta of Dagster 1.13; every process that loads the code would print a warning.
        warnings.simplefilter("ignore", dg.BetaWarning)
        linked = dg.with_source_code_references([each.map_asset_specs(_with_sql) for each in assets])
    return [each for each in linked if isinstance(each, dg.AssetsDefinition)]


def _with_sql(spec: dg.AssetSpec) -> dg.AssetSpec:
    name = spec.key.path[-1]
    references = [
        dg.LocalFileCodeReference(file_path=str(file), label=f"SQL: {file.name}")
        for file in (folder / f"{name}.sql" for folder in SQL_FOLDERS)
        if name in set(Table) and file.is_file()  # a seed may have the name of a SQL file that makes no table
    ]
    if not references:
        return spec
    return spec.merge_attributes(metadata={REFERENCES: dg.CodeReferencesMetadataValue(code_references=references)})
