"""Paths of the files beside the code: the dbt project, and the workspace file that points Dagster to the definitions.

The dbt project is beside the package in a checkout, and inside the package after an installation from a wheel.
"""

from importlib import resources
from pathlib import Path

PACKAGE = Path(str(resources.files("snap_pipeline")))
IS_INSTALLED = (PACKAGE / "dbt_project").is_dir()
"""True for an installed wheel, whose folder may be read-only; False for a checkout."""
DBT_PROJECT = (PACKAGE if IS_INSTALLED else PACKAGE.parent) / "dbt_project"
SEEDS = DBT_PROJECT / "seeds"
WORKSPACE = PACKAGE / "workspace.yaml"
