"""What a file rests on, in sentences."""

import msgspec

from adapter.reporting.notice import notices


def test_the_layout_of_2023(layout):
    assert notices(layout) == (
        "Unverified: line end, encoding, header, trailer, file name",
        "Unverified: letter and position of the elements F to Z",
        "Unverified: meaning or codes of the elements S, T, Z",
        "From secondary texts only: the elements A to E, G to I, K to R, U to Y",
        "Before the file is sent, compare the layout cms-mtm-2023 with the HPMS memo of 2023 and correct "
        "cms-mtm-2023.toml, or a layout of your own that extends it",
    )


def test_a_field_that_no_rule_fills_is_told(layout):
    strange = msgspec.structs.replace(layout.fields[2], name="pbp", element="AA")
    told = notices(msgspec.structs.replace(layout, fields=[*layout.fields, strange]))
    assert any(sentence.startswith("Not filled by this version: AA (pbp); ") for sentence in told)


def test_a_layout_of_verified_facts_has_none(layout):
    fields = [msgspec.structs.replace(field, standing="V", position_standing="V") for field in layout.fields]
    settings = {name: msgspec.structs.replace(setting, standing="V") for name, setting in layout.file.named()}
    file = msgspec.structs.replace(layout.file, **settings)
    assert notices(msgspec.structs.replace(layout, fields=fields, file=file)) == ()
