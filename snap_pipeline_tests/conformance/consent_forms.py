"""Consent in the forms of consent tools, of Google and of the IAB (docs/identity.md)."""

from typing import Any

from snap_pipeline_tests.conformance.rows import EVENT, Row

LIMITED: dict[str, Any] = {"root": {"data_processing_options": ["LMU"]}, "v2": {"data_use": "['lmu']"}}
DENIED: dict[str, Any] = {"excluded": "consent_denied"}
GRANTED: dict[str, Any] = {"workspace": "strict"}
"""The workspace excludes unknown consent, so that an event that is sent was granted."""
UNKNOWN: dict[str, Any] = {"workspace": "strict", "excluded": "consent_unknown"}

TC_ALL, TC_NONE = "CQBMywAQBMywAAHABBENEsEgAP_AAAAAAAYgAAAAAAAA", "CQBMywAQBMywAAHABBENEsEgAAAAAAAAAAYgAAAAAAAA"
TC_NOT_7, TC_NOT_3 = "CQBMywAQBMywAAHABBENEsEgAP3AAAAAAAYgAAAAAAAA", "CQBMywAQBMywAAHABBENEsEgANIAAAAAAAYgAAAAAAAA"
TC_NOT_4, TC_NOT_1 = "CQBMywAQBMywAAHABBENEsEgAOIAAAAAAAYgAAAAAAAA", "CQBMywAQBMywAAHABBENEsEgADIAAAAAAAYgAAAAAAAA"
TC_NOT_2_5 = "CQBMywAQBMywAAHABBENEsEgALIAAAAAAAYgAAAAAAAA"
TC_DATA = {
    "tcfPolicyVersion": 4,
    "gdprApplies": True,
    "eventStatus": "useractioncomplete",
    "cmpId": 7,
    "purpose": {
        "consents": {"1": True, "2": True, "3": True, "4": False, "7": True},
        "legitimateInterests": {"2": False},
    },
    "vendor": {"consents": {"1": False, "3": False}},
    "publisher": {"consents": {"1": False}},
}


def rudderstack(allowed: list[str] | None, denied: list[str] | None, provider: str = "oneTrust") -> dict[str, Any]:
    """Return an event as RudderStack's SDKs send it."""
    lists = {
        "allowedConsentIds": allowed,
        "deniedConsentIds": denied,
        "provider": provider,
        "resolutionStrategy": "and",
    }
    management = {key: value for key, value in lists.items() if value is not None}
    return {
        "type": "track",
        "event": "Order Completed",
        "event_name": None,
        "context": {"consentManagement": management},
    }


def below_properties(**keys: Any) -> dict[str, Any]:
    """Return an event with further properties."""
    return {"properties": EVENT["properties"] | keys}


ROWS = [
    Row("RudderStack: advertising denied", rudderstack(["C0001", "C0002"], ["C0003", "C0004"]), **DENIED),
    Row("RudderStack: everything allowed", rudderstack(["C0001", "C0004"], []), **GRANTED),
    Row("RudderStack: the list of denied ids is left out", rudderstack(["C0001", "C0002"], None), **DENIED),
    Row("RudderStack: nothing is about advertising", rudderstack(["analytics"], ["functional"], "custom"), **UNKNOWN),
    Row("RudderStack: an own name of a purpose", rudderstack(["analytics"], ["Marketing"], "custom"), **DENIED),
    Row("RudderStack: iubenda's purpose 5 is marketing", rudderstack(["1", "4"], ["5"], "iubenda"), **DENIED),
    Row("RudderStack: a denial beside a grant",
        {"consent": {"advertising": True}, "context": {"consentManagement": {"deniedConsentIds": ["advertising"]}}},
        **DENIED),
    Row("RudderStack: as JSON text",
        {"context": {"consentManagement": '{"allowedConsentIds":["C0001"],"deniedConsentIds":["C0004"]}'}}, **DENIED),
    Row("Didomi: a purpose is disabled",
        {"consent": {"purposes": {"consent": {"enabled": ["cookies"], "disabled": ["create_ads_profile"]}}}}, **DENIED),
    Row("Didomi: all purposes are enabled, a vendor is not",
        {"consent": {
            "purposes": {"consent": {"enabled": ["cookies", "create_ads_profile"], "disabled": []}},
            "vendors": {"consent": {"enabled": [], "disabled": ["google"]}},
        }}, **GRANTED),
    Row("Didomi: the status of each purpose",
        {"consent": {"purposes": {"measure_ad_performance": {"id": "measure_ad_performance", "enabled": False}}}},
        **DENIED),
    Row("Didomi: purposes in a list",
        {"consent": {"purposes": [{"id": "cookies", "enabled": True}, {"id": "advertising", "enabled": False}]}},
        **DENIED),
    Row("Didomi: what it pushes to the data layer",
        {"properties": {**EVENT["properties"], "didomiPurposesConsent": "cookies,analytics,",
                        "didomiPurposesConsentDenied": "select_personalized_ads,"}}, **DENIED),
    Row("mParticle: not consented", {"consent_state": {"gdpr": {"Marketing": {
        "consented": False, "timestamp_unixtime_ms": 1795176000000, "document": "v3"}}}}, **DENIED),
    Row("mParticle: consented", {"consent": {"gdpr": {"marketing": {"consented": True}}}}, **GRANTED),
    Row("mParticle: an opt-out of sale", {"consent": {"ccpa": {"data_sale_opt_out": {"consented": True}}}}, **LIMITED),
    Row("OneTrust: active groups without advertising", {"OnetrustActiveGroups": ",C0001,C0002,"}, **DENIED),
    Row("OneTrust: active groups with advertising", {"OnetrustActiveGroups": ",C0001,C0004,"}, **GRANTED),
    Row("OneTrust: active groups as the whole consent", {"consent": ",C0001,C0003,"}, **DENIED),
    Row("OneTrust: active groups in the context", {"context": {"consent": "C0001,C0002,C0004"}}, **GRANTED),
    Row("OneTrust: active groups in a list", {"consent": {"activeGroups": ["C0001", "C0002"]}}, **DENIED),
    Row("OneTrust: active groups by number", {"OptanonActiveGroups": ",1,2,3,"}, **DENIED),
    Row("OneTrust: groups as text, all of the consent", {"consent": "C0001:1,C0004:0"}, **DENIED),
    Row("OneTrust: its cookie", {"consent": {"OptanonConsent":
        "isGpcEnabled=0&datestamp=Fri+Nov+20+2026&groups=C0001%3A1%2CC0004%3A0&geolocation=DE"}}, **DENIED),
    Row("a list of accepted categories", {"consent": {"acceptedCategories": ["necessary", "analytics"]}}, **DENIED),
    Row("a list of rejected categories", {"consent": {"rejectedCategories": ["ads"]}}, **DENIED),
    Row("purposes as a list of objects",
        {"consent": [{"purpose": "analytics", "granted": True}, {"purpose": "marketing", "granted": False}]}, **DENIED),
    Row("Google: ad_storage denied in gcs", {"gcs": "G101"}, **DENIED),
    Row("Google: ad_storage granted in gcs", {"gcs": "G110"}, **GRANTED),
    Row("Google: nothing is set in gcs", {"gcs": "G1--"}, **UNKNOWN),
    Row("Google: ad_user_data denied by default in gcd", {"gcd": "11t1t1p1t5"}, **DENIED),
    Row("Google: ad_storage denied by an update in gcd", {"gcd": "13m3n3n3n5"}, **DENIED),
    Row("Google: everything granted in gcd", {"gcd": "13r3r3r3r5"}, **GRANTED),
    Row("Google: ad_personalization denied in gcd", {"gcd": "13v3v3v3u5"}, **LIMITED),
    Row("Google: nothing is set in gcd", {"gcd": "11l1l1l1l1"}, **UNKNOWN),
    Row("Google: the stricter of gcs and gcd", {"consent": {"gcs": "G111", "gcd": "13r3r3q3r5"}}, **DENIED),
    Row("Google: consent mode in columns", {"ad_storage": "granted", "ad_user_data": "denied"}, **DENIED),
    Row("Google: consent mode below a key of properties",
        below_properties(consent_mode={"ad_storage": "denied"}), **DENIED),
    Row("TC string: no purpose", {"tc_string": TC_NONE}, **DENIED),
    Row("TC string: all purposes", {"tcString": TC_ALL}, **GRANTED),
    Row("TC string: without purpose 1", {"consent": {"tcString": TC_NOT_1}}, **DENIED),
    Row("TC string: without purpose 3", {"context": {"consent": {"tc_string": TC_NOT_3}}}, **DENIED),
    Row("TC string: without purpose 4", {"euconsent-v2": TC_NOT_4}, **DENIED),
    Row("TC string: without purpose 7", {"gdpr_consent": TC_NOT_7}, **DENIED),
    Row("TC string: without purpose 2", {"tc_string": TC_NOT_2_5}, **GRANTED),
    Row("TC string: with segments of vendors and publisher", {"tc_string": f"{TC_NONE}.YAAAAAAAAAA.QAAA"}, **DENIED),
    Row("TC string: the whole consent", {"consent": TC_NONE}, **DENIED),
    Row("TC string: in an object that is JSON text", {"consent": f'{{"tcString": "{TC_NONE}"}}'}, **DENIED),
    Row("TC string: a denial beside a grant", {"consent": {"marketing": True}, "tc_string": TC_NONE}, **DENIED),
    Row("TC data: purpose 4 refused", {"consent": TC_DATA}, **DENIED),
    Row("TC data: below another key", {"context": {"consent": {"tcData": TC_DATA}}}, **DENIED),
    Row("TC data: vendors and publisher are not asked",
        {"consent": TC_DATA | {"purpose": {"consents": {"1": True, "3": True, "4": True, "7": True}}}}, **GRANTED),
    Row("US privacy: sale opted out, as a column", {"us_privacy": "1YYN"}, **LIMITED),
    Row("US privacy: under another name", {"consent": {"uspString": "1NYN"}}, **LIMITED),
    Row("US privacy: not applicable", {"usp": "1---", "consent": {"ads": True}}, **GRANTED),
    Row("GPP: TC string without a purpose", {"gpp": f"DBABMA~{TC_NONE}"}, **DENIED),
    Row("GPP: TC string with all purposes, and no opt-out of sale",
        {"gpp_string": f"DBACNYA~{TC_ALL}~1YNN"}, **GRANTED),
    Row("GPP: TC string with all purposes, and an opt-out of sale", {"gpp": f"DBACNYA~{TC_ALL}~1YYN"}, **LIMITED),
    Row("GPP: national, sale opted out", {"gpp_string": "DBABLA~BVVkAAAAAAA.QA"}, **LIMITED),
    Row("GPP: national, targeted advertising opted out",
        {"consent": {"gppString": "DBABLA~BVVpAAAAAAA.QA"}}, **LIMITED),
    Row("GPP: national, nothing opted out", {"gpp": "DBABLA~BVVqAAAAAAA.QA", "consent": {"ads": True}}, **GRANTED),
    Row("GPP: national, Global Privacy Control", {"gpp": "DBABLA~BVVqAAAAAAA.YA"}, **LIMITED),
    Row("GPP: California, sharing opted out", {"gpp": "DBABBgA~BUkAAAAA.QA"}, **LIMITED),
    Row("GPP: California, nothing opted out", {"gpp": "DBABBgA~BUoAAAAA.QA", "consent": {"ads": True}}, **GRANTED),
    Row("GPP: parsed sections",
        {"consent": {"parsedSections": {"usnat": {"Version": 1, "SaleOptOut": 1, "SharingOptOut": 2}}}}, **LIMITED),
    Row("GPP: an unknown section", {"gpp": "DBABD~BAAAAAAAAAA"}, **UNKNOWN),
    Row("a string that is none", {"tc_string": "to be filled in"}, **UNKNOWN),
    Row("an own key of a purpose in a flat column does not count", {"targeting": "denied"}),
    Row("a minus one is no yes", {"consent": {"marketing": -1}}, **UNKNOWN),
    Row("a key that is given twice",
        {"consent": '{"marketing": "yes", "marketing": "no"}'}, **DENIED),
    Row("a refusal in other words", {"consent": {"Marketing Cookies": "Not Granted"}}, **DENIED),
    Row("a refusal below the purpose", {"consent": {"marketing": {"opted_out": True}}}, **DENIED),
    Row("a consent object among the properties", below_properties(consent={"marketing": "no"}), **DENIED),
    Row("gcs among the properties", below_properties(gcs="G101"), **DENIED),
    Row("US privacy among the properties", below_properties(us_privacy="1YYN"), **LIMITED),
    Row("consent mode among the properties", below_properties(ad_storage="denied"), **DENIED),
    Row("OneTrust's groups among the properties", below_properties(OnetrustActiveGroups=",C0001,C0003,"), **DENIED),
    Row("OneTrust's cookie as a column", {"OptanonConsent": "groups=C0001:1,C0002:0,C0004:0&v=1"}, **DENIED),
    Row("a refused purpose alone, as text", {"consent": {"didomiPurposesConsentDenied": "advertising"}}, **DENIED),
    Row("a granted purpose alone, as text: the others are refused", {"consent": "essential"}, **DENIED),
    Row("a granted purpose alone, as text: advertising", {"consent": {"allowed": "marketing"}}, **GRANTED),
    Row("an advertising consent as a column", {"ad_consent": "denied"}, **DENIED),
    Row("a consent that is given or not, as a column", {"consentGiven": False}, **DENIED),
    Row("all refused, in a word", {"consent": "Reject all"}, **DENIED),
    Row("all accepted, in a word", {"consent": "accept_all"}, **GRANTED),
]  # fmt: skip
