"""What the code blocks of docs/guide/storing.md leave behind."""

from pages import DOCS, session_of


def test_the_code_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session_of(DOCS / "guide" / "storing.md")
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
