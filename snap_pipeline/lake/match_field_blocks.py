"""Blocks of SQL and Markdown that list match fields, rendered from the registry.

`make fields` runs cog, which writes each block into its file below the comment that names it; `make lint` fails where a
file has another. So the files are complete, and read like any other.
"""

from collections.abc import Iterable
from textwrap import wrap

from snap_pipeline.lake.match_fields import MATCH_FIELDS, OTHER_NAMES, MatchField

TRAITS = tuple(field for field in MATCH_FIELDS if field.trait_keys)
LINKED = tuple(field for field in MATCH_FIELDS if field.is_linked)
KINDS = tuple(field for field in LINKED if field.payload != "em")
"""The kinds of values that a link has a bit for."""

WIDE = tuple(field.payload for field in LINKED if field.payload != "sc_cookie1")
"""The columns of links that are read together; the cookie is read apart."""

LINKED_V2 = tuple(field.v2_column for field in LINKED if field.v2_column)
DIGESTS = (
    *(field.payload for field in MATCH_FIELDS if field.is_hashed and not field.is_list),
    *(field.v2_column for field in MATCH_FIELDS if field.v2_column),
)
"""The columns of payloads that hold one digest."""

CONTEXT_KEYS = {"userAgent", "advertisingId"}
"""Ways of writing a name that most lines have in their context, where they are read anyway."""

TRAIT_PLACES = {"traits": None, "context.traits": "has_context_traits"}
"""The places of traits in a line, and the column of raw_events.sql that tells whether those of the context count."""

UNUSUAL_KEYS = ("address", "firstName", "lastName", "postalCode")
"""Names that are usual in traits, and are looked for among an event's own keys."""

UNUSUAL_TRAITS = ("first_name", "last_name", "city", "state", "zip", "country", "external_id", "address.zip")
"""Names that are usual elsewhere, and are looked for in traits."""

BY_HAND = {"sc_click_id", "idfv", "external_id"}
"""Fields whose column of `raw_events` has rules of its own."""

LINE_LENGTH = 80


# landed_event.sql, macros/spellings.sql, raw_events.sql


def event_keys() -> str:
    """Return the entries of an event's keys, with their types."""
    usual = [f"'{key}': '{_type(field)}'" for field in MATCH_FIELDS for key in field.keys]
    return comma_separated([*usual, *(f"'{key}': 'VARCHAR'" for key in UNUSUAL_KEYS)], end=",")


def trait_keys() -> str:
    """Return the entries of the keys of traits."""
    usual = {key: _type(field) for field in TRAITS for key in field.trait_keys}
    keys = usual | dict.fromkeys(UNUSUAL_TRAITS, "VARCHAR")
    own = [f"'{key}': '{kind}'" for key, kind in keys.items() if "." not in key]
    address = [f"    '{key.removeprefix('address.')}': '{kind}'" for key, kind in keys.items() if "." in key]
    return comma_separated([*own, f"'address': {{\n{comma_separated(address)}\n}}"])


def unusual_places() -> str:
    """Return the keys that are usual elsewhere."""
    traits = [f"{place}.{key}" for place in TRAIT_PLACES for key in UNUSUAL_TRAITS]
    return comma_separated(map(_quoted, (*UNUSUAL_KEYS, *traits)))


def spellings() -> str:
    """Return the entries of the map from a folded name to its field."""
    entries: dict[str, str] = {}
    for column, _, names in _fields():
        for rank, name in enumerate(dict.fromkeys(name.replace("_", "").lower() for name in names)):
            entries[name] = f"'{name}': {{ 'rank': {rank}, 'field': '{column}' }}"
    return comma_separated(entries.values())


def list_fields() -> str:
    """Return the columns that may have several values, quoted."""
    return _wrapped(f"'{column}'" for column, is_list, _ in _fields() if is_list)


def spelled_fields() -> str:
    """Return the entries of all columns that a line may give under any name."""
    return comma_separated(f"'{column}': '{'JSON' if is_list else 'VARCHAR'}'" for column, is_list, _ in _fields())


def other_names() -> str:
    """Return pattern alternatives of the names that are usual nowhere."""
    names = {spelt for _, _, names in _fields() for name in names for spelt in _spelt(name)}
    return _alternatives(sorted(names - _common_names() - CONTEXT_KEYS))


def common_names() -> str:
    """Return pattern alternatives of the names that are usual outside of properties."""
    return _alternatives(sorted(_common_names() | {"page_url"}))


def usual_names() -> str:
    """Return pattern alternatives of the usual names, whose values may be lists, objects or marks of templates."""
    return _alternatives(sorted(_common_names()))


def landed_columns() -> str:
    """Return the columns of `raw_events` that take the first filled place."""
    return comma_separated((_landed_column(field) for field in MATCH_FIELDS if field.payload not in BY_HAND), end=",")


def given_external_ids() -> str:
    """Return the external ids of the first filled place, before those that stand for nobody are taken out."""
    (field,) = (field for field in MATCH_FIELDS if field.payload == "external_id")
    return _landed_column(field).removesuffix("external_ids") + "given_external_ids,"


# identity_links.sql, profiles.sql, macros/identity.sql


def newest_values() -> str:
    """Return the newest value of each linked field."""
    return comma_separated(
        f"arg_max({f.column}, recency) filter (where {f.column} is not null and not is_denial) as {f.column}"
        for f in LINKED
    )


def hashed_columns() -> str:
    """Return the columns of hashed fields that are no lists."""
    return comma_separated((f"{f.normalized} as {f.payload}" for f in MATCH_FIELDS if f.normalized), end=",")


def hashed_v2_columns() -> str:
    """Return the columns of fields that v2 hashes in another form."""
    return comma_separated((f"{f.v2_normalized} as {f.v2_column}" for f in MATCH_FIELDS if f.v2_normalized), end=",")


def hashed_names() -> str:
    """Return the names of the columns of hashed fields that are no lists."""
    return comma_separated((f.payload for f in MATCH_FIELDS if f.normalized), end=",")


def stored_v2_columns() -> str:
    """Return v2's columns where they differ."""
    return comma_separated(
        (f"nullif({f.v2_column}, {f.payload}) as {f.v2_column}" for f in MATCH_FIELDS if f.v2_normalized), end=","
    )


def kinds() -> str:
    """Return the names of the kinds in the order of their bits."""
    return _wrapped(f"'{field.payload}'" for field in KINDS)


def kind_bits() -> str:
    """Return the sum of the bits of the kinds that a link has."""
    return "\n+ ".join(f"if({f.payload} is null, 0, kind_bit('{f.payload}'))" for f in KINDS)


def newest_link_keys() -> str:
    """Return the key of the newest link with each kind of value."""
    return comma_separated(f"max(link_key) filter (where {_has_kind(f)}) as {f.payload}" for f in LINKED)


def newest_keys() -> str:
    """Return the newest key of each kind of value."""
    return comma_separated(f"max({field.payload}) as {field.payload}" for field in LINKED)


def wide_kinds() -> str:
    """Return the kinds whose values are read together; the cookie is read apart."""
    return ", ".join(WIDE)


def wide_values() -> str:
    """Return the columns of these kinds, and of v2's forms, of links."""
    return comma_separated(f"links.{name}" for name in (*WIDE, *LINKED_V2))


def resolved_values() -> str:
    """Return the value of each kind from the link whose key was chosen."""
    plain = [f"any_value(profile_values.{name}) filter (where link_key = value_keys.{name}) as {name}" for name in WIDE]
    other = [
        f"any_value(coalesce(profile_values.{f.v2_column}, profile_values.{f.payload})) "
        f"filter (where link_key = value_keys.{f.payload})\n    as {f.v2_column}"
        for f in LINKED
        if f.v2_column
    ]
    return comma_separated([*other, *plain])


def profile() -> str:
    """Return the entries of a profile."""
    return comma_separated(
        [f"'{f.payload}': {_profile_value(f)}" for f in LINKED]
        + [f"'{name}': resolved_values.{name}" for name in LINKED_V2]
    )


# conversion_payloads.sql, parameter_completeness.sql, plaintext_columns.sql


def with_linked_values() -> str:
    """Return each linked field: the event's own value, else its person's."""
    values = {name: f"coalesce({name}, linked.{name})" for name in (*(f.payload for f in LINKED), *LINKED_V2)}
    values["external_id"] = f"sent_external_ids({values['external_id']}, hash_external_id)"
    return comma_separated(f"{value} as {name}" for name, value in values.items())


def linked_names() -> str:
    """Return the names of the fields that came from the person."""
    return comma_separated(
        f"case when {f.payload} is null and linked.{f.payload} is not null then '{f.payload}' end" for f in LINKED
    )


def parameters() -> str:
    """Return the counts of match fields."""
    return comma_separated(
        (f"{{ 'parameter': '{f.payload}', 'present': count({f.payload}) }}" for f in MATCH_FIELDS if f.is_scored),
        end=",",
    )


def digest_columns() -> str:
    """Return the names of the columns that hold one digest."""
    return _wrapped(DIGESTS)


def digest_lengths() -> str:
    """Return the lengths of these columns."""
    return _wrapped(f"strlen({name})" for name in DIGESTS)


def digest_names() -> str:
    """Return the names of all columns that hold digests, quoted."""
    return _wrapped(f"'{name}'" for name in ("em", "ph", *DIGESTS))


# docs/events.md


def documentation() -> str:
    """Return the table of match fields."""
    head = "| field | names | v3 | v2 | from the person's other events |\n|---|---|---|---|---|"
    return "\n".join([head, *map(_documented, MATCH_FIELDS)])


def comma_separated(lines: Iterable[str], *, end: str = "") -> str:
    """Return one line an item, with a comma after all but the last, which ends with `end`."""
    return ",\n".join(lines) + end


def _wrapped(names: Iterable[str]) -> str:
    return "\n".join(wrap(", ".join(names), LINE_LENGTH))


def _alternatives(names: Iterable[str]) -> str:
    """Return lines of SQL that add alternatives to a pattern."""
    lines = wrap(" ".join(f"|{name}" for name in names), LINE_LENGTH - 10)
    return "\n".join(f"|| '{line.replace(' ', '')}'" for line in lines)


def _fields() -> Iterable[tuple[str, bool, tuple[str, ...]]]:
    """Return the column, whether it is a list, and the names of all that a line may give under any name."""
    for field in MATCH_FIELDS:
        yield field.column, field.is_list, (*field.keys, *field.spellings)
    for column, names in OTHER_NAMES.items():
        yield column, False, names


def _spelt(name: str) -> set[str]:
    """Return the usual ways of writing a name of one or more words."""
    words = name.strip("_").split("_")
    titles = "".join(word.capitalize() for word in words)
    return {name, name.upper(), "".join(words), titles, titles[0].lower() + titles[1:]}


def _common_names() -> set[str]:
    usual = {key for field in MATCH_FIELDS for key in (*field.keys, *field.trait_keys)}
    return {key.removeprefix("address.") for key in usual}


def _landed_column(field: MatchField) -> str:
    spelled = f"spelled.{field.column}"
    # The guard leaves out the traits of another person.
    traits = [
        f"case when {condition} then {path} end" if condition else path
        for place, condition in TRAIT_PLACES.items()
        for path in (_quoted(f"{place}.{key}") for key in field.trait_keys)
    ]
    if field.trait_keys or field.is_list:
        # A line's words are from all places.
        usual = comma_separated(f"            {path}" for path in (*field.keys, *traits))
        usual = f"coalesce(\n{usual}\n        )" if traits else field.keys[0]
        value = f"case\n        when words is not null then {spelled}\n        else {usual}\n    end"
        value = f"texts_of(\n    {value}\n)" if field.is_list else value.replace("\n    ", "\n")
    else:
        paths = (spelled, *field.keys, *field.elsewhere)
        value = f"coalesce({', '.join(paths)})" if len(paths) > 1 else spelled
    return f"{value} as {field.column}"


def _quoted(path: str) -> str:
    """Quote the last name of a path where DuckDB would otherwise ignore its case."""
    *places, key = path.split(".")
    return ".".join([*places, key if key == key.lower() else f'"{key}"'])


def _type(field: MatchField) -> str:
    return "JSON" if field.is_list else "VARCHAR"


def _has_kind(field: MatchField) -> str:
    return "emails_number is not null" if field.payload == "em" else f"has_kind(kinds, '{field.payload}')"


def _profile_value(field: MatchField) -> str:
    if field.payload == "sc_cookie1":
        return "cookie_values.sc_cookie1"
    separator = "chr(31)" if field.payload == "external_id" else "','"
    value = f"resolved_values.{field.payload}"
    return f"string_split({value}, {separator})" if field.is_list else value


def _shown(field: MatchField, paths: list[str]) -> list[str]:
    """Return the names of a field, each once though it may be spelled in several ways."""
    names: dict[str, str] = {}
    for name in (*field.keys, *paths, *field.spellings):
        names.setdefault(name.replace("_", "").lower(), name)
    return list(names.values())


def _documented(field: MatchField) -> str:
    paths = [path.replace('"', "") for path in field.elsewhere]
    names = ", ".join(f"`{name}`" for name in _shown(field, paths))
    v3 = f"`{field.v3}`{', hashed' if field.is_hashed else ''}"
    v2 = f"`{field.v2}`{', hashed' if field.is_hashed or field.v2_column else ''}" if field.v2 else "–"
    return (
        f"| {field.label} | {names} | {v3} | {v2} | {'yes' if field.is_linked or field.v3 == 'sc_click_id' else 'no'} |"
    )
