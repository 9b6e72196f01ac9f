import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.delivering import catalog
from paidshare.delivering.errors import MetadataBroken
from paidshare.orders import Goods
from tests.builders import a_line

OURS = {"fastio_workspace": "shop", "fastio_files": "f3a-1"}


def goods(metadata: dict[str, str], *, default_link_days: int = 7) -> Goods:
    return catalog.goods(a_line(metadata=metadata), default_link_days=default_link_days)


class TestGoods:
    @pytest.mark.parametrize(
        ("metadata", "workspace", "nodes", "link_days"),
        [
            # The least that a seller has to say.
            (OURS, "shop", ("f3a-1",), 7),
            (OURS | {"fastio_link_days": "30"}, "shop", ("f3a-1",), 30),
            # Left empty in Stripe's form: the shop's own.
            (OURS | {"fastio_link_days": " "}, "shop", ("f3a-1",), 7),
            # Both ends of what is allowed.
            (OURS | {"fastio_link_days": "1"}, "shop", ("f3a-1",), 1),
            (OURS | {"fastio_link_days": "3650"}, "shop", ("f3a-1",), 3650),
            # A workspace by its id.
            (OURS | {"fastio_workspace": "4816234908723461823"}, "4816234908723461823", ("f3a-1",), 7),
            # As people type lists: spaces, a comma at the end.
            (OURS | {"fastio_files": " f3a-1 , f3a-2 ,"}, "shop", ("f3a-1", "f3a-2"), 7),
            # Named twice, delivered once, in the order of the first.
            (OURS | {"fastio_files": "b,a,b"}, "shop", ("b", "a"), 7),
            # Another program's metadata is nobody's business here.
            (OURS | {"sku": "FR-1", "note": ""}, "shop", ("f3a-1",), 7),
        ],
    )
    def test_metadata_says_what_is_delivered(
        self, metadata: dict[str, str], workspace: str, nodes: tuple[str, ...], link_days: int
    ) -> None:
        assert goods(metadata) == Goods(
            product_name="Field Recordings",
            workspace=workspace,
            nodes=nodes,
            link_days=link_days,
            product_id=a_line().product_id,
        )

    @pytest.mark.parametrize("metadata", [{}, {"sku": "FR-1"}, {"Fastio_Files": "f3a-1"}])
    def test_a_product_with_none_of_the_three_fields_is_not_ours(self, metadata: dict[str, str]) -> None:
        assert not catalog.is_ours(a_line(metadata=metadata))

    @pytest.mark.parametrize("field", ["fastio_workspace", "fastio_files", "fastio_link_days"])
    def test_a_product_with_any_of_them_is_ours_even_if_it_is_empty(self, field: str) -> None:
        assert catalog.is_ours(a_line(metadata={field: ""}))

    def test_a_deleted_product_may_have_been_ours_and_is_a_case_for_a_person(self) -> None:
        line = a_line(metadata={}, deleted=True)
        assert catalog.is_ours(line)
        with pytest.raises(MetadataBroken, match="prod_1 was deleted"):
            catalog.goods(line, default_link_days=7)

    @pytest.mark.parametrize(
        ("metadata", "field"),
        [
            # Half-filled.
            ({"fastio_files": "f3a-1"}, "fastio_workspace"),
            ({"fastio_workspace": "shop"}, "fastio_files"),
            ({"fastio_link_days": "7"}, "fastio_files"),
            ({"fastio_files": ""}, "fastio_files"),
            ({"fastio_workspace": "shop", "fastio_files": " , ,"}, "fastio_files"),
            # What could lead elsewhere once it is part of a URL.
            (OURS | {"fastio_workspace": "../org"}, "fastio_workspace"),
            (OURS | {"fastio_workspace": "shop?x=1"}, "fastio_workspace"),
            (OURS | {"fastio_workspace": "my shop"}, "fastio_workspace"),
            (OURS | {"fastio_files": "f3a-1,../../me"}, "fastio_files"),
            (OURS | {"fastio_files": "f3a-1;f3a-2"}, "fastio_files"),
            (OURS | {"fastio_files": "https://go.fast.io/x"}, "fastio_files"),
            (OURS | {"fastio_files": "f3a-1\nf3a-2"}, "fastio_files"),
            (OURS | {"fastio_files": "x" * 129}, "fastio_files"),
            # No number, no day, too many days.
            (OURS | {"fastio_link_days": "a week"}, "fastio_link_days"),
            (OURS | {"fastio_link_days": "7.5"}, "fastio_link_days"),
            (OURS | {"fastio_link_days": "0"}, "fastio_link_days"),
            (OURS | {"fastio_link_days": "-7"}, "fastio_link_days"),
            (OURS | {"fastio_link_days": "3651"}, "fastio_link_days"),
            (OURS | {"fastio_link_days": "9" * 5000}, "fastio_link_days"),
            # Arabic digits: int() would take them.
            (OURS | {"fastio_link_days": "٧"}, "fastio_link_days"),
        ],
    )
    def test_half_filled_or_malformed_metadata_names_the_field(self, metadata: dict[str, str], field: str) -> None:
        with pytest.raises(MetadataBroken, match=field):
            goods(metadata)

    def test_all_faults_of_a_product_are_named_in_one_message(self) -> None:
        with pytest.raises(MetadataBroken) as caught:
            goods({"fastio_workspace": "my shop", "fastio_link_days": "soon"})
        message = str(caught.value)
        for word in ("prod_1", "fastio_workspace", "fastio_files", "fastio_link_days"):
            assert word in message

    def test_the_message_does_not_quote_what_the_seller_wrote(self) -> None:
        with pytest.raises(MetadataBroken) as caught:
            goods(OURS | {"fastio_files": "https://go.fast.io/shared/secret"})
        assert "secret" not in str(caught.value)

    @given(st.dictionaries(st.sampled_from(["fastio_workspace", "fastio_files", "fastio_link_days", "x"]), st.text()))
    def test_whatever_is_delivered_is_safe_in_a_url(self, metadata: dict[str, str]) -> None:
        try:
            found = goods(metadata)
        except MetadataBroken:
            return
        if found is not None:
            assert found.nodes
            assert 1 <= found.link_days <= 3650
            assert not set(found.workspace + "".join(found.nodes)) & set("/?#%.\\ \n,")
