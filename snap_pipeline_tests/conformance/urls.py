"""The source URL and the removal of plaintext from it (docs/events.md)."""

from snap_pipeline_tests.conformance.rows import Row


def page(title: str, given: str | None, expected: str | None, workspace: str = "default") -> Row:
    """Return a row that differs in its page."""
    return Row(
        title,
        {"page_url": given},
        root={"event_source_url": expected},
        v2={"page_url": expected},
        workspace=workspace,
    )


SHOP = "https://shop.example.com"

ROWS = [
    page("a query stays", f"{SHOP}/p?id=7&utm_source=snapchat", f"{SHOP}/p?id=7&utm_source=snapchat"),
    page("the fragment goes", f"{SHOP}/p?id=7#reviews", f"{SHOP}/p?id=7"),
    page("an e-mail address under any name", f"{SHOP}/p?u=ann@example.com&id=7", f"{SHOP}/p?u=&id=7"),
    page("an e-mail address, percent-encoded", f"{SHOP}/p?u=ann%40example.com", f"{SHOP}/p?u="),
    page("what stands under email", f"{SHOP}/p?email=ann&id=7", f"{SHOP}/p?email=&id=7"),
    page("a phone number", f"{SHOP}/p?tel=%2B448444124653&id=7", f"{SHOP}/p?tel=&id=7"),
    page(
        "an e-mail address whose domain is of another script",
        f"{SHOP}/p?u=ann%40%D0%B0.%D1%80%D1%84&id=7",
        f"{SHOP}/p?u=&id=7",
    ),
    page("an e-mail address after a stray @", f"{SHOP}/?@a@b.de", f"{SHOP}/?"),
    page("a handle that is an e-mail address", f"{SHOP}/@ann@mastodon.example/7", f"{SHOP}//7"),
    page("a handle stays", f"{SHOP}/@brand", f"{SHOP}/@brand"),
    page("an e-mail address with a full-width sign", f"{SHOP}/p?u=ann\uff20example.com&id=7", f"{SHOP}/p?u=&id=7"),
    page("an e-mail address, encoded twice", f"{SHOP}/p?u=ann%2540example.com", f"{SHOP}/p?u="),
    page("a phone number with + in the path", f"{SHOP}/call/+448444124653", f"{SHOP}/call/"),
    page("digits without + stay", f"{SHOP}/p?order=00448444124653", f"{SHOP}/p?order=00448444124653"),
    page("a user name and a password", "https://ann:secret@shop.example.com/p", f"{SHOP}/p"),
    page("what is no address of the web", "app://home", None),
    page("no page", None, None),
    page("the workspace's site where the event has no page", None, "https://shop.example.co.uk/", workspace="britain"),
    page("letters of another script stay", f"{SHOP}/кофе?x=1", f"{SHOP}/кофе?x=1"),
]
