"""The wheel: it has everything it needs in an empty environment."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import yaml

from snap_pipeline.project_files import PACKAGE, WORKSPACE

ROOT = Path(__file__).parents[1]


def normalized(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]


def test_every_import_of_the_package_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {normalized(re.split(r"[\s<>=!~;\[]", each)[0]) for each in project["dependencies"]}
    names = {name for file in PACKAGE.rglob("*.py") for name in imported(file)}
    distributions = packages_distributions()
    undeclared = {
        name
        for name in names - sys.stdlib_module_names - {"snap_pipeline"}
        if not declared & {normalized(each) for each in distributions.get(name, ())}
    }
    assert undeclared == set()


def test_both_workspace_files_name_the_same_code_location() -> None:
    at_the_top = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert yaml.safe_load(WORKSPACE.read_text()) == at_the_top
