import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.notices import NotForUs, Notice
from paidshare.receiving.fastio_events import Kind, from_fastio

AT = 1_795_300_000


def read(event: Any, *, signed_at: int = AT) -> Notice | NotForUs:
    return from_fastio(json.dumps(event).encode(), signed_at=signed_at)


class TestShapes:
    @pytest.mark.parametrize(
        ("event", "notice"),
        [
            (
                # `event_type` + `data` + `id`.
                {
                    "event_type": "file.uploaded",
                    "data": {"file_id": "f3jm5-zqzfx", "workspace_id": "1234567890123456789", "timestamp": AT},
                    "id": "evt_abc123",
                },
                Notice("fastio", "evt_abc123", "file_added", "f3jm5-zqzfx", datetime.fromtimestamp(AT, UTC)),
            ),
            (
                # `event_id` + `event` + `created`.
                {
                    "event_id": "e-1",
                    "event": "workspace_storage_file_updated",
                    "created": AT,
                    "workspace_id": "1234567890123456789",
                    "object_id": "f3jm5-zqzfx",
                },
                Notice("fastio", "e-1", "file_changed", "f3jm5-zqzfx", datetime.fromtimestamp(AT, UTC)),
            ),
        ],
    )
    def test_a_shape_with_an_id_is_read_whole(self, event: Any, notice: Notice) -> None:
        assert read(event) == notice

    def test_the_shape_with_a_type_alone_is_read_with_a_digest_of_the_signed_bytes_for_an_id(self) -> None:
        body = b'{"type": "share.created"}'
        notice = from_fastio(body, signed_at=AT)
        assert isinstance(notice, Notice)
        assert notice.event_id == "sha256:" + hashlib.sha256(b"%d.%b" % (AT, body)).hexdigest()
        assert (notice.why, notice.about) == ("share_created", "unknown")

    def test_without_an_id_the_same_request_is_a_repeat_and_the_same_news_sent_anew_is_not(self) -> None:
        first, again, anew = (read({"type": "share.created"}, signed_at=at) for at in (AT, AT, AT + 60))
        assert isinstance(first, Notice)
        assert isinstance(anew, Notice)
        assert first == again
        assert first.key != anew.key


class TestKinds:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            # As Fast.io's articles on webhooks have them …
            ("file.uploaded", Kind.FILE_ADDED),
            ("file.modified", Kind.FILE_CHANGED),
            ("file.accessed", Kind.FILE_OPENED),
            ("workspace.member_added", Kind.MEMBER_ADDED),
            ("workspace.created", Kind.WORKSPACE_CREATED),
            ("share.created", Kind.SHARE_CREATED),
            ("upload.completed", Kind.UPLOAD_FINISHED),
            # … and as its events API has them.
            ("workspace_storage_file_added", Kind.FILE_ADDED),
            ("share_storage_file_added", Kind.FILE_ADDED),
            ("workspace_storage_file_updated", Kind.FILE_CHANGED),
            ("workspace_storage_file_copied", Kind.FILE_ADDED),
            ("workspace_storage_file_moved", Kind.FILE_ADDED),
            ("share_storage_file_restored", Kind.FILE_ADDED),
            ("workspace_storage_file_version_restored", Kind.FILE_CHANGED),
            ("file_share_content_updated", Kind.FILE_CHANGED),
            ("workspace_storage_zip_downloaded", Kind.FILE_OPENED),
            ("share_storage_download_token_created", Kind.FILE_OPENED),
            ("share_storage_zip_downloaded", Kind.FILE_OPENED),
            ("added_member_to_share", Kind.MEMBER_ADDED),
            ("workspace_created", Kind.WORKSPACE_CREATED),
            ("share_created", Kind.SHARE_CREATED),
        ],
    )
    def test_both_families_of_names_mean_our_own_few_kinds(self, name: str, kind: Kind) -> None:
        for key in ("event_type", "type", "event"):
            notice = read({key: name, "id": "e"})
            assert isinstance(notice, Notice)
            assert notice.why == kind

    def test_an_unknown_kind_is_not_for_us_and_named(self) -> None:
        assert read({"type": "moon.full", "id": "e"}) == NotForUs("unknown_kind", "moon.full")
        # That an upload has ended is no event of the API's: the file is added.
        assert read({"type": "upload_completed", "id": "e"}) == NotForUs("unknown_kind", "upload_completed")


class TestBadInput:
    @pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b"{}"])
    def test_what_is_no_object_is_not_for_us(self, body: bytes) -> None:
        assert from_fastio(body, signed_at=AT) == NotForUs("no_json_object")

    @given(
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)
        | st.dictionaries(
            st.sampled_from(["event_type", "type", "event", "id", "event_id", "data", "created", "object_id"]),
            st.sampled_from(["file.uploaded", "share_created", "\udc80", "x" * 999, "é", ""])
            | st.integers()
            | st.none()
            | st.lists(st.integers(), max_size=2)
            | st.dictionaries(st.sampled_from(["file_id", "timestamp"]), st.integers() | st.text(max_size=3)),
        )
    )
    def test_nothing_raises_and_a_notice_always_fits_the_queue(self, event: Any) -> None:
        notice = read(event)
        if isinstance(notice, Notice):
            assert notice.source == "fastio"
            assert 0 < len(notice.event_id) <= 255
            assert 0 < len(notice.about) <= 255
            assert notice.event_id.isascii()
