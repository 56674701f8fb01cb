"""Writes the golden texts of the papers anew: python -m tests.unit.documents.renew. Read the difference before it is committed."""

from __future__ import annotations

from adapter.documents import form
from adapter.documents.desk import Desk
from adapter.documents.papers import COMPOSERS
from adapter.documents.plan import load_plan
from adapter.documents.texts import LANGUAGES, load_texts
from adapter.outputs.press import Press
from tests.unit.documents.conftest import EXAMPLES, ON, ROOT, TEXTS, pages_of


def main() -> None:
    folder = ROOT / "tests" / "golden" / "documents"
    plan = load_plan(EXAMPLES / "plan.toml")
    facts = form.facts((EXAMPLES / "member.json").read_bytes(), "member.json")
    with Press(plan.logo) as press:
        for language in LANGUAGES:
            desk = Desk(plan, load_texts(language, TEXTS), ON)
            for kind, compose in COMPOSERS.items():
                pages = pages_of(press.pdf(press.data(compose(facts, desk), False)[0], ON))
                (folder / f"{kind}-{language}.txt").write_text("\f\n".join(pages) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
