"""Which search attributes must the engine know? The one list; names and types, never patient data."""

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType, SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from workflows import names

FOR_OTHERS = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED})
log = structlog.get_logger()

KEYS: tuple[SearchAttributeKey, ...] = (  # type: ignore[type-arg]  # the element types differ
    names.STAGE,
    names.SITE,
    names.WAITS_FOR,
    names.WAITS_SINCE,
    names.DUE_AT,
    names.NEEDS_ATTENTION,
    names.PROTOCOL,
)

_TYPES = {
    SearchAttributeIndexedValueType.KEYWORD: ("Keyword", IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
    SearchAttributeIndexedValueType.DATETIME: ("Datetime", IndexedValueType.INDEXED_VALUE_TYPE_DATETIME),
    SearchAttributeIndexedValueType.BOOL: ("Bool", IndexedValueType.INDEXED_VALUE_TYPE_BOOL),
}

SEARCH_ATTRIBUTES: dict[str, str] = {key.name: _TYPES[key.indexed_value_type][0] for key in KEYS}
"""Name → type, in the words of the engine's command line."""


async def register(client: Client) -> tuple[str, ...]:
    """Make sure the namespace knows them all; answers the names that were added.

    Where this is not for workers to do (Temporal Cloud, a cluster with roles) somebody has made them before: a
    workflow whose attribute is missing waits, and loses nothing.
    """
    try:
        return await _add_missing(client)
    except RPCError as error:
        if error.status not in FOR_OTHERS:
            raise
        log.warning("search attributes are kept by others: see the run book")
        return ()


async def _add_missing(client: Client) -> tuple[str, ...]:
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = {
        key.name: _TYPES[key.indexed_value_type][1] for key in KEYS if key.name not in known.custom_attributes
    }
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    return tuple(missing)
