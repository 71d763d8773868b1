"""gateway.toml and the city files: what is taken, and that a mistake is told with its place."""

import pathlib

import pytest

from gateway.config import CITIES, Cloud, Lift, cloud_token, load, load_city
from gateway.errors import ConfigError
from protocols.faults import FAULTS, NAMES

EXAMPLE = pathlib.Path(__file__).parents[2] / "docs" / "examples" / "gateway.toml"
LEAST = '[gateway]\nid = "g"\ndata_dir = "d"\n'
LIFT = LEAST + '[[lift]]\nid = "a"\nsite = "s"\n'


def test_the_example_in_the_documents_is_taken() -> None:
    config = load(EXAMPLE)
    assert config.lift[0].name == "荷芳苑 1 幢 1 单元"
    assert load_city(config.city[0].file).receipt == "business_code"


def test_a_gateway_needs_no_destination_and_no_lift(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(LEAST)
    config = load(path)
    assert config.cloud is None
    assert config.influx is None
    assert not config.city
    assert not config.lift


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[gateway]\nid = "g"\n', "data_dir"),
        (LEAST + "[broker]\nport = 70000\n", "broker.port"),
        (LEAST + "[broker]\nhots = 1\n", "hots"),
        (LEAST.replace('"g"', '"Not an id"'), "gateway.id"),
        (LEAST + '[[lift]]\nid = "Lift 1"\nsite = "s"\n', "Lift 1"),
        (LEAST + '[[lift]]\nid = "a"\nsite = "s"\n[[lift]]\nid = "a"\nsite = "t"\n', "twice"),
        (LEAST + '[[lift]]\nid = "a"\nsite = "s"\ndoors = 3\n', "doors"),
        (LIFT + "latitude_deg = 30.2\n", "lift a: latitude_deg and longitude_deg go together"),
        (LIFT + "latitude_deg = 120.1\nlongitude_deg = 30.2\n", "latitude_deg"),
        (LIFT + "stops = 3\nfloor_levels_mm = [0, 2900]\n", "2 entries and the lift 3 stops"),
        (LIFT + "stops = 3\nfloor_levels_mm = [0, 2900, 2900]\n", "each above the one before"),
        (LIFT + "stops = 2\nfloor_levels_mm = [100, 2900]\n", "0 first"),
        (LIFT + 'stops = 2\nfloor_names = ["1", "1"]\n', "twice"),
        (LIFT + 'stops = 2\nfloor_names = ["", "1"]\n', "floor_names"),
        ("[gateway", "gateway.toml"),
        (LEAST + '[broker.tls]\ncertificate = "a"\n', "ca"),
        (LEAST + '[broker.tls]\nca = "/none.pem"\n', r"broker.tls.ca cannot be used.*No such file"),
        (LEAST + f'[broker.tls]\nca = "{EXAMPLE}"\n', "broker.tls.ca cannot be used"),
        (LEAST + '[broker.tls]\nca = "a"\nkey = "k"\n', "go together"),
        (LEAST + '[cloud]\nurl = "https://c"\n', "one of token_file and token"),
        (LEAST + '[cloud]\nurl = "https://c"\ntoken = "t"\ntoken_file = "f"\n', "one of token_file and token"),
        (LEAST + '[cloud]\nurl = "http://cloud.example"\ntoken = "t"\n', "in the clear"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: pathlib.Path, text: str, told: str) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        load(path)


def test_stops_lie_at_their_levels_and_beyond_these_a_pitch_apart() -> None:
    even = Lift("a", "s", stops=4, floor_pitch_mm=3000)
    assert [even.level_mm(stop) for stop in (1, 2, 4, 6)] == [0, 3000, 9000, 15000]
    uneven = Lift("a", "s", stops=4, floor_pitch_mm=3000, floor_levels_mm=[0, 4200, 7100, 10000])
    assert [uneven.level_mm(stop) for stop in (1, 2, 4, 5)] == [0, 4200, 10000, 13000]
    # The node at the lift knows better than the record how many there are.
    assert (uneven.travel_mm(), uneven.travel_mm(3), uneven.travel_mm(5)) == (10000, 7100, 13000)


def test_a_gateway_has_the_name_of_no_lift(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(LEAST + '[[lift]]\nid = "g"\nsite = "s"\n')
    with pytest.raises(ConfigError, match="give the gateway an id of its own"):
        load(path)


def test_the_token_for_the_cloud_is_read_from_its_file_and_must_be_one_line(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "token"
    file.write_text("lwg_secret\n")
    assert cloud_token(Cloud("https://c", token_file=str(file))) == "lwg_secret"
    assert cloud_token(Cloud("https://c", token="lwg_secret")) == "lwg_secret"
    for text in ("", "two\nlines", "two words", "\x07"):
        file.write_text(text)
        with pytest.raises(ConfigError, match="token"):
            cloud_token(Cloud("https://c", token_file=str(file)))
    with pytest.raises(ConfigError, match="cannot be read"):
        cloud_token(Cloud("https://c", token_file=str(tmp_path / "none")))


def test_a_missing_file_is_told(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nowhere.toml")


def test_each_city_file_says_of_every_fault_whether_it_is_pushed_and_what_it_is_modelled_on() -> None:
    for path in CITIES.glob("*.toml"):
        city = load_city(path.name)
        assert city.modelled_on
        # A fault that nobody thought of is never told to the city, and nobody notices.
        assert sorted([*city.codes, *city.kept]) == sorted(NAMES), path.name
        # Whoever is in danger is told of; and what the national list has a number for.
        told = {fault.name for fault in FAULTS if fault.severity == 4 or fault.code is not None}
        assert told <= set(city.codes), path.name


@pytest.mark.parametrize(("old", "new"), [('"http_json"', '"carrier_pigeon"'), ('"business_code"', '"a nod"')])
def test_a_city_of_unknown_shape_or_receipt_is_refused(tmp_path: pathlib.Path, old: str, new: str) -> None:
    path = tmp_path / "city.toml"
    path.write_text((CITIES / "shanghai_like.toml").read_text().replace(old, new, 1))
    with pytest.raises(ConfigError, match=new.strip('"')):
        load_city(str(path))
