"""Does a process that used the engine's client end with the status that it chose?"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.architecture.tree import ROOT

PROGRAM = textwrap.dedent(
    """
    import asyncio, sys
    from temporalio.client import Client
    from services.process import end_process

    async def main():
        client = await Client.connect(sys.argv[1])
        return await client.count_workflows()

    asyncio.run(main())
    print("said before the end")
    end_process(int(sys.argv[2]))
    """
)


@pytest.mark.parametrize("status", [0, 3])
@pytest.mark.parametrize("attempt", range(3))  # the abort came in one run of eight
def test_a_process_ends_with_its_own_status_and_last_words(
    temporal_environment: WorkflowEnvironment, status: int, attempt: int
) -> None:
    address = temporal_environment.client.service_client.config.target_host
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, address, str(status)], cwd=ROOT, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (status, "said before the end\n"), ended.stderr
