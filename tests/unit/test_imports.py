"""The rules of the house in DESIGN.md, read from the source: who may import whom, and what the core may not do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "adapter"
LONGEST_FUNCTION, LONGEST_FILE = 60, 400

# The core does no I/O, reads no clock, knows no Flask and logs nothing: what it may import is named here, all else is refused.
CORE = (
    "tables",
    "targeting",
    "services",
    "measures",
    "resources",
    "documents",
    "reporting",
    "reconciliation",
    "problems",
)
CORE_MAY_IMPORT = {
    "__future__", "collections", "csv", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib", "html",
    "itertools", "json", "math", "operator", "re", "string", "textwrap", "typing", "unicodedata", "urllib.parse",
    "ibis", "msgspec", "pyarrow", "adapter.errors",
}  # fmt: skip
# A loader reads the data files of its own module, and nothing else does.
LOADERS = {
    "targeting/program.py": {"pathlib", "adapter.mappings.extended"},  # mappings/programs/*.toml
    "targeting/limits.py": {"pathlib", "tomllib"},  # mappings/limits/cms.toml
    "problems/rules.py": {"pathlib", "tomllib"},  # mappings/problems/*.toml
    "measures/settings.py": {"pathlib", "tomllib"},  # mappings/measures/*.toml
    "reporting/layout.py": {"pathlib", "adapter.mappings.extended"},  # mappings/layouts/*.toml
    "reporting/edits.py": {"pathlib", "adapter.mappings.extended"},  # mappings/reporting/edits.toml
    "reporting/national.py": {"pathlib", "adapter.mappings.extended"},  # mappings/reporting/national.toml
    "documents/texts.py": {"pathlib", "adapter.mappings.extended"},  # mappings/documents/*.toml
    "documents/plan.py": {"pathlib", "adapter.mappings.extended"},  # the plan's own file
    "resources/definitions/__init__.py": {"importlib.resources"},  # its own StructureDefinitions
}

# The shell parses, calls a job and prints. Beside jobs and the shell itself it may import only what is named here.
SHELL = ("cli", "web")
SHELL_MAY_IMPORT = {
    "adapter": "its version",
    "adapter.errors": "faults become exit codes and OperationOutcomes",
    "adapter.config": "options and environment become a Config",
    "adapter.engines.duckdb": "the pool of engines that serve keeps warm",
    "adapter.outputs.reconciled_text": "a medication list as text",
    "adapter.resources.service_codes": "the words of the services, to choose from",
    "adapter.resources.service_events": "the type of a service to record",
    "adapter.sinks": "what a job writes to, and what was written",
    "adapter.jobs.screening_files": "what a screening says of itself beside the decisions",
    "adapter.findings": "the names of findings, to print them",
    "adapter.mappings.folder": "where the lists lie",
    "adapter.mappings.checks": "the job of check-mappings",
    "adapter.loading.fda": "the job that loads the NDC Directory",
    "adapter.loading.local": "what is loaded, to print it",
    "adapter.loading.maintenance": "the job that loads a maintenance list",
    "adapter.loading.rxnorm": "the job that loads RxNorm",
    "adapter.outputs.explanation": "a decision as text",
    "adapter.outputs.chart": "a comparison as a picture",
    "adapter.targeting.program": "a program, to show it",
    "adapter.targeting.description": "a program as text",
    "adapter.reporting.finding": "the type of findings of the CMS file, to print them",
    "adapter.reporting.layout": "a record layout, to show it",
    "adapter.reporting.description": "a record layout as text",
    "adapter.reporting.notice": "what a record layout rests on, to print it",
    "adapter.fhir.conformance": "FHIR as XML at the HTTP edge",
    "adapter.fhir.json": "FHIR as JSON at the HTTP edge",
    "adapter.resources.capability": "the CapabilityStatement as a resource",
    "adapter.resources.ids": "a type of resources",
    "adapter.resources.narrative": "text made safe for a resource",
    "adapter.resources.operation_outcome": "a fault as a resource",
    "adapter.resources.parameters": "a decision as a resource",
}

CLOCK = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "sleep"}
READS_THE_CLOCK = {
    "cli/options.py": "the day and the instant that jobs are given",
    "cli/demo.py": "how long the demo took",
    "jobs/demo.py": "how long to wait for the embedded server",
    "fhir/transport.py": "how long to wait before a request is repeated",
    "fhir/client.py": "handed on to the transport",
}


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


FILES = sorted(PACKAGE.rglob("*.py"))


def under(*folders: str) -> list[Path]:
    return [path for path in FILES if path.relative_to(PACKAGE).parts[0] in folders]


def modules() -> set[str]:
    """Every module of the package by its dotted name."""
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in FILES}


@cache
def imported(path: Path) -> frozenset[str]:
    """What a file imports by dotted name, modules of the package in full: "from adapter import jobs" is adapter.jobs.targeting."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} imports relatively"
            own = {f"{node.module}.{alias.name}" for alias in node.names} & modules()
            found |= own or {str(node.module)}
    return frozenset(found)


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def allowed(module: str, names: set[str]) -> bool:
    """Whether the module, or a package that it stands in, is among the names."""
    parts = module.split(".")
    return any(".".join(parts[:n]) in names for n in range(1, len(parts) + 1))


def test_there_is_a_package_to_look_at():
    assert len(FILES) > 50
    assert "adapter.tables.claims" in modules()
    assert "adapter.jobs.targeting" in imported(PACKAGE / "cli" / "screen.py")


@pytest.mark.parametrize("path", under(*CORE), ids=name)
def test_the_core_imports_nothing_that_does_io_or_knows_the_shell(path):
    names = CORE_MAY_IMPORT | LOADERS.get(name(path), set()) | {f"adapter.{folder}" for folder in CORE}
    assert sorted(module for module in imported(path) if not allowed(module, names)) == []


@pytest.mark.parametrize("path", under(*CORE), ids=name)
def test_the_core_opens_no_file(path):
    doing = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "glob", "iterdir"}
    made = {getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls(path)} & doing
    assert name(path) in LOADERS or made == set()


def clock(path: Path) -> set[str]:
    """What of the clock a file names: date.today, time.time, from time import sleep."""
    found = {"time"} if "time" in imported(path) else set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in CLOCK and isinstance(node.value, ast.Name):
            found |= {f"{node.value.id}.{node.attr}"} if node.value.id in ("date", "datetime", "time") else set()
    return found


def test_only_the_edge_reads_the_clock():
    assert sorted(name(path) for path in FILES if clock(path)) == sorted(READS_THE_CLOCK)


@pytest.mark.parametrize("path", under(*SHELL), ids=name)
def test_the_shell_imports_jobs_and_what_it_prints(path):
    own = {module for module in imported(path) if module.split(".")[0] == "adapter"}
    others = {module for module in own if not allowed(module, {f"adapter.{folder}" for folder in ("jobs", *SHELL)})}
    assert sorted(others - set(SHELL_MAY_IMPORT)) == []


def test_every_permission_of_the_shell_is_used():
    used = {module for path in under(*SHELL) for module in imported(path)}
    assert sorted(set(SHELL_MAY_IMPORT) - used) == []


@pytest.mark.parametrize("path", [path for path in FILES if path not in under("jobs", *SHELL)], ids=name)
def test_nothing_under_the_jobs_knows_a_job(path):
    assert sorted(module for module in imported(path) if allowed(module, {"adapter.jobs"})) == []


@pytest.mark.parametrize("path", [path for path in FILES if path not in under(*SHELL)], ids=name)
def test_nothing_else_knows_the_shell(path):
    shell = {"click", "flask", "waitress", *(f"adapter.{folder}" for folder in SHELL)}
    assert sorted(module for module in imported(path) if allowed(module, shell)) == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_nothing_prints(path):
    assert [call.lineno for call in calls(path) if getattr(call.func, "id", "") == "print"] == []


@pytest.mark.parametrize("path", [path for path in FILES if path not in under(*SHELL)], ids=name)
def test_logic_raises_and_never_exits(path):
    ends = [call.lineno for call in calls(path) if getattr(call.func, "attr", "") in ("exit", "_exit")]
    assert ends == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_functions_and_files_can_be_read_at_once(path):
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {one: length for one, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_module_says_what_it_is_for(path):
    assert ast.get_docstring(tree(path)) or path.name == "__init__.py"


def test_no_module_imports_itself_in_a_circle():
    """Imports for types only do not count: they do not happen in a run."""
    graph = {module_of(path): run_imports(path) & modules() for path in FILES}
    done: set[str] = set()
    for module in graph:
        assert_no_circle(module, graph, (), done)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def run_imports(path: Path) -> set[str]:
    """What a file imports when it is loaded: at its top level."""
    found: set[str] = set()
    for node in tree(path).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            own = {f"{node.module}.{alias.name}" for alias in node.names} & modules()
            found |= own or {str(node.module)}
    return found


def assert_no_circle(module: str, graph: dict[str, set[str]], way: tuple[str, ...], done: set[str]) -> None:
    assert module not in way, " -> ".join((*way[way.index(module) :], module))
    if module not in done:
        for other in sorted(graph[module]):
            assert_no_circle(other, graph, (*way, module), done)
        done.add(module)
