"""How does this process reach the engine? The only Client.connect there is.

Every client, worker and test environment uses `data_converter`: pydantic types, every payload encrypted, and
failure messages and stack traces encrypted with them. Search attributes, workflow ids and task-queue names
stay readable in the engine: they hold codes and opaque ids only.
"""

from collections.abc import Sequence
from pathlib import Path

from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
)
from temporalio.runtime import Runtime
from temporalio.service import TLSConfig

from services.encryption import KeyRing, PayloadCodec
from services.settings import Settings


async def connect(
    settings: Settings,
    *,
    interceptors: Sequence[Interceptor] = (),
    lazy: bool = False,
    runtime: Runtime | None = None,
) -> Client:
    """A client of the configured namespace. `lazy` connects with the first call instead of now."""
    api_key = settings.temporal_api_key
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter(KeyRing.from_settings(settings)),
        interceptors=interceptors,
        api_key=api_key.get_secret_value() if api_key else None,
        tls=_tls(settings),
        lazy=lazy,
        runtime=runtime,
    )


_SHARED = tuple(PydanticPayloadConverter().converters.values())


class PydanticPayloads(CompositePayloadConverter):
    """The SDK's converter for pydantic. One is made with each turn of a workflow: what it learnt of types stays."""

    def __init__(self) -> None:
        super().__init__(*_SHARED)


def data_converter(keys: KeyRing) -> DataConverter:
    """What turns values into encrypted payloads and back."""
    return DataConverter(
        payload_converter_class=PydanticPayloads,
        payload_codec=PayloadCodec(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def _tls(settings: Settings) -> bool | TLSConfig:
    """Public authorities and the name of the address serve unless a file or a name says otherwise."""
    if not settings.temporal_tls:
        return False
    return TLSConfig(
        server_root_ca_cert=_content(settings.temporal_server_ca),
        domain=settings.temporal_server_name,
        client_cert=_content(settings.temporal_client_cert),
        client_private_key=_content(settings.temporal_client_key),
    )


def _content(file: str | None) -> bytes | None:
    return None if file is None else Path(file).read_bytes()
