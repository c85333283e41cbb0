"""Descriptions of the columns of the hourly tables, for Dagster's UI.

A column that means the same in several tables is described once. Match fields take their words from the registry.
"""

from collections.abc import Mapping

from snap_pipeline.lake.match_fields import MATCH_FIELDS, MatchField
from snap_pipeline.lake.storage import Table

AS_LANDED = (Table.RAW_EVENTS, Table.FILTERED_EVENTS)
"""The tables whose match fields are as they landed; in the others they are normalized and hashed."""

COLUMNS: Mapping[str, str] = {
    # Where an event comes from
    "workspace": "The workspace (site) that the row belongs to.",
    "source_file": "Path of the landed file within the landing zone.",
    "line_number": "Line of the file, from 1; empty where the whole file could not be read.",
    "landed_row": "Position of the event in the hour's raw_events, from 0.",
    "call_type": "Type of the call in the Segment spec: track, page, screen, identify, group or alias.",
    # The event
    "event_id": "Id of the event, by which Snap removes copies; a digest of the line where the event has none.",
    "event_name": "Name of the event; from conversion_payloads on, Snap's name or the custom name that is sent.",
    "event_time": "When the event happened, in UTC.",
    "has_time": "Whether the event gave a time, readable or not.",
    "channel": "Channel as the tracker gives it, such as web, mobile or server.",
    "origin": "Origin as a first-party events table gives it, such as mobile_app.",
    "action_source": "Where the conversion happened, as the event itself says.",
    "property_channel": "Channel or origin among the event's properties.",
    "page_url": "Address of the page, as it landed.",
    "properties": "The event's properties, as they landed.",
    "consent": "Every consent that the event gives, in one form.",
    "data_processing": "Data processing options or data use that the event gives, which may ask for limited use.",
    "placeholder_ids": "Kinds of ids that were left out because they stand for nobody, such as `null` or `unknown`.",
    "is_forgotten": "Whether `snap-pipeline forget` emptied the event.",
    "reason": "Why the row is here: why the line could not be read, the event is excluded, or Snap rejected it.",
    # The person
    "anonymous_id": "Id of the browser or device; a pseudonym in identity_links.",
    "user_id": "Id of the person at the site, after login.",
    "previous_id": "Id that an alias call replaces by the user id.",
    "subject_number": "Number of the person, or of the device of somebody unknown, that identity resolution found.",
    "linked_click_id": "Click id from an earlier event of the person, within the attribution window.",
    "device_number": "Number of the anonymous id; of the person where there is no anonymous id.",
    "person_number": "Number of the person; empty for signals without a user id.",
    "alias_number": "Number of the id that an alias call replaces; empty in all other rows.",
    "person": "The person's id as it is sent; empty for signals without a user id.",
    "first_seen_at": "Time of the first event of the row, in UTC.",
    "last_seen_at": "Time of the last event of the row, in UTC.",
    "clicks": "Click ids with the times at which they were first seen.",
    "choices": "Choices of advertising consent with their times.",
    "emails_number": "Digest of the hashed e-mail addresses as a number, for fast comparison.",
    "kinds": "Bit mask of the match fields that the row has, so that identity resolution reads no others.",
    # The device and the app
    "ad_tracking_enabled": "The device's advertising setting; the strictest where it is given more than once.",
    "att_status": "Answer to Apple's App Tracking Transparency; the strictest where it is given more than once.",
    "device_model": "Model of the device.",
    "device_type": "Type of the device, such as ios or android.",
    "os_name": "Name of the operating system.",
    "os_version": "Version of the operating system.",
    "app_id": "Id of the app in its store, or its package name.",
    "app_namespace": "Package name or bundle id of the app.",
    "app_version": "Version of the app.",
    "app_build": "Build number of the app.",
    "has_app_context": "Whether the event describes an app or device, and no page.",
    "locale": "Language and region of the device, such as de-DE.",
    "timezone": "Time zone of the device, such as Europe/Berlin.",
    "carrier": "Mobile network of the device.",
    "screen_width": "Width of the screen.",
    "screen_height": "Height of the screen.",
    "screen_density": "Pixel density of the screen.",
    "is_ios": "Whether the device runs iOS; empty where that is unknown, or the platform is neither iOS nor Android.",
    "advertiser_tracking_enabled": "Whether the app's user permits tracking; only for app events.",
    "extinfo": "The 16 values about the device that Snap asks for in app events, in Snap's order.",
    # The order
    "value": "Value of the conversion; as it landed in raw_events and filtered_events, from then on a number.",
    "price": "Price as it landed.",
    "quantity": "Quantity as it landed.",
    "currency": "Currency as it landed; from conversion_payloads on, its ISO 4217 code.",
    "order_id": "Id of the order or transaction.",
    "item_ids": "Ids of the products, from the event's own keys.",
    "number_items": "Number of items, from the event's own keys.",
    "item_category": "Category of the product, from the event's own keys.",
    "brands": "Brands of the products.",
    "order_statuses": "States of the order and its payment, which tell canceled, unpaid and test orders.",
    "contents": "The items, each with id, quantity, price, brand and delivery category.",
    "content_ids": "Ids of the items, each once.",
    "content_category": "Category of the items.",
    "content_name": "Name of the page or product.",
    "content_type": "product or product_group.",
    "num_items": "Number of items.",
    "search_string": "What the visitor searched for.",
    "sign_up_method": "How the visitor signed up.",
    "predicted_ltv": "Predicted lifetime value of the customer.",
    "status": "Status of the registration, order or search.",
    "customer_status": "Whether the customer is new or returning.",
    "travel": "Dates, places and guests of a booking, as the members of a JSON object.",
    "description": "Description of the event; sent by v2 only.",
    "level": "Level in a game; sent by v2 only.",
    # What becomes of the event
    "snap_event_name": "Snap's name of the event, or the custom name under which it is sent.",
    "conversion_type": "WEB, MOBILE_APP or OFFLINE: where the conversion happened.",
    "limited_use": "Whether Snap may measure the event but not use it for personalization (LMU).",
    "event_source_url": "Address of the page without personal data.",
    "event_tag": "Tag that the advertiser gives the event.",
    "country_code": "ISO 3166 code of the person's country, not hashed.",
    "region_code": "Code of the person's state or region, not hashed.",
    "dropped": "Names of given values that could not be used.",
    "plaintext": "Columns in which personal data was found that is not hashed; such events are never sent.",
    "linked": "Names of the parameters that the conversion got from other events of the person.",
    # Counts of parameters
    "parameter": "A parameter of the Conversions API; ip_and_user_agent is the pair.",
    "events": "Number of events.",
    "present": "How many of the conversions carry the parameter.",
    # Delivery
    "destination_id": "Id of the destination.",
    "batch_id": "Digest of the destination and the ids of the events in the batch.",
    "request_id": "Id of the HTTP request.",
    "attempt": "1 for the first attempt to send the batch.",
    "attempts": "Number of HTTP requests with the batch.",
    "bytes": "Size of the body in bytes.",
    "sent_at": "When the request was sent, in UTC.",
    "first_sent_at": "When the batch was first sent, in UTC.",
    "last_sent_at": "When the batch was last sent, in UTC.",
    "acknowledged_at": "When Snap's answer arrived, in UTC.",
    "latency_ms": "Milliseconds until the answer to the last request; empty without an answer.",
    "waited_ms": "Milliseconds spent waiting for the rate limit.",
    "http_status": "HTTP status of the last answer; empty without an answer.",
    "category": "Outcome of the last request, such as accepted or throttled.",
    "message": "Snap's reason, or what went wrong.",
    "outcome": "delivered or rejected.",
    "delivered": "Events of the batch that Snap took.",
    "rejected": "Events of the batch that Snap refused.",
}
"""Descriptions by column, for columns that are no match fields."""

DIFFERENT: Mapping[tuple[Table, str], str] = {
    (Table.FILTERED_EVENTS, "linked"): "Match fields that other events of the person give, normalized and hashed.",
    (Table.PARAMETER_COMPLETENESS, "linked"): (
        "How many conversions got the parameter from another event of the person."
    ),
}
"""Descriptions of columns that mean something else in one table than in the others."""


def column_descriptions(table: Table) -> Mapping[str, str]:
    """Return the descriptions of the columns that a table may have, by column."""
    own = {column: text for (of, column), text in DIFFERENT.items() if of is table}
    return {**COLUMNS, **_match_fields(table), **own}


def _match_fields(table: Table) -> Mapping[str, str]:
    if table in AS_LANDED:
        return {
            field.column: f"{field.label} as it landed{', all values given' if field.is_list else ''}."
            for field in MATCH_FIELDS
        }
    newest = " The newest of the period." if table is Table.IDENTITY_LINKS else ""
    return {column: f"{text}{newest}" for field in MATCH_FIELDS for column, text in _sent_columns(field).items()}


def _sent_columns(field: MatchField) -> Mapping[str, str]:
    """Describe the columns that a match field is sent from."""
    apart = bool(field.v2_column)
    keys = [f"v3 `{field.v3}`"] if field.v3 else []
    keys += [f"v2 `{field.v2}`"] if field.v2 and not apart else []
    how = "normalized, as SHA-256" if field.is_hashed else "normalized"
    columns = {field.v2_column: f"{field.label}, as v2 hashes it. Sent as v2 `{field.v2}`."} if apart else {}
    return columns | {field.payload: f"{field.label}, {how}. Sent as {', '.join(keys)}."}
