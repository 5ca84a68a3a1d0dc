import json
from dataclasses import replace

import pytest
from codes.streams import IDENTITY, LAYOUT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiofix.codes.header import Header, read_header, write_header
from audiofix.codes.layout import CodeLayout
from audiofix.errors import InputError


@pytest.mark.parametrize(
    "layout", [LAYOUT, replace(LAYOUT, model="Größe", source_rate=44100, source_bits="24")]
)
@pytest.mark.parametrize("tags", [{}, {"title": ["Ein Stück"], "artist": ["a", "b"]}])
def test_round_trip(layout, tags):
    assert read_header(write_header(layout, tags, IDENTITY)) == Header(layout, tags, IDENTITY)


def test_later_keys_are_passed_over():
    told = json.loads(write_header(LAYOUT, {}, IDENTITY))
    assert read_header(json.dumps({**told, "mood": "calm"}).encode()) == Header(
        LAYOUT, {}, IDENTITY
    )


def test_a_later_version_is_refused():
    told = json.loads(write_header(LAYOUT, {}, IDENTITY))
    with pytest.raises(InputError, match="version 3.*update"):
        read_header(json.dumps({**told, "version": 3}).encode())


@pytest.mark.parametrize(
    "header",
    [b"", b"{", b"[]", b"1", b"\xff", b"[" * 60000, b"9" * 60000, b'{"version":1}', b"null"],
)
def test_refuses_what_is_no_header(header):
    with pytest.raises(InputError) as caught:
        read_header(header)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("tags", [1, [], {"title": "bare"}, {"title": [1]}, {"\ud800": ["x"]}])
def test_broken_tags_are_no_reason_to_refuse_sound(tags):
    told = json.loads(write_header(LAYOUT, {}, IDENTITY))
    assert read_header(json.dumps({**told, "tags": tags}).encode()) == Header(LAYOUT, {}, IDENTITY)


def test_tags_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="tags: "):
        write_header(LAYOUT, {"lyrics": ["la " * 30000]}, IDENTITY)


KEYS = (*CodeLayout.__slots__, "tags", "identity", "version")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([*CodeLayout.__slots__, "tags", "identity", "version"]), json_values
    )
)
def test_any_json_is_a_layout_or_an_error(changes):
    told = json.loads(write_header(LAYOUT, {}, IDENTITY))
    try:
        header = read_header(json.dumps({**told, **changes}).encode())
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert read_header(write_header(header.layout, header.tags, IDENTITY)) == replace(
        header, identity=IDENTITY
    )
