"""FHIR XML to and from the JSON form, with the models of fhir.resources (R4B) as the schema.

The models say which element repeats, which is a number and what stands inside; the values themselves are never
converted. fhir.resources' own XML functions are not used: they turn 1.10 into 1.1 and rewrite instants to microseconds.
The mapping is https://hl7.org/fhir/R4/json.html and https://hl7.org/fhir/R4/xml.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import InvalidOperation
from typing import Any

from lxml import etree

from adapter.errors import ConformanceError
from adapter.fhir.json import Resource
from adapter.fhir.schema import Element, elements_of, model_of, primitive_model

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
_NAMESPACE: Any = {None: FHIR}  # the stubs know no default namespace
_ATTRIBUTES = {"Extension": "url"}  # besides the id of every element, the only one that is no child


def from_xml(data: bytes) -> Resource:
    """The resource in an XML document, in its JSON form.

    Raises ConformanceError when it is no FHIR XML; a document type declaration is refused, so nothing is ever expanded
    or fetched.
    """
    root = _parsed(data)
    if not _name(root, FHIR):
        raise ConformanceError("The XML document is no FHIR resource: its root is not in the namespace of FHIR.")
    return _resource(root)


def to_xml(resource: Resource) -> bytes:
    """The XML document of a resource, elements in FHIR's order; raises ConformanceError on an element unknown to it."""
    root = _resource_node(resource)
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


# ---- XML to JSON


def _parsed(data: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        line = getattr(fault, "lineno", None)
        raise ConformanceError(f"The XML document is broken (line {line}): send well-formed FHIR XML.") from None
    docinfo: Any = etree.ElementTree(root).docinfo  # the stubs know it by half
    if docinfo.doctype:
        raise ConformanceError("The XML document has a document type declaration, which FHIR forbids: remove it.")
    return root


def _resource(node: etree._Element) -> Resource:
    name = _name(node, FHIR)
    return {"resourceType": name, **_complex(node, model_of(name), name)}


def _complex(node: etree._Element, model: Any, path: str) -> Resource:
    """The JSON object of an element: attributes, then children, repeated ones as lists."""
    elements = elements_of(model)
    value: Resource = {str(name): str(text) for name, text in node.attrib.items() if name in elements}
    extra: dict[str, list[Resource | None]] = {}
    for child in node:
        name = _name(child, FHIR) or ("div" if _name(child, XHTML) == "div" else "")
        element = elements.get(name)
        if element is None:
            raise ConformanceError(f"{path}.{name or '?'} is no element of FHIR R4: remove it.")
        plain, extension = _read(child, element, f"{path}.{name}")
        value.setdefault(name, []).append(plain)
        extra.setdefault(name, []).append(extension)
    return dict(_joined(value, extra, elements))


def _joined(
    value: Resource, extra: dict[str, list[Resource | None]], elements: dict[str, Element]
) -> Iterator[tuple[str, Any]]:
    """The members of a JSON object: lists only where the model repeats, "_name" beside primitives that have more."""
    for name, found in value.items():
        if name not in extra:  # an attribute
            yield name, found
            continue
        if any(one is not None for one in found):
            yield name, found if elements[name].repeats else found[-1]
        if any(one is not None for one in extra[name]):
            yield f"_{name}", extra[name] if elements[name].repeats else extra[name][-1]


def _read(node: etree._Element, element: Element, path: str) -> tuple[Any, Resource | None]:
    """(the value of one element, what JSON puts beside it under "_name")."""
    if _name(node, XHTML):
        return etree.tostring(node, encoding="unicode", with_tail=False), None
    if element.kind == "resource":
        if len(node) != 1:
            raise ConformanceError(f"{path} does not hold exactly one resource: correct it.")
        return _resource(node[0]), None
    if element.kind == "complex":
        return _complex(node, element.model, path), None
    extension = _complex(node, primitive_model(), path)
    return _json_value(node.get("value"), element, path), extension or None


def _json_value(text: str | None, element: Element, path: str) -> Any:
    if text is None or element.number is None:
        return text
    try:
        return {"true": True, "false": False}[text] if element.number is bool else element.number(text)
    except (KeyError, ValueError, InvalidOperation):
        raise ConformanceError(f"{path} is no {element.number.__name__.lower()}: correct its value.") from None


# ---- JSON to XML


def _resource_node(resource: Resource) -> etree._Element:
    name = resource.get("resourceType")
    model = model_of(name)
    node = etree.Element(f"{{{FHIR}}}{name}", nsmap=_NAMESPACE)
    _fill(node, {key: value for key, value in resource.items() if key != "resourceType"}, model, str(name))
    return node


def _fill(node: etree._Element, value: Resource, model: Any, path: str) -> None:
    """Appends the members of a JSON object in the order of the model; raises on a member that the model lacks."""
    elements = elements_of(model)
    unknown = [key for key in value if key.removeprefix("_") not in elements]
    if unknown:
        raise ConformanceError(f"{path}.{unknown[0][:40]} is no element of FHIR R4: remove it.")
    for name, element in elements.items():
        plain, beside = _listed(value.get(name)), _listed(value.get(f"_{name}"))
        if name == _ATTRIBUTES.get(model.__name__) or (name == "id" and not model.has_resource_base()):
            for text in plain:
                node.set(name, str(text))
            continue
        for at in range(max(len(plain), len(beside))):
            _append(node, name, element, _at(plain, at), _at(beside, at), path)


def _append(node: etree._Element, name: str, element: Element, plain: Any, beside: Any, path: str) -> None:
    if name == "div" and isinstance(plain, str):
        node.append(_parsed(plain.encode()))
        return
    child = etree.SubElement(node, f"{{{FHIR}}}{name}")
    if element.kind == "resource":
        child.append(_resource_node(plain))
    elif element.kind == "complex":
        _fill(child, plain, element.model, f"{path}.{name}")
    else:
        if plain is not None:
            child.set("value", str(plain).lower() if isinstance(plain, bool) else str(plain))
        _fill(child, beside or {}, primitive_model(), f"{path}.{name}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _at(values: list[Any], at: int) -> Any:
    return values[at] if at < len(values) else None


def _name(node: etree._Element, namespace: str) -> str:
    """The local name of an element in that namespace, "" in any other."""
    tag = etree.QName(node)
    return tag.localname if tag.namespace == namespace else ""
