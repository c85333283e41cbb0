"""WEB, MOBILE_APP and OFFLINE; app_data and its 16 slots (snap-api.md, sections 3.3, 3.7 and 7)."""

from typing import Any

from snap_pipeline_tests.conformance.rows import APP, BROWSER, IOS_APP, IP, NOON_MS, PAGE, PIXEL, Row, sha

IDFA = "65A509BA-227C-49AC-91EC-DE6817E63B10"
IDFV = "d0e1f2a3-0000-4111-8222-93948596a7b8"
IPHONE: dict[str, Any] = {
    "ip": IP,
    "userAgent": "Shop/4.2 (iPhone; iOS 18.1)",
    "device": {"advertisingId": IDFA, "id": IDFV, "model": "iPhone16,2", "type": "ios", "adTrackingEnabled": True},
    "os": {"name": "iOS", "version": "18.1"},
    "app": {"namespace": "com.example.shop", "version": "4.2", "build": "421", "name": "Shop"},
    "locale": "en-GB",
    "timezone": "Europe/London",
    "network": {"carrier": "EE"},
    "screen": {"width": 1179, "height": 2556, "density": 3},
}
SLOTS = ["i2", "com.example.shop", "421", "4.2", "18.1", "iPhone16,2", "en-GB", "GMT", "EE", "1179", "2556", "3", "",
         "", "", "Europe/London"]  # fmt: skip
APP_EVENT = {"type": "track", "event": "Order Completed", "timestamp": "2026-11-20T12:00:00Z", "context": IPHONE,
             "properties": {"revenue": 5, "currency": "EUR", "order_id": "a-1"}}  # fmt: skip
APP_ROOT = {
    "event_name": "PURCHASE",
    "event_time": NOON_MS,
    "action_source": "MOBILE_APP",
    "app_data": {"advertiser_tracking_enabled": 1, "app_id": IOS_APP, "extinfo": SLOTS},
}
APP_USER = {
    "client_ip_address": IP,
    "client_user_agent": "Shop/4.2 (iPhone; iOS 18.1)",
    "madid": IDFA.lower(),
    "idfv": IDFV,
}
APP_CUSTOM = {"value": 5.0, "currency": "EUR", "order_id": "a-1"}
APP_V2 = {
    "snap_app_id": APP,
    "app_id": IOS_APP,
    "event_type": "PURCHASE",
    "event_conversion_type": "MOBILE_APP",
    "timestamp": str(NOON_MS),
    "hashed_ip_address": sha(IP),
    "user_agent": "Shop/4.2 (iPhone; iOS 18.1)",
    "hashed_mobile_ad_id": sha(IDFA.lower()),
    "hashed_idfv": sha(IDFV),
    "price": "5.0",
    "currency": "EUR",
    "transaction_id": "a-1",
    "os_version": "18.1",
    "device_model": "iPhone16,2",
    "att_status": "authorized",
}
UNKNOWN_DEVICE = {"advertiser_tracking_enabled": 0, "extinfo": [""] * 16}
V2_APP = {"event_conversion_type": "MOBILE_APP", "pixel_id": None, "snap_app_id": APP}


def app(title: str, context: dict[str, Any], tracking: int, user: dict[str, Any], v2: dict[str, Any],
        slots: list[str] = SLOTS, *, dropped: tuple[str, ...] = (), options: list[str] | None = None,
        **event: Any) -> Row:  # fmt: skip
    """Return a row of the iPhone app, with parts of its context changed."""
    root = APP_ROOT | {"app_data": APP_ROOT["app_data"] | {"advertiser_tracking_enabled": tracking, "extinfo": slots}}
    root |= {"data_processing_options": options}
    v2 = {"att_status": "authorized" if tracking else "denied"} | v2
    return Row(title, APP_EVENT | {"context": IPHONE | context} | event, root=root, user=APP_USER | user,
               custom=APP_CUSTOM, v2=APP_V2 | v2, whole=True, dropped=dropped)  # fmt: skip


NO_AD_ID = {"madid": None}, {"hashed_mobile_ad_id": None}
DEVICE = IPHONE["device"]

ROWS = [
    app("an iPhone app, all of it", {}, 1, {}, {}),
    app("tracking refused", {"device": DEVICE | {"adTrackingEnabled": False}}, 0, {}, {}),
    app("tracking not asked for counts as refused on iOS",
        {"device": {k: v for k, v in DEVICE.items() if k != "adTrackingEnabled"}}, 0, {}, {}),
    app("an ad id of zeros is nobody's",
        {"device": DEVICE | {"advertisingId": "00000000-0000-0000-0000-000000000000"}}, 1, *NO_AD_ID,
        dropped=("advertising_id",)),
    app("no ad id", {"device": {k: v for k, v in DEVICE.items() if k != "advertisingId"}}, 1, *NO_AD_ID),
    app("unknown slots are empty", {"network": {}, "screen": {}, "locale": None, "timezone": None}, 1, {}, {},
        ["i2", "com.example.shop", "421", "4.2", "18.1", "iPhone16,2", *[""] * 10]),
    app("limited use in an app is a refusal of tracking", {"consent": {"gpc": True}}, 0, {},
        {"data_use": "['lmu']"}, options=["LMU"]),
    Row("an Android app",
        APP_EVENT | {"context": IPHONE | {
            "device": {"advertisingId": "38400000-8cf0-11bd-b23e-10b96e40000d", "model": "Pixel 9", "type": "android"},
            "os": {"name": "Android", "version": "15"}}},
        root=APP_ROOT | {"app_data": {"advertiser_tracking_enabled": 1, "app_id": "com.example.shop",
                                      "extinfo": ["a2", *SLOTS[1:4], "15", "Pixel 9", *SLOTS[6:]]}},
        user=APP_USER | {"madid": "38400000-8cf0-11bd-b23e-10b96e40000d", "idfv": None},
        custom=APP_CUSTOM,
        v2=APP_V2 | {"hashed_mobile_ad_id": sha("38400000-8cf0-11bd-b23e-10b96e40000d"), "hashed_idfv": None,
                     "app_id": "com.example.shop", "os_version": "15", "device_model": "Pixel 9", "att_status": None},
        whole=True),
    Row("a screen call is a page view in the app",
        APP_EVENT | {"type": "screen", "event": None, "name": "Home", "properties": {}},
        root=APP_ROOT | {"event_name": "PAGE_VIEW"}, user=APP_USER, custom={},
        v2={k: v for k, v in APP_V2.items() if k not in ("price", "currency", "transaction_id")}
        | {"event_type": "PAGE_VIEW"}, whole=True),
    Row("an app's event without a name of the store cannot go to v2 (snap-api.md, section 2.2)",
        {"origin": "mobile_app", "page_url": None},
        root={"action_source": "MOBILE_APP", "event_source_url": None, "app_data": UNKNOWN_DEVICE},
        v2=V2_APP | {"page_url": None},
        undeliverable={"v2": "no_store_app_id"}),
    Row("a web view inside an app that has a page is WEB",
        {"type": "track", "event": "Order Completed", "timestamp": "2026-11-20T12:00:00Z",
         "context": {"ip": IP, "userAgent": BROWSER, "page": {"url": "https://shop.example.com/thanks"},
                     "device": {"type": "ios", "advertisingId": IDFA}},
         "properties": {"revenue": 5, "currency": "EUR", "order_id": "a-1"}},
        root={"event_name": "PURCHASE", "event_time": NOON_MS, "action_source": "WEB",
              "event_source_url": "https://shop.example.com/thanks"},
        user={"client_ip_address": IP, "client_user_agent": BROWSER}, custom=APP_CUSTOM,
        v2={"pixel_id": PIXEL, "event_type": "PURCHASE", "event_conversion_type": "WEB", "timestamp": str(NOON_MS),
            "hashed_ip_address": sha(IP), "user_agent": BROWSER, "page_url": "https://shop.example.com/thanks",
            "price": "5.0", "currency": "EUR", "transaction_id": "a-1"}, whole=True),
    Row("channel mobile is MOBILE_APP, and an app's page goes out", {"channel": "mobile"},
        root={"action_source": "MOBILE_APP", "app_data": UNKNOWN_DEVICE},
        v2=V2_APP,
        undeliverable={"v2": "no_store_app_id"}),
    Row("a link into the app is no page", {"channel": "mobile", "page_url": "shop://thanks"},
        root={"action_source": "MOBILE_APP", "event_source_url": None, "app_data": UNKNOWN_DEVICE},
        v2=V2_APP | {"page_url": None},
        undeliverable={"v2": "no_store_app_id"}),
    Row("an uploaded CSV is OFFLINE, under the pixel, and without a page", {"origin": "csv", "page_url": None},
        root={"action_source": "OFFLINE", "event_source_url": None},
        v2={"event_conversion_type": "OFFLINE", "page_url": None}),
    Row("an order paid on delivery is OFFLINE, and its page goes out", {"origin": "cod_webhook"},
        root={"action_source": "OFFLINE", "event_source_url": PAGE},
        v2={"event_conversion_type": "OFFLINE", "page_url": PAGE}),
    Row("an offline event without a page has none of the site", {"origin": "csv", "page_url": None},
        root={"action_source": "OFFLINE", "event_source_url": None},
        v2={"event_conversion_type": "OFFLINE", "page_url": None}, workspace="britain"),
    Row("an ad id on the web does not go out", {"advertising_id": IDFA, "idfv": IDFV}),
    Row("event_id in properties stays out of custom_data",
        {"properties": {"value": 12.5, "currency": "EUR", "order_id": "o-1", "event_id": "elsewhere"}}),
]  # fmt: skip
