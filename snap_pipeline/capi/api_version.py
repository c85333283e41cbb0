"""The versions of the Conversions API, by the names that destinations store."""

from collections.abc import Mapping
from typing import Literal

from snap_pipeline.capi.dialect import Dialect
from snap_pipeline.capi.v2 import V2
from snap_pipeline.capi.v3 import V3

ApiVersion = Literal["v3", "v2"]
DEFAULT_VERSION: ApiVersion = "v3"
"""The version of a new destination."""

DIALECTS: Mapping[ApiVersion, Dialect] = {"v3": V3(), "v2": V2()}
"""The versions by name. To add one, write its module and `sql/wire_<name>.sql`, and add it here and to `ApiVersion`."""
