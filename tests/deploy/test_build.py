"""Is each build named after its commit, and is what is not committed another build?"""

from __future__ import annotations

import subprocess
from pathlib import Path

from deploy.build import WITHOUT_HISTORY, build_of


def test_a_build_is_its_commit_and_a_mark_of_what_was_changed(tmp_path: Path) -> None:
    assert build_of(tmp_path) == WITHOUT_HISTORY
    (tmp_path / "a").write_text("one")
    for words in (["init", "-q"], ["add", "a"], [*_NOBODY, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=tmp_path, text=True)
    clean = build_of(tmp_path)
    assert commit.startswith(clean) and len(clean) == 12
    builds = {clean}
    for changed in ("two", "three"):
        (tmp_path / "a").write_text(changed)
        builds.add(build_of(tmp_path))
    assert len(builds) == 3
    assert all(build.startswith(clean) for build in builds)
    (tmp_path / "a").write_text("one")
    assert build_of(tmp_path) == clean


_NOBODY = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
