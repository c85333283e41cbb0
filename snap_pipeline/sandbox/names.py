"""The names that Snap's API accepts: event names, currencies, action sources (docs/snap-api.md, sections 3.3, 3.6, 4).

The rules that use them are in `event_rules.py`.
"""

from collections.abc import Mapping

EVENT_NAMES = frozenset(
    """
    PAGE_VIEW VIEW_CONTENT LIST_VIEW SEARCH ADD_CART ADD_TO_WISHLIST START_CHECKOUT ADD_BILLING PURCHASE SIGN_UP LOGIN
    SUBSCRIBE START_TRIAL SAVE SHARE INVITE RATE RESERVE AD_CLICK AD_VIEW COMPLETE_TUTORIAL LEVEL_COMPLETE
    ACHIEVEMENT_UNLOCKED SPENT_CREDITS APP_INSTALL APP_OPEN CUSTOM_EVENT_1 CUSTOM_EVENT_2 CUSTOM_EVENT_3
    CUSTOM_EVENT_4 CUSTOM_EVENT_5
    """.split()  # noqa: SIM905 - a page of one-word lines reads worse
)

CURRENCIES = frozenset(
    """
    AED ALL AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK DZD EGP EUR GBP GHS GIP HKD HRK HUF IDR ILS INR IQD ISK JOD
    JPY KES KRW KWD KZT LBP MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD TZS UAH
    USD VND XOF ZAR
    """.split()  # noqa: SIM905 - as above
)

WEB = "WEB"
MOBILE_APP = "MOBILE_APP"
OFFLINE = "OFFLINE"

ACTION_SOURCES: Mapping[str, str] = {
    "WEB": WEB,
    "WEBSITE": WEB,
    "MOBILE_APP": MOBILE_APP,
    "APP": MOBILE_APP,
    "OFFLINE": OFFLINE,
    "PHYSICAL_STORE": OFFLINE,
    "PHONE_CALL": OFFLINE,
    "PHONE": OFFLINE,
    "EMAIL": OFFLINE,
    "CHAT": OFFLINE,
    "SYSTEM_GENERATED": OFFLINE,
}
"""The action source of each accepted name, in upper case; Snap ignores case."""
