"""The API versions are objects: no other module branches on the version."""

import json
import re
from pathlib import Path

import pytest

import snap_pipeline
from snap_pipeline.capi.api_version import DIALECTS, ApiVersion
from snap_pipeline_tests.project import NOW, PIXEL_ID

BRANCH = re.compile(r"""[!=]= *["']v[23]["']|["']v[23]["'] *[!=]=|in *[({]["']v[23]["']|version *=+ *'v[23]'""")


def test_no_module_branches_on_the_version() -> None:
    root = Path(snap_pipeline.__file__).parent
    found = {
        f"{path.relative_to(root)}: {line.strip()}"
        for path in (*root.rglob("*.py"), *root.rglob("*.sql"))
        if not path.is_relative_to(root / "sandbox") and not path.is_relative_to(root / "state" / "migrations")
        for line in path.read_text().splitlines()
        if BRANCH.search(line)
    }
    assert found == set()


@pytest.mark.parametrize("version", DIALECTS)
def test_a_request_names_asset_token_and_endpoint_as_its_version_has_it(version: ApiVersion) -> None:
    dialect = DIALECTS[version]
    event = dialect.test_event(PIXEL_ID, NOW).encode()
    request = dialect.request(PIXEL_ID, event, "to&ken", validate=True)
    assert dialect.name == version
    assert "ken" not in repr(request)
    if dialect.events_name_assets:
        assert request.path == "/v2/conversion/validate"
        assert request.headers == {"Authorization": "Bearer to&ken"}
        assert json.loads(request.body)[0]["pixel_id"] == PIXEL_ID
    else:
        assert request.path == f"/v3/{PIXEL_ID}/events/validate?access_token=to%26ken"
        assert request.headers == {}
        assert json.loads(request.body)["data"][0]["event_name"] == "PAGE_VIEW"
