"""The layer's copy of what botocore knows: cut down to what we call, and the same in that."""

import json
import shutil
from pathlib import Path
from typing import Any

import babel
import botocore
import pytest
from babel import Locale
from botocore.loaders import Loader
from botocore.session import Session

from paidshare.storefront.languages import LANGUAGES
from scripts import aws_calls

CUT = aws_calls.cutting()
DATA = Path(botocore.__file__).parent / "data"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer of botocore's and Babel's data alone, cut."""
    made = tmp_path_factory.mktemp("layer")
    data = made / "botocore" / "data"
    data.mkdir(parents=True)
    for file in DATA.glob("*.json"):
        shutil.copy(file, data)
    for service in (*CUT.CALLS, "ses"):
        shutil.copytree(DATA / service, data / service)
    for name in ("requests", "requests-2.0.dist-info", "httpx", "boto3/data"):
        (made / name).mkdir(parents=True)
    shutil.copytree(Path(babel.__file__).parent / "locale-data", made / "babel" / "locale-data")
    CUT.main(made)
    return made


def session(loader: Loader) -> Session:
    made = Session()
    made.register_component("data_loader", loader)
    made.set_credentials("AKIDEXAMPLE", "secret")
    return made


@pytest.fixture(scope="module")
def both(packages: Path) -> tuple[Session, Session]:
    """botocore with what is left, and with all."""
    left = Loader(extra_search_paths=[str(packages / "botocore" / "data")], include_default_search_paths=False)
    return session(left), session(Loader(include_default_search_paths=True))


def test_our_code_calls_what_the_layer_has_and_nothing_else() -> None:
    assert aws_calls.differences(aws_calls.called(), CUT.CALLS) == []


def test_a_call_that_is_added_or_no_longer_made_is_told() -> None:
    names = aws_calls.called()
    assert aws_calls.differences(names | {"purge_queue"}, CUT.CALLS) == [
        "sqs PurgeQueue is called, and not in the layer"
    ]
    assert aws_calls.differences(names - {"send_email"}, CUT.CALLS) == [
        "sesv2 SendEmail is in the layer, and not called"
    ]
    assert aws_calls.differences(names | {"get_waiter"}, CUT.CALLS) == ["get_waiter needs what the layer does not have"]


def test_what_nobody_uses_is_gone(packages: Path) -> None:
    assert sorted(path.name for path in packages.iterdir()) == ["babel", "boto3", "botocore", "httpx"]
    assert not (packages / "boto3" / "data").exists()
    assert {path.name for path in (packages / "botocore" / "data").iterdir() if path.is_dir()} == set(CUT.CALLS)
    assert sorted(path.stem for path in (packages / "babel" / "locale-data").iterdir()) == sorted(CUT.LOCALES)


def test_every_language_of_letters_is_kept(packages: Path) -> None:
    kept = {path.stem for path in (packages / "babel" / "locale-data").iterdir()}
    assert {Locale.parse(language, sep="-").language for language in LANGUAGES} <= kept


@pytest.mark.parametrize("service", CUT.CALLS)
def test_a_service_has_our_calls_with_all_that_belongs_to_them(service: str, both: tuple[Session, Session]) -> None:
    left, everything = (one.get_service_model(service) for one in both)
    assert sorted(left.operation_names) == CUT.CALLS[service]
    for name in CUT.CALLS[service]:
        mine, theirs = left.operation_model(name), everything.operation_model(name)
        for shapes in (
            (mine.input_shape, theirs.input_shape),
            (mine.output_shape, theirs.output_shape),
            *zip(mine.error_shapes, theirs.error_shapes, strict=True),
        ):
            assert told(shapes[0]) == told(shapes[1])


def told(shape: Any, *, above: tuple[str, ...] = ()) -> Any:
    """All that *shape* and those in it are."""
    if shape is None or shape.name in above:
        return getattr(shape, "name", None)
    names = {"list": ("member",), "map": ("key", "value")}.get(shape.type_name, ())
    inner = dict(shape.members) if shape.type_name == "structure" else {name: getattr(shape, name) for name in names}
    rest = {name: value for name, value in shape.metadata.items() if name != "documentation"}
    return (
        shape.name,
        shape.type_name,
        json.dumps(rest, sort_keys=True, default=str),
        json.dumps(shape.serialization, sort_keys=True),
        {name: told(member, above=(*above, shape.name)) for name, member in inner.items()},
    )


@pytest.mark.parametrize("service", CUT.CALLS)
def test_every_region_s_endpoint_is_what_it_was(service: str, both: tuple[Session, Session]) -> None:
    regions = {"cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"} | set(
        both[1].get_available_regions(service)
    )
    left, everything = (
        {region: one.create_client(service, region_name=region).meta.endpoint_url for region in regions} for one in both
    )
    assert left == everything


def test_a_call_that_there_is_not_is_no_layer() -> None:
    with pytest.raises(KeyError, match="PutEverything"):
        CUT.cut({"operations": {}, "shapes": {}}, ["PutEverything"])
