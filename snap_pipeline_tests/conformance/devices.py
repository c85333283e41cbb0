"""Devices of app events: platform, tracking permission, store ids, extinfo, limited use (snap-api.md, section 3.7)."""

from typing import Any

from snap_pipeline_tests.conformance.channels import APP_EVENT, DEVICE, IDFA, IDFV, SLOTS, UNKNOWN_DEVICE, V2_APP, app
from snap_pipeline_tests.conformance.rows import ANDROID_APP, EVENT, IOS_APP, Row, sha

PROPERTIES = EVENT["properties"]
LIMITED_V2 = {"data_use": "['lmu']"}
UNASKED = {key: value for key, value in DEVICE.items() if key != "adTrackingEnabled"}


def plain(title: str, tracking: int, slot: str, app_id: str | None, /, *, v2: dict[str, Any] | None = None,
          user: dict[str, Any] | None = None, extinfo: dict[int, str] | None = None, dropped: tuple[str, ...] = (),
          **event: Any) -> Row:  # fmt: skip
    """Return a row of the usual purchase, made in an app, whose event says more of the device.

    Args:
        title: of the row.
        tracking: the expected permission.
        slot: the expected version of extinfo, which names the platform.
        app_id: the expected id in the store.
        v2: keys of v2 that differ.
        user: keys of v3's user_data that differ.
        extinfo: the expected slots that are filled, besides the first.
        dropped: kinds of values that cannot be used.
        event: keys that differ.
    """
    slots = [slot, *[""] * 15]
    for place, text in (extinfo or {}).items():
        slots[place] = text
    data = {"advertiser_tracking_enabled": tracking, "extinfo": slots} | ({"app_id": app_id} if app_id else {})
    status = {"att_status": "authorized" if tracking else "denied"} if slot == "i2" else {}
    return Row(title, {"action_source": "app"} | event, root={"action_source": "MOBILE_APP", "app_data": data},
               user=user or {}, v2=V2_APP | {"app_id": app_id} | status | (v2 or {}),
               undeliverable={} if app_id else {"v2": "no_store_app_id"}, dropped=dropped)  # fmt: skip


def ios(title: str, tracking: int, /, **event: Any) -> Row:
    """Return a row of an event that names iOS by its column."""
    return plain(title, tracking, "i2", IOS_APP, os_name="iOS", **event)


def android(title: str, tracking: int, /, **event: Any) -> Row:
    """Return a row of an event that names Android by its column."""
    return plain(title, tracking, "a2", ANDROID_APP, os_name="Android", **event)


APPLE_CLIENT = {"client_user_agent": "Shop/421 CFNetwork/1568.100.1 Darwin/24.1.0"}
ANDROID_CLIENT = {"client_user_agent": "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9)"}

ROWS = [
    # Platform
    *(plain(f"os.name {name} is Apple's", 0, "i2", IOS_APP, context={"os": {"name": name}})
      for name in ("iOS", "ios", "iPadOS", "iPhone OS", "tvOS", "visionOS", "iOS 18.1")),
    *(plain(f"os.name {name} is Android", 1, "a2", ANDROID_APP, context={"os": {"name": name}})
      for name in ("Android", "android", "Android OS", "Android 15")),
    *(plain(f"device.type {name}", tracking, slot, app_id, context={"device": {"type": name}})
      for name, tracking, slot, app_id in (("ios", 0, "i2", IOS_APP), ("iPad", 0, "i2", IOS_APP),
                                           ("android", 1, "a2", ANDROID_APP))),
    plain("os.name wins over device.type", 1, "a2", ANDROID_APP,
          context={"os": {"name": "Android"}, "device": {"type": "ios"}}),
    plain("a type that is no platform leaves it to the user agent", 0, "i2", IOS_APP,
          context={"device": {"type": "mobile"}}, user_agent=APPLE_CLIENT["client_user_agent"], user=APPLE_CLIENT,
          v2={"user_agent": APPLE_CLIENT["client_user_agent"]}),
    plain("Android's marks in the user agent", 1, "a2", ANDROID_APP,
          user_agent=ANDROID_CLIENT["client_user_agent"], user=ANDROID_CLIENT,
          v2={"user_agent": ANDROID_CLIENT["client_user_agent"]}),
    plain("an identifier for vendors is Apple's", 0, "i2", IOS_APP, idfv=IDFV, user={"idfv": IDFV},
          v2={"hashed_idfv": sha(IDFV)}),
    plain("a device of type ios has an identifier for vendors", 0, "i2", IOS_APP,
          context={"device": {"type": "ios", "id": IDFV}}, user={"idfv": IDFV}, v2={"hashed_idfv": sha(IDFV)}),
    plain("a device id of Android is none", 1, "a2", ANDROID_APP, context={"device": {"type": "android", "id": IDFV}}),
    *(Row(f"{name} is neither: no permission is invented, and no id of a store",
          {"action_source": "app", "context": {"os": {"name": name}}},
          root={"action_source": "MOBILE_APP", "app_data": UNKNOWN_DEVICE}, v2=V2_APP,
          undeliverable={"v2": "no_store_app_id"})
      for name in ("Windows", "webOS", "KaiOS 3", "macOS")),
    plain("an answer counts where the platform is unknown", 1, "", None, ad_tracking_enabled="true"),
    # Tracking permission
    *(app(f"attTrackingStatus {status!r}", {"device": UNASKED | {"attTrackingStatus": status}}, tracking, {}, {})
      for status, tracking in ((0, 0), (1, 0), (2, 0), (3, 1), ("3", 1), ("2", 0))),
    *(app(f"trackingStatus {status}", {"device": UNASKED | {"trackingStatus": status}}, tracking, {}, {})
      for status, tracking in (("authorized", 1), ("denied", 0), ("restricted", 0), ("notDetermined", 0))),
    app("the stricter counts: trackingStatus denied beside adTrackingEnabled",
        {"device": DEVICE | {"trackingStatus": "denied"}}, 0, {}, {}),
    app("the stricter counts: authorized beside adTrackingEnabled false",
        {"device": DEVICE | {"adTrackingEnabled": False, "attTrackingStatus": 3}}, 0, {}, {}),
    *(ios(f"column att_status {status!r}", tracking, att_status=status)
      for status, tracking in (("authorized", 1), ("AUTHORIZED", 1), ("denied", 0), ("not_determined", 0),
                               ("restricted", 0), ("3", 1), (2, 0), (3.0, 1),
                               ("ATTrackingManagerAuthorizationStatusAuthorized", 1))),
    *(ios(f"{key} among the properties", 1, properties=PROPERTIES | {key: "authorized"})
      for key in ("att_status", "attStatus", "attTrackingStatus")),
    *(ios(f"{key} {answer} among the properties", tracking, properties=PROPERTIES | {key: answer})
      for key, answer, tracking in (("advertiser_tracking_enabled", 1, 1), ("advertiser_tracking_enabled", False, 0),
                                    ("ad_tracking_enabled", "yes", 1), ("adTrackingEnabled", True, 1))),
    android("Android permits", 1),
    android("Android, advertiser_tracking_enabled 0", 0, advertiser_tracking_enabled=0),
    android("Android, refused in version 3's own form", 0, app_data={"advertiser_tracking_enabled": False}),
    plain("an ad id of zeros is an opt-out on Android", 0, "a2", ANDROID_APP, os_name="Android",
          advertising_id="00000000-0000-0000-0000-000000000000", dropped=("advertising_id",)),
    # Store ids
    plain("the event's own number of the App Store", 0, "i2", "1234567890", os_name="iOS", app_id="1234567890"),
    plain("also as id…, among the properties", 0, "i2", "1234567890", os_name="iOS",
          properties=PROPERTIES | {"app_id": "id1234567890"}),
    plain("the event's own package", 1, "a2", "com.example.other", os_name="Android", app_id="com.example.other"),
    plain("in version 3's own form", 1, "a2", "com.example.other", os_name="Android",
          app_data={"app_id": "com.example.other"}),
    plain("an app whose platform is unknown, with its id", 0, "", "com.example.other", app_id="com.example.other"),
    # extinfo
    app("the time zone's abbreviation is that of the day", {"timezone": "Europe/Berlin"}, 1, {}, {},
        [*SLOTS[:7], "CET", *SLOTS[8:15], "Europe/Berlin"]),
    app("a time zone without an abbreviation", {"timezone": "America/Sao_Paulo"}, 1, {}, {},
        [*SLOTS[:7], "GMT-3", *SLOTS[8:15], "America/Sao_Paulo"]),
    app("a time zone with minutes", {"timezone": "Asia/Kathmandu"}, 1, {}, {},
        [*SLOTS[:7], "GMT+5:45", *SLOTS[8:15], "Asia/Kathmandu"]),
    app("a time zone that does not exist has no abbreviation", {"timezone": "Mars/Olympus"}, 1, {}, {},
        [*SLOTS[:7], "", *SLOTS[8:15], "Mars/Olympus"]),
    app("a time zone of no place", {"timezone": "UTC"}, 1, {}, {}, [*SLOTS[:7], "UTC", *SLOTS[8:15], "UTC"]),
    app("processors and storage", {}, 1, {}, {}, [*SLOTS[:12], "6", "128", "8", "Europe/London"],
        properties=APP_EVENT["properties"] | {"cpu_cores": 6, "storage": 128, "free_storage": 8}),
    plain("columns of the device", 1, "a2", ANDROID_APP, os_name="Android", os_version="15", device_model="Pixel 9",
          extinfo={4: "15", 5: "Pixel 9"}, v2={"os_version": "15", "device_model": "Pixel 9"}),
    plain("the device among the properties", 1, "a2", ANDROID_APP, extinfo={4: "15", 5: "Pixel 9"},
          v2={"os_version": "15", "device_model": "Pixel 9"},
          properties=PROPERTIES | {"os_name": "Android", "os_version": 15, "device_model": "Pixel 9"}),
    # Limited use
    *(Row(f"{key} {wish!r} asks for limited use", {key: wish}, root={"data_processing_options": ["LMU"]}, v2=LIMITED_V2)
      for key, wish in (("data_processing_options", ["LMU"]), ("data_processing_options", "['lmu']"),
                        ("data_processing_options", "LDU"), ("data_processing_options", ["LDU"]),
                        ("data_processing_options", True), ("dataProcessingOptions", ["LDU"]),
                        ("data_use", "['lmu']"), ("data_use", ["lmu"]), ("data_use", "lmu"))),
    *(Row(f"{key} among the properties", {"properties": PROPERTIES | {key: ["LMU"]}},
          root={"data_processing_options": ["LMU"]}, v2=LIMITED_V2)
      for key in ("data_processing_options", "dataProcessingOptions", "data_use")),
    *(Row(f"{key} for Segment's destination",
          {"integrations": {"All": True, "Snap Conversions API": {key: "['lmu']"}}},
          root={"data_processing_options": ["LMU"]}, v2=LIMITED_V2)
      for key in ("data_processing_options", "data_use")),
    Row("options of another integration are none of ours", {"integrations": {"Facebook": {"data_use": "lmu"}}}),
    *(Row(f"data_processing_options {wish!r} asks for nothing", {"data_processing_options": wish})
      for wish in ([], "[]", "", None, False, 0)),
    Row("options that cannot be read are counted", {"data_processing_options": "ABC"},
        dropped=("data_processing_options",)),
    app("an app's event asks for limited use, which refuses tracking", {}, 0, {}, LIMITED_V2, options=["LMU"],
        data_processing_options=["LMU"]),
    Row("no platform, and an ad id of Apple's form is none", {"action_source": "app", "advertising_id": IDFA},
        root={"action_source": "MOBILE_APP", "app_data": UNKNOWN_DEVICE}, user={"madid": IDFA.lower()},
        v2=V2_APP | {"hashed_mobile_ad_id": sha(IDFA.lower())}, undeliverable={"v2": "no_store_app_id"}),
    app("a bundle id is no number of the App Store", {}, 1, {}, {}, dropped=("app_id",), app_id="com.example.shop"),
    app("a status that cannot be read is counted", {"device": UNASKED | {"trackingStatus": "maybe"}}, 0, {}, {},
        dropped=("att_status",)),
    app("an answer that cannot be read is counted", {"device": DEVICE | {"adTrackingEnabled": "perhaps"}}, 0, {}, {},
        dropped=("ad_tracking_enabled",)),
    # Of several answers, in whichever place
    ios("a status of the device that denies wins over an authorization of the event", 0, att_status="authorized",
        context={"device": {"attTrackingStatus": 2}}),
    ios("a trackingStatus that denies wins over attTrackingStatus", 0,
        context={"device": {"attTrackingStatus": 3, "trackingStatus": "denied"}}),
    ios("a status among the properties that denies wins over the device's", 0,
        properties=PROPERTIES | {"att_status": "denied"}, context={"device": {"attTrackingStatus": 3}}),
    ios("a flag of the device that denies wins over the event's", 0, advertiser_tracking_enabled=1,
        context={"device": {"adTrackingEnabled": False}}),
    ios("a flag among the properties that denies wins over the device's", 0,
        properties=PROPERTIES | {"adTrackingEnabled": "no"}, context={"device": {"adTrackingEnabled": True}}),
    ios("several answers that permit", 1, att_status=3, advertiser_tracking_enabled="true",
        context={"device": {"attTrackingStatus": "authorized", "adTrackingEnabled": True}}),
]  # fmt: skip
