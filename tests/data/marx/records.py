"""DTRR detail records from plain values, by the positions of reference/cms-rules.md section 2, not by the adapter's layout."""

POSITIONS = {
    "mbi": (1, 12), "surname": (13, 24), "first_name": (25, 31), "birth_date": (34, 41), "record_type": (42, 42),
    "contract": (43, 47), "reply": (57, 59), "transaction": (60, 61), "effective": (63, 70), "pbp": (72, 74),
    "known": (76, 83), "flag": (394, 394), "pos": (395, 395), "drug": (396, 398), "notified": (402, 409),
    "starts": (410, 417), "notified_to": (418, 425), "ends": (446, 453), "prescriber": (454, 454), "pharmacy": (455, 455),
}  # fmt: skip
MBI = "1EG4TE5MK73"
OTHER = "1EG4TE5MK74"
USUAL = {
    "mbi": MBI, "surname": "SECRETNAME", "first_name": "HIDDEN", "birth_date": "19400102", "record_type": "T", "contract": "H1234",
    "reply": "375", "transaction": "90", "effective": "20230101", "pbp": "001", "known": "20230101", "flag": "A", "pos": "Y",
    "drug": "OPI", "starts": "20230101", "ends": "20231231", "prescriber": "N", "pharmacy": "N",
}  # fmt: skip


def record(**changes):
    """800 bytes: an accepted addition of a POS edit from 1 January to 31 December 2023, known on 1 January, with ``changes``."""
    line = [" "] * 800
    for name, value in {**USUAL, **changes}.items():
        first, last = POSITIONS[name]
        assert len(value) <= last - first + 1, name
        line[first - 1 : first - 1 + len(value)] = value
    return "".join(line).encode("ascii")


def report(*records, line_end=b"\n"):
    """A file of records, each ended by ``line_end``."""
    return b"".join(one + line_end for one in records)
