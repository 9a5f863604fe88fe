"""What must hold before anything is started: ports, the data folder, keys, tokens, the bootstrap?"""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey

from deploy.data_folder import DataFolder, DataFolderInUse
from deploy.keys import FILE_NAME, keys_of
from deploy.ports import PortTaken, choose_ports, quiet_port
from deploy.tokens import AUDIENCE, DEMO_STAFF, ISSUER_URL, mint, staff_tokens
from tests.architecture.tree import ROOT


def test_free_ports_are_all_different() -> None:
    chosen = choose_ports({f"part {number}": None for number in range(50)})
    assert len(set(chosen.values())) == 50


def test_no_process_chooses_what_another_has_chosen_and_not_begun_to_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = choose_ports({"mine": None})["mine"]
    ask = f"from deploy import ports; print(ports._reserve({mine}), ports._reserve({mine}) or ports._reserve(1))"
    other = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert other.stdout.split() == ["False", "True"]
    tried = iter([mine, mine, *sorted([*range(23_000, 23_050)] * 2)])
    monkeypatch.setattr("deploy.ports.secrets.choice", lambda _: next(tried))
    monkeypatch.setattr("deploy.ports.somebody_listens", lambda port: False)
    assert len({mine, quiet_port(), quiet_port()}) == 3


def test_two_parts_cannot_have_the_same_port() -> None:
    port = choose_ports({"one": None})["one"]
    with pytest.raises(PortTaken, match=f"port {port} is already taken; two wanted it"):
        choose_ports({"one": port, "two": port})


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_that_somebody_listens_on_is_refused(address: str) -> None:
    with socket.create_server((address, 0)) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is already taken; the API wanted it"):
            choose_ports({"the API": port})


def test_a_data_folder_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path / "data"), DataFolder(tmp_path / "data")
    first.acquire()
    with pytest.raises(DataFolderInUse, match="in use by process"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_keys_are_made_once_and_are_private(tmp_path: Path) -> None:
    keys = keys_of(tmp_path)
    assert keys_of(tmp_path) == keys
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert '"d"' not in keys.issuer_public_key


def test_each_role_has_a_person_of_its_own_and_only_the_issuer_can_say_so(tmp_path: Path) -> None:
    keys = keys_of(tmp_path)
    public = ECKey.import_key(json.loads(keys.issuer_public_key))
    claims = {role: jwt.decode(token, public).claims for role, token in staff_tokens(keys.issuer_key).items()}
    assert {role: said["roles"] for role, said in claims.items()} == {role: [role] for role in DEMO_STAFF}
    assert len({said["sub"] for said in claims.values()}) == len(DEMO_STAFF)
    assert all((said["iss"], said["aud"]) == (ISSUER_URL, AUDIENCE) for said in claims.values())
    (tmp_path / "stranger").mkdir()
    forged = mint(keys_of(tmp_path / "stranger").issuer_key, "ops")
    with pytest.raises(BadSignatureError):
        jwt.decode(forged, public)


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), ([], 2), (["nonsense"], 2)])
def test_dev_lists_its_commands(arguments: list[str], status: int) -> None:
    ran = subprocess.run([sys.executable, ROOT / "dev", *arguments], capture_output=True, text=True)
    assert ran.returncode == status
    assert "./dev COMMAND" in ran.stdout + ran.stderr
