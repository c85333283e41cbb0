"""`workspaces.toml`: valid files, and errors that name file, table and key."""

from pathlib import Path

import pytest

from snap_pipeline.errors import SettingsError
from snap_pipeline.workspaces import Workspace, load_workspaces
from snap_pipeline_tests.project import PIXEL_ID, Project


def test_without_a_file_there_is_one_workspace(tmp_path: Path) -> None:
    assert load_workspaces(tmp_path / "workspaces.toml") == {"default": Workspace(name="default")}


def test_each_table_is_a_workspace(tmp_path: Path) -> None:
    file = tmp_path / "workspaces.toml"
    file.write_text('[shop]\nsite_url = "https://shop.example.com/"\ndefault_currency = "EUR"\n[blog]\n')
    assert load_workspaces(file) == {
        "shop": Workspace(name="shop", site_url="https://shop.example.com/", default_currency="EUR"),
        "blog": Workspace(name="blog"),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[shop]\nx y", ("not valid TOML", "line 2")),
        ("", ("names no workspace",)),
        ('shop = "x"', ("shop is not a table",)),
        ('[shop]\ncurrency = "EUR"', ("[shop] currency", "unknown key", "default_currency")),
        ('[shop]\nname = "blog"', ("[shop] name", "unknown key")),
        ('[shop]\ndefault_currency = "euro"', ("[shop] default_currency", "ISO 4217")),
        ("[shop]\ndefault_calling_code = 49", ("[shop] default_calling_code", '"49"')),
        ('[shop]\nsite_url = "shop.example.com"', ("[shop] site_url", "https://")),
        ('[shop]\nunknown_consent = "maybe"', ("[shop] unknown_consent", "'send', 'limited' or 'exclude'")),
        ("[shop]\nclick_window_days = 0", ("[shop] click_window_days", "greater than or equal to 1")),
        ("[shop]\nmax_devices_per_person = 2147483648", ("[shop] max_devices_per_person", "equal to 1000000")),
        ('["a/b"]', ("[a/b] name", "letters, digits")),
        ('["x\' or 1=1"]', ("name", "letters, digits")),
    ],
)
def test_an_error_names_file_table_and_key(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    file = tmp_path / "workspaces.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_workspaces(file)
    for word in (str(file), *words):
        assert word in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "workspaces.toml").mkdir()
    with pytest.raises(SettingsError, match=r"workspaces\.toml cannot be read"):
        load_workspaces(tmp_path / "workspaces.toml")


def test_a_destination_of_a_workspace_that_went_is_neither_seen_nor_sent_to(project: Project) -> None:
    file = project.settings.home / "workspaces.toml"
    file.write_text("[shop]\n[blog]\n")
    project.reopen()
    project.add_destination(workspace="blog")
    file.write_text("[shop]\n")
    project.reopen()
    assert project.pipeline.destinations.list() == []
    file.write_text("[shop]\n[blog]\n")
    project.reopen()
    assert [each.pixel_id for each in project.pipeline.destinations.list()] == [PIXEL_ID]
