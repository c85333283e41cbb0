"""The files beside the code: the dbt project, and the workspace file by which Dagster finds the definitions.

The dbt project lies beside the package in a checkout, and within it where the package was installed from a wheel.
"""

from importlib import resources
from pathlib import Path

PACKAGE = Path(str(resources.files("snap_pipeline")))
IS_INSTALLED = (PACKAGE / "dbt_project").is_dir()
"""Tells a wheel, whose folder may be read-only, from a checkout."""
DBT_PROJECT = (PACKAGE if IS_INSTALLED else PACKAGE.parent) / "dbt_project"
SEEDS = DBT_PROJECT / "seeds"
WORKSPACE = PACKAGE / "workspace.yaml"
