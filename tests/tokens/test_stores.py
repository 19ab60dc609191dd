"""Every store follows the protocol; each has its own strictness."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from openpayments_facade.errors import ConfigurationError
from openpayments_facade.tokens import MemoryStore, TokenStore, stores
from openpayments_facade.tokens.stores import open_store
from openpayments_facade.tokens.stores.file import FileStore
from openpayments_facade.tokens.stores.redis import RedisStore

NewStore = Callable[..., TokenStore]
posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


@pytest.fixture(params=["memory", "file", "redis"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewStore]:
    opened: list[RedisStore] = []
    memory = MemoryStore(patience=0.05)
    url = request.getfixturevalue("valkey_url") if request.param == "redis" else ""

    def new() -> TokenStore:
        if request.param == "memory":
            return memory
        if request.param == "file":
            return FileStore(tmp_path / "cache" / "tokens", patience=0.05)
        opened.append(RedisStore(url, lock_life=0.05))
        return opened[-1]

    yield new
    for store in opened:
        store.close()


# what all stores do


def test_a_value_is_kept_for_others_to_find(new_store: NewStore) -> None:
    ours, theirs = new_store(), new_store()
    assert theirs.get("a") is None
    ours.set("a", "1", 60)
    ours.set("b", "\N{SNOWMAN}", 60)
    assert (theirs.get("a"), theirs.get("b"), theirs.get("c")) == ("1", "\N{SNOWMAN}", None)
    theirs.set("a", "2", 60)
    assert ours.get("a") == "2"


def test_a_value_whose_time_is_over_is_gone(new_store: NewStore) -> None:
    store = new_store()
    store.set("a", "1", 0.001)
    store.set("b", "2", 60)
    threading.Event().wait(0.02)
    assert (store.get("a"), store.get("b")) == (None, "2")


def test_one_at_a_time_is_inside_the_lock(new_store: NewStore) -> None:
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        store = new_store()
        for _ in range(20):
            try:
                with store.lock("a"):
                    inside.append(number)
                    most.append(len(inside))
                    inside.remove(number)
                    return
            except TimeoutError:
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(8)))
    assert most == [1] * 8


def test_who_cannot_have_the_lock_is_told(new_store: NewStore) -> None:
    holder, other = new_store(), new_store()
    if isinstance(holder, RedisStore):
        holder._lock_life = 10
    with holder.lock("a"):
        with other.lock("b"):
            pass
        with pytest.raises(TimeoutError), other.lock("a"):
            pass
    with other.lock("a"):
        pass


def test_an_exception_inside_sets_the_lock_free(new_store: NewStore) -> None:
    with pytest.raises(KeyError), new_store().lock("a"):
        raise KeyError
    with new_store().lock("a"):
        pass


# redis


def test_a_lock_in_redis_ends_with_its_life(valkey_url: str) -> None:
    holder, other = RedisStore(valkey_url, lock_life=0.05), RedisStore(valkey_url, lock_life=5)
    with holder.lock("a"), other.lock("a"):  # the holder took too long
        pass
    holder.close()
    other.close()


def test_foreign_contents_of_redis_are_not_values(valkey_url: str) -> None:
    store = RedisStore(valkey_url)
    with redis.Redis.from_url(valkey_url) as client:
        client.rpush("openpayments:token:a", "x")
        client.set("openpayments:token:b", b"\xff\xfe")
    assert store.get("a") == ""
    assert store.get("b") == "\N{REPLACEMENT CHARACTER}" * 2
    store.set("a", "1", 60)
    assert store.get("a") == "1"
    store.close()


def test_other_complaints_of_redis_are_handed_on(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        client.acl_setuser("stranger", enabled=True, nopass=True, commands=["+ping"])
        stranger = RedisStore(redis.Redis.from_url(valkey_url, username="stranger", password=""))
        with pytest.raises(redis.ResponseError, match="no permissions"):
            stranger.get("a")
        stranger.close()
        client.acl_deluser("stranger")


def test_a_client_of_the_users_own(valkey_url: str) -> None:
    for decode in (False, True):
        with redis.Redis.from_url(valkey_url, decode_responses=decode) as client:
            store = RedisStore(client)
            store.set("a", "1", 60)
            assert store.get("a") == "1"


# files


@posix
def test_a_file_is_the_owners_alone(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        store = FileStore(tmp_path / "deep" / "cache" / "tokens")
        store.set("a", "1", 60)
        with store.lock("a"):
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "deep" / "cache").iterdir()}
    finally:
        os.umask(previous)
    assert set(modes.values()) == {0o600}
    assert "tokens" in modes
    assert stat.S_IMODE((tmp_path / "deep" / "cache").stat().st_mode) == 0o700


@posix
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o644])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "tokens"
    store = FileStore(path)
    store.set("a", "1", 60)
    path.chmod(mode)
    with pytest.raises(PermissionError, match="chmod 600"):
        store.get("a")
    with pytest.raises(PermissionError, match="chmod 600"):
        store.set("a", "2", 60)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        open_store(f"file:{path}")


@posix
def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    for name in ("", "fifo"):
        with pytest.raises((PermissionError, IsADirectoryError)):
            FileStore(tmp_path / name)


@posix
def test_a_folder_in_the_files_place_costs_no_descriptor(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "tokens")
    (tmp_path / "tokens").mkdir()

    def lowest_free() -> int:
        descriptor = os.open(tmp_path, os.O_RDONLY)
        os.close(descriptor)
        return descriptor

    before = lowest_free()
    for _ in range(3):
        with pytest.raises(PermissionError, match="is not a file"):
            store.get("a")
    assert lowest_free() == before


@posix
def test_a_link_to_a_file_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real" / "tokens")
    for store in (FileStore(link), FileStore(link)):  # first there is no file yet
        store.set("a", "1", 60)
        assert link.is_symlink()
        assert FileStore(tmp_path / "real" / "tokens").get("a") == "1"
        with store.lock("a"), pytest.raises(TimeoutError):
            FileStore(tmp_path / "real" / "tokens", patience=0).lock("a").acquire()


@posix
@pytest.mark.parametrize("linked", ["tokens", "folder/tokens"])
def test_a_link_of_another_user_leads_to_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: str) -> None:
    victim = tmp_path / "home" / "tokens"
    victim.parent.mkdir()
    victim.write_text("precious")
    victim.chmod(0o600)
    link = tmp_path / Path(linked).parts[0]
    link.symlink_to(victim if link.name == "tokens" else victim.parent)
    if os.geteuid() == 0:
        os.lchown(link, 54321, 54321)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ConfigurationError, match="is a link that belongs to another user"):
        open_store(f"file:{tmp_path / linked}")
    assert victim.read_text() == "precious"


@posix
def test_a_link_that_is_planted_later_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o600)
    store = FileStore(tmp_path / "tokens")
    (tmp_path / "tokens").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        store.set("a", "1", 60)
    (tmp_path / "tokens").unlink()
    (tmp_path / "tokens.a.lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"), store.lock("a"):
        pass
    assert victim.read_text() == "precious"


@posix
def test_a_link_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokens").symlink_to(tmp_path / "tokens")
    with pytest.raises(ConfigurationError, match="can't be opened"):
        open_store(f"file:{tmp_path}/tokens")


@posix
def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FileStore(tmp_path / "tokens").set("a", "1", 60)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(PermissionError, match="another user"):
        FileStore(tmp_path / "tokens")


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"entries": {"a": {"value": "1", "until": 9e9}}}',
        b'{"format": "openpayments-tokens-1", "entries": []}',
    ],
)
def test_a_file_that_is_not_ours_counts_as_empty_and_is_overwritten(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(content)
    path.chmod(0o600)
    store = FileStore(path)
    assert store.get("a") is None
    store.set("a", "1", 60)
    assert sum("not a token file of this SDK" in text for text in caplog.messages) == 1
    assert store.get("a") == "1"


@pytest.mark.parametrize("entry", [None, [], {}, {"value": 1, "until": 9e9}, {"value": "1", "until": "tomorrow"}])
def test_entries_that_are_not_ours_are_dropped(tmp_path: Path, entry: object) -> None:
    path = tmp_path / "tokens"
    path.write_text(json.dumps({"format": "openpayments-tokens-1", "entries": {"a": entry}}))
    path.chmod(0o600)
    store = FileStore(path)
    assert store.get("a") is None
    store.set("b", "1", 60)
    assert list(json.loads(path.read_text())["entries"]) == ["b"]


def test_an_empty_file_is_fine(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tokens"
    path.touch(0o600)
    assert FileStore(path).get("a") is None
    assert not caplog.records


def test_entries_whose_time_is_over_leave_the_file(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "tokens")
    store.set("old", "1", 0.001)
    store.set("kept", "2", 60)
    threading.Event().wait(0.02)
    store.set("new", "3", 60)
    assert set(json.loads((tmp_path / "tokens").read_text())["entries"]) == {"kept", "new"}


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore(tmp_path / "tokens")
    store.set("a", "1", 60)

    def full(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(json, "dump", full)
        with pytest.raises(OSError, match="no space left"):
            store.set("a", "2", 60)
    assert store.get("a") == "1"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".tokens.")]


# the setting


def test_memory_is_what_a_process_shares_anyway() -> None:
    assert open_store(None) is None
    assert open_store("memory") is None


def test_a_name_is_one_store_for_all_clients(tmp_path: Path, valkey_url: str) -> None:
    for name in (f"file:{tmp_path}/tokens", valkey_url):
        store = open_store(name)
        assert store is not None
        assert open_store(name) is store
        assert isinstance(store, TokenStore)
    own = MemoryStore()
    assert open_store(own) is own


def test_threads_that_open_a_name_get_one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = FileStore._read

    def slow(store: FileStore, **_: object) -> object:
        threading.Event().wait(0.01)  # the others are on their way by then
        return read(store)

    monkeypatch.setattr(FileStore, "_read", slow)
    with ThreadPoolExecutor(16) as pool:
        opened = list(pool.map(open_store, [f"file:{tmp_path}/tokens"] * 16))
    assert len(set(map(id, opened))) == 1


@pytest.mark.parametrize(
    "name",
    [
        *("", "disk", "file", "file:", "http://u:passw0rd@host", "u:passw0rd@host:6379", "//u:passw0rd@host"),
        *("redis", "redis:passw0rd@host", "redis://u:passw0rd@host:port", 5, {}),
    ],
)
def test_what_names_no_store(name: object) -> None:
    with pytest.raises(ConfigurationError, match="the_argument") as raised:
        open_store(name, argument="the_argument")
    assert "passw0rd" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(("name", "module", "extra"), [("file:x", "filelock", "file"), ("redis://x", "redis", "redis")])
def test_a_missing_extra_is_named(name: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"openpayments_facade.tokens.stores.{extra}")
    with pytest.raises(ConfigurationError, match=rf"needs {module}: pip install {module} \(the extra {extra}\)"):
        open_store(name)


def test_stores_are_loaded_when_they_are_named() -> None:
    assert stores.FileStore is FileStore
    assert stores.RedisStore is RedisStore
    with pytest.raises(AttributeError):
        stores.NoStore  # noqa: B018


def test_nothing_is_logged_by_a_store_that_works(new_store: NewStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "openpayments_facade")
    store = new_store()
    store.set("a", "1", 60)
    assert store.get("a") == "1"
    assert not [record for record in caplog.records if record.name.startswith("openpayments")]
