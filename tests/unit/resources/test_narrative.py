from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapter.resources.narrative import bullets, clean, escape, narrative, paragraph

any_text = st.text(st.characters())  # with surrogates and control characters


@given(any_text, any_text, st.lists(any_text, max_size=3))
def test_a_narrative_is_well_formed_with_any_text_and_keeps_it(one, two, more):
    made = narrative(paragraph(one), bullets([two, (one, more)]))
    div = etree.fromstring(made["div"])
    assert div.tag == "{http://www.w3.org/1999/xhtml}div"
    assert made["status"] == "generated"
    said = [element.text or "" for element in div.iter() if element.tag.endswith(("}p", "}li"))]
    assert said == [clean(text) for text in (one, two, one, *more)]


@given(any_text)
def test_clean_text_is_a_fhir_string_on_one_line(text):
    made = clean(text)
    assert made == clean(made) == made.strip()
    assert not any(ord(character) < 32 for character in made)
    made.encode()  # no surrogates


def test_markup_in_text_stays_text():
    assert escape('<script>alert("&")</script>') == '&lt;script&gt;alert("&amp;")&lt;/script&gt;'


def test_an_empty_list_is_no_element():
    assert bullets([]) == ""
