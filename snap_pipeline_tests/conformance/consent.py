"""Consent and limited use on the wire (reference, section 7; design, section 5)."""

from typing import Any

from snap_pipeline_tests.conformance.rows import Row

LIMITED: dict[str, Any] = {"root": {"data_processing_options": ["LMU"]}, "v2": {"data_use": "['lmu']"}}

ROWS = [
    Row("marketing denied", {"consent": {"marketing": False, "analytics": True}}, excluded="consent_denied"),
    Row("marketing granted", {"consent": {"marketing": True}}),
    Row("Segment's categoryPreferences denied",
        {"type": "track", "event": "Order Completed", "event_name": None,
         "context": {"consent": {"categoryPreferences": {"Advertising": False}}}}, excluded="consent_denied"),
    Row("Google's ad_storage denied", {"consent": {"ad_storage": "denied", "ad_user_data": "granted"}},
        excluded="consent_denied"),
    Row("Google's ad_user_data denied", {"consent": {"ad_storage": "granted", "ad_user_data": "denied"}},
        excluded="consent_denied"),
    Row("OneTrust's C0004 denied", {"consent": {"C0001": "1", "C0004": "0"}}, excluded="consent_denied"),
    Row("consent as JSON text", {"consent": '{"ads": "no"}'}, excluded="consent_denied"),
    Row("OneTrust's groups below a key", {"consent": {"groups": {"C0001": "1", "C0004": "0"}}},
        excluded="consent_denied"),
    Row("OneTrust's groups as text", {"consent": {"groups": "C0001:1,C0004:0"}}, excluded="consent_denied"),
    Row("an empty consent hides none in the context",
        {"consent": {}, "context": {"consent": {"categoryPreferences": {"Advertising": False}}}},
        excluded="consent_denied"),
    Row("preferences in snake case, as JSON text",
        {"consent": {"category_preferences": '{"advertising": false}'}}, excluded="consent_denied"),
    Row("a no in another word", {"consent": {"marketing": " Opt-Out "}}, excluded="consent_denied"),
    Row("a yes that was withdrawn", {"consent": {"marketing": "withdrawn"}}, excluded="consent_denied"),
    Row("ad_personalization denied is limited use",
        {"consent": {"ad_storage": "granted", "ad_user_data": "granted", "ad_personalization": "denied"}}, **LIMITED),
    Row("us_privacy with Y in third place is limited use", {"consent": {"us_privacy": "1YYN"}}, **LIMITED),
    Row("us_privacy with N in third place is not", {"consent": {"us_privacy": "1YNN"}}),
    Row("gpc is limited use", {"consent": {"gpc": True}}, **LIMITED),
    Row("limited", {"consent": {"limited": True}}, **LIMITED),
    Row("denied wins over limited", {"consent": {"marketing": False, "gpc": True}}, excluded="consent_denied"),
    Row("purposes that mean no advertising say nothing", {"consent": {"analytics": False}}),
    Row("unknown, and the workspace sends", {"consent": {}}),
    Row("unknown, and the workspace excludes", {}, workspace="strict", excluded="consent_unknown"),
    Row("unknown, and the workspace limits", {}, workspace="careful", **LIMITED),
    Row("granted, and the workspace limits the unknown", {"consent": {"ads": True}}, workspace="careful"),
]  # fmt: skip
