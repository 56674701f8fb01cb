"""The job that makes the papers of one member or of thousands: PDF and HTML files, each whole, with a manifest to resume by.

``manifest.ndjson`` in the folder has one line per file that was made; a file that stands there with equal content is not made again.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from adapter.config import Config
from adapter.documents import form, from_fhir
from adapter.documents.blocks import Paper
from adapter.documents.characters import scripts
from adapter.documents.desk import Desk, Missing
from adapter.documents.html import html
from adapter.documents.papers import COMPOSERS
from adapter.documents.plan import NO_PLAN, Plan, load_plan
from adapter.documents.summary import blank_list
from adapter.documents.texts import LANGUAGES, load_texts
from adapter.documents.view import Facts
from adapter.errors import ConfigError, SourceError
from adapter.jobs.paper_sources import only, read_charts
from adapter.mappings.folder import mappings_folder
from adapter.outputs.files import csv_bytes, output_folder, write_whole
from adapter.outputs.paper_files import Manifest, Sheet, file_name, sheet
from adapter.outputs.press import Press
from adapter.plan_lists.take_back_sites import NO_SITES, Sites, read_sites
from adapter.sources.quarantine import Rejected

KINDS = tuple(COMPOSERS)
IN_LANGUAGES: tuple[str, ...] = LANGUAGES
REFUSED_COLUMNS = ("beneficiary", "reason")
NOT_SHOWN_COLUMNS = ("beneficiary", "file", "times", "characters", "code_points")
ABSENT = "the source does not hold such a Patient"
MANY = 40  # persons for whom it pays to start a process for each core
BLANK_DAY = date(2022, 1, 1)  # stands nowhere on an empty list; equal lists are equal files
BLANK_ENDINGS = (".pdf", ".html", ".htm")
MEMBER = "member"  # the language that the member prefers, English when that is not known
_MEDIA = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}

Result: TypeAlias = "list[tuple[Sheet, bool]] | Missing"  # the files of one person, each with whether it was made now
Told = Callable[[int, int], None]  # persons done, persons in all


@dataclass(frozen=True)
class Printing:
    """Which papers to make, how and where. ``language`` is en, es or "member"; ``on`` is the day on the paper."""

    kind: str
    plan: Path
    out: Path
    on: date
    language: str = MEMBER
    large_print: bool = False
    html: bool = False
    sites: Path | None = None
    workers: int = 0  # papers set at once; 0: one for each core


@dataclass(frozen=True)
class Refused:
    """A paper that was not made, and what is missing for it."""

    beneficiary: str
    reason: str


@dataclass(frozen=True)
class NotShown:
    """A file with characters that the fonts cannot show, in place of which squares stand; ``times`` is how often."""

    beneficiary: str
    file: str
    times: int
    characters: str
    code_points: str


@dataclass
class Printed:
    """What became of a run: files made now, files that were whole already, persons without a paper, letters that are squares."""

    made: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    not_shown: list[NotShown] = field(default_factory=list)
    unofficial: dict[str, int] = field(
        default_factory=dict
    )  # by language: texts that were not read in an official text
    without_sites: int = 0  # summaries without information on safe disposal
    rejected: tuple[Rejected, ...] = ()
    notices: tuple[str, ...] = ()

    def add(self, key: str, sheets: Iterable[tuple[Sheet, bool]]) -> None:
        """Counts the files of one person."""
        for one, new in sheets:
            (self.made if new else self.kept).append(one.path)
            self.note_unshown(key, one)

    def note_unshown(self, key: str, one: Sheet) -> None:
        """Notes the characters of a file that the fonts cannot show, if there are any."""
        if one.unshown:
            letters, codes = "".join(sorted(set(one.unshown))), " ".join(one.code_points)
            self.not_shown.append(NotShown(key, one.path.name, len(one.unshown), letters, codes))

    @property
    def scripts(self) -> list[str]:
        """The kinds of characters that the fonts cannot show (CJK, ARABIC)."""
        return scripts("".join(one.characters for one in self.not_shown))


class Shop:
    """All that the papers of a run share; ``print`` may be called by many threads at once."""

    def __init__(self, printing: Printing, press: Press, plan: Plan, sites: Sites, manifest: Manifest) -> None:
        self.printing = printing
        self.press = press
        self.manifest = manifest
        self.sites = sites
        self.picture = _data_url(plan.logo)
        folder = mappings_folder() / "documents"
        texts = {one: load_texts(one, folder) for one in LANGUAGES if printing.language in (one, MEMBER)}
        self.desks: dict[str, Desk] = {one: Desk(plan, known, printing.on) for one, known in texts.items()}
        self.used: set[str] = set()
        self.without_sites: set[str] = set()  # persons whose summary has no information on safe disposal
        self.other_languages: dict[str, str] = {}  # by person who prefers a language that there are no papers in

    @property
    def unofficial(self) -> dict[str, int]:
        """How many texts of each language that was printed were not read in an official text."""
        return {one: len(self.desks[one].texts.unverified()) for one in sorted(self.used)}

    def compose(self, facts: Facts) -> tuple[Paper, str]:
        """The paper of one person, and its language. Raises Missing."""
        printing = self.printing
        if not facts.member.name:
            raise Missing("the Patient has no name that is in use")
        if facts.member.deceased:
            raise Missing("the Patient is recorded as deceased; record the opt-out (reason 01)")
        language = printing.language if printing.language != MEMBER else facts.member.language or LANGUAGES[0]
        known = facts if facts.sites else replace(facts, sites=self.sites.near(facts.member))
        paper = COMPOSERS[printing.kind](known, self.desks[language])
        if printing.kind == "summary" and not known.sites:
            self.without_sites.add(facts.member.key)
        if facts.member.other_language:
            self.other_languages[facts.member.key] = facts.member.other_language
        return paper, language

    def tell(self, printed: Printed) -> None:
        """Adds to ``printed`` what only shows when all papers are made."""
        printed.unofficial, printed.without_sites = self.unofficial, len(self.without_sites)
        if self.other_languages:
            which = ", ".join(sorted(set(self.other_languages.values())))
            told = f"{len(self.other_languages)} papers are for persons who prefer another language ({which}) than there are papers in"
            printed.notices = (*printed.notices, told)

    def print(self, facts: Facts) -> list[tuple[Sheet, bool]]:
        """Makes the files of one person; with each, whether it was made now. Raises Missing."""
        return [self._kept_or_made(one, facts.member.key) for one in self.sheets(facts)]

    def sheets(self, facts: Facts) -> Iterator[Sheet]:
        """The files of one person, not yet made: the PDF first. Raises Missing."""
        printing = self.printing
        paper, language = self.compose(facts)
        self.used.add(language)
        name = file_name(printing.kind, language, printing.large_print, facts.member.key)
        return self._sheets(paper, printing.out / name)

    def _sheets(self, paper: Paper, place: Path) -> Iterator[Sheet]:
        large, on = self.printing.large_print, self.printing.on
        data, unshown = self.press.data(paper, large)
        made_of = f"{self.press.fingerprint}\n{on}\n{data}"
        yield sheet(place.with_name(f"{place.name}.pdf"), made_of, lambda: self.press.pdf(data, on), unshown)
        if self.printing.html:
            page = html(paper, large, self.picture)
            yield sheet(place.with_name(f"{place.name}.html"), page, page.encode)

    def _kept_or_made(self, one: Sheet, key: str) -> tuple[Sheet, bool]:
        if self.manifest.holds(one):
            return one, False
        content = one.make()
        write_whole(one.path, content)
        self.manifest.note(one, content, key, self.printing.kind)
        return one, True


def from_form(printing: Printing, path: Path) -> Printed:
    """Makes the papers of the member in a JSON form. Raises ConfigError for the form, SourceError when it lacks what the paper shows."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The form {path} cannot be read ({error.strerror}); give another one with --form") from None
    facts = form.facts(content, path.name)
    return _one(printing, facts, Printed())


def from_source(printing: Printing, source: str, config: Config, beneficiary: str) -> Printed:
    """Makes the papers of one beneficiary of a server or folder. Raises SourceError when it lacks what the paper shows."""
    with TemporaryDirectory(prefix="mtm-") as scratch:
        charts = read_charts(source, config, Path(scratch), [beneficiary])
        printed = Printed(rejected=tuple(charts.rejected), notices=charts.notices)
        return _one(printing, from_fhir.facts(charts.chart(only(charts)), printing.on), printed)


def batch(
    printing: Printing,
    source: str,
    config: Config,
    beneficiaries: Sequence[str] | None = None,
    patients: str = "",
    told: Told = lambda done, whole: None,
) -> Printed:
    """Makes the papers of ``beneficiaries``, or of all with an active enrollment; who lacks something stands in refused-KIND.csv,
    whose texts hold characters that the fonts cannot show in not-shown-KIND.csv.

    A run that was stopped goes on where it stopped: files that are whole and would be equal are kept. The day on the paper is part
    of it, so resume on another day with the same ``on``.
    """
    with TemporaryDirectory(prefix="mtm-") as scratch, _shop(printing) as shop:
        charts = read_charts(source, config, Path(scratch), beneficiaries, patients)
        printed = Printed(rejected=tuple(charts.rejected), notices=charts.notices)
        printed.refused += (Refused(key, ABSENT) for key in charts.absent)
        for done, (key, result) in enumerate(_all(shop, charts.chart, charts.keys, printing.workers), start=1):
            if isinstance(result, Missing):
                printed.refused.append(Refused(key, str(result)))
            else:
                printed.add(key, result)
            told(done, len(charts.keys))
        shop.tell(printed)
        _write_lists(printing, printed)
        return printed


def _write_lists(printing: Printing, printed: Printed) -> None:
    """refused-KIND.csv, and not-shown-KIND.csv when there is something to tell; none of an earlier run stays."""
    refused = sorted(map(vars, printed.refused), key=lambda row: row["beneficiary"])
    write_whole(printing.out / f"refused-{printing.kind}.csv", csv_bytes(REFUSED_COLUMNS, refused))
    place = printing.out / f"not-shown-{printing.kind}.csv"
    if printed.not_shown:
        rows = sorted(map(vars, printed.not_shown), key=lambda row: row["file"])
        write_whole(place, csv_bytes(NOT_SHOWN_COLUMNS, rows))
    else:
        place.unlink(missing_ok=True)


def pdf_of(printing: Printing, chart: from_fhir.Chart) -> tuple[bytes, Printed]:
    """The PDF of a paper of one beneficiary whose resources are at hand, and what is to be told of it: no file is made.

    ``printing.out`` is not used. Raises SourceError when the chart lacks what the paper shows.
    """
    plan = load_plan(printing.plan)
    sites = read_sites(printing.sites) if printing.sites else NO_SITES
    printed = Printed()
    with Press(plan.logo, plan.fonts) as press:
        shop = Shop(printing, press, plan, sites, Manifest(Path(), {}))
        facts = from_fhir.facts(chart, printing.on)
        try:
            paper = next(shop.sheets(facts))
        except Missing as missing:
            raise _cannot(printing.kind, missing) from None
        content = paper.make()
    shop.tell(printed)
    printed.note_unshown(facts.member.key, paper)
    return content, printed


def _cannot(kind: str, missing: Missing) -> SourceError:
    return SourceError(f"The paper {kind} cannot be made: {missing}")


def read_beneficiaries(path: Path) -> list[str]:
    """The Patient ids in a file, one a line, each once. Raises ConfigError when there is none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"The file {path} of Patient ids cannot be read as UTF-8; give another one") from None
    ids = list(dict.fromkeys(filter(None, (line.strip().removeprefix("Patient/") for line in lines))))
    if not ids:
        raise ConfigError(f"The file {path} holds no Patient id; write one a line")
    return ids


def blank(language: str, out: Path, plan: Path | None = None, large_print: bool = False) -> Path:
    """Makes an empty Personal Medication List, as HTML or PDF by how ``out`` ends; no server is needed."""
    if out.suffix.lower() not in BLANK_ENDINGS:
        raise ConfigError(f"{out.name} is no name for an empty list; let --out end in {', '.join(BLANK_ENDINGS)}")
    desk = Desk(load_plan(plan) if plan else NO_PLAN, load_texts(language, mappings_folder() / "documents"), BLANK_DAY)
    paper = blank_list(desk)
    output_folder(out.parent)
    if out.suffix.lower() != ".pdf":
        write_whole(out, html(paper, large_print).encode())
        return out
    with Press() as press:
        data, _ = press.data(paper, large_print)
        write_whole(out, press.pdf(data, BLANK_DAY))
    return out


@contextmanager
def _shop(printing: Printing) -> Iterator[Shop]:
    """All that the papers of a run share, read and checked before the first one is made."""
    plan = load_plan(printing.plan)
    sites = read_sites(printing.sites) if printing.sites else NO_SITES
    output_folder(printing.out)
    with Press(plan.logo, plan.fonts) as press:
        shop = Shop(printing, press, plan, sites, Manifest.read(printing.out))
        try:
            yield shop
        finally:
            shop.manifest.close()


def _one(printing: Printing, facts: Facts, printed: Printed) -> Printed:
    with _shop(printing) as shop:
        try:
            printed.add(facts.member.key, shop.print(facts))
        except Missing as missing:
            raise _cannot(printing.kind, missing) from None
        shop.tell(printed)
        return printed


def _all(
    shop: Shop, chart: Callable[[str], from_fhir.Chart], keys: Sequence[str], workers: int
) -> Iterator[tuple[str, Result]]:
    """The result of each person, as they come; only a few persons at a time are in memory as resources."""
    number = workers or os.cpu_count() or 1

    def work(key: str) -> tuple[str, Result]:
        try:
            return key, shop.print(from_fhir.facts(chart(key), shop.printing.on))
        except Missing as missing:
            return key, missing

    start = shop.press.set_apart if len(keys) >= MANY else None
    with ThreadPoolExecutor(max_workers=number, initializer=start) as pool:  # who waits for a compiler lets others run
        under_way: set[Future[tuple[str, Result]]] = set()
        for key in keys:
            under_way.add(pool.submit(work, key))
            if len(under_way) >= 4 * number:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        yield from (one.result() for one in under_way)


def _data_url(logo: str) -> str:
    if not logo:
        return ""
    path = Path(logo)
    return f"data:{_MEDIA[path.suffix.lower()]};base64,{b64encode(path.read_bytes()).decode()}"
