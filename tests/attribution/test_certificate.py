"""A negative certificate is issued only for what is proved, and no byte of it can be changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from attribution.certificate import read_certificate
from attribution.certificate_cli import certify, verify_certificate
from attribution.errors import CertificateError
from indexer.optout.keys import key_path, open_key, public_key_of
from indexer.tombstones import forget_documents

NEW = """\
def bake(flour, water, salt, oven):
    dough = [flour, water, salt]
    for minute in range(oven.minutes):
        dough = oven.turn(dough, minute, heat=220 + minute)
    return tuple(sorted(dough, key=lambda part: part.weight, reverse=True))
"""


def run_certify(*arguments: object) -> Result:
    return CliRunner().invoke(certify, [str(one) for one in arguments])


def run_verify(*arguments: object) -> Result:
    return CliRunner().invoke(verify_certificate, [str(one) for one in arguments])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file that shares no run of 30 lexemes with the index."""
    path = tmp_path / "bake.py"
    path.write_text(NEW)
    return path


@pytest.fixture
def certificate(tmp_path: Path, source: Path, index_path: Path) -> Path:
    """The certificate of that file."""
    path = tmp_path / "certificate.json"
    result = run_certify(source, "--index", index_path, "--output", path)
    assert result.exit_code == 0, result.output
    return path


def test_a_certificate_holds_for_its_text_and_its_index(
    certificate: Path, source: Path, index_path: Path
) -> None:
    """Alone, with the text, and proved once more; and it does not tell the code."""
    alone = run_verify(certificate)
    whole = run_verify(certificate, source, "--index", index_path, "--json")

    assert alone.exit_code == 0, alone.output
    assert "give every text and --index" in alone.output
    assert json.loads(whole.output)["checked"] == {"n_texts": 1, "n_same": 1, "n_proved_again": 1}
    assert "dough" not in certificate.read_text()


def test_none_is_issued_for_what_is_shared(
    tmp_path: Path, source: Path, index_path: Path, texts: dict[str, str]
) -> None:
    """One text of a folder that is shared is named, and nothing is written."""
    copied = texts["cart"].splitlines(keepends=True)[21:29]
    (tmp_path / "copied.py").write_text("".join(copied))

    result = run_certify(tmp_path, "--index", index_path, "--output", tmp_path / "none.json")

    assert result.exit_code == 1
    assert "copied.py: shares a run of 30 lexemes or more with " in result.output
    assert "bake.py:" not in result.output
    assert not (tmp_path / "none.json").exists()


def test_it_counts_from_the_length_that_was_asked_for(
    tmp_path: Path, index_path: Path, texts: dict[str, str]
) -> None:
    """The same text shares a run of 30 lexemes, and none of 200; below 17 nothing can be proved."""
    path = tmp_path / "copied.py"
    path.write_text("".join(texts["cart"].splitlines(keepends=True)[21:29]))

    shared = run_certify(path, "--index", index_path)
    longer = run_certify(path, "--index", index_path, "--lexemes", 200)
    shorter = run_certify(path, "--index", index_path, "--lexemes", 16)

    assert [shared.exit_code, longer.exit_code, shorter.exit_code] == [1, 0, 2]
    assert "from 17 lexemes on" in shorter.output


def test_another_text_or_another_index_is_refused(
    certificate: Path, source: Path, own_index: Path
) -> None:
    """What it is not about, it does not hold for; a copied index is the same one."""
    same = run_verify(certificate, source, "--index", own_index)
    manifest = json.loads((own_index / "manifest.json").read_text())
    source.write_text(NEW.replace("oven", "stove"))
    other = run_verify(certificate, source)

    assert same.exit_code == 0, same.output
    assert read_certificate(certificate.read_bytes()).index.manifest_sha256 in manifest.values()
    assert other.exit_code == 3
    assert "is not about" in other.output


def test_an_index_that_changed_is_another_one(
    certificate: Path, source: Path, own_index: Path
) -> None:
    """Once a document was forgotten the certificate is about an index that is no more."""
    forget_documents(own_index, [0])
    result = run_verify(certificate, source, "--index", own_index)

    assert result.exit_code == 3
    assert "as it stands now" in result.output


def test_any_changed_value_is_seen(certificate: Path) -> None:
    """Each leaf of the record, and each byte that does not change the record."""
    data = certificate.read_bytes()
    for at in range(0, len(data), 7):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(CertificateError):
            read_certificate(changed)


def test_a_signature_says_whose_it_is(
    tmp_path: Path, source: Path, index_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds for the key of its owner, and for no other one; it cannot be taken off."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    path = tmp_path / "signed.json"
    issued = run_certify(source, "--index", index_path, "--sign", "--output", path)
    assert issued.exit_code == 0, issued.output
    own = public_key_of(open_key(key_path()))

    assert run_verify(path, "--key", own).exit_code == 0
    other = run_verify(path, "--key", "0" * 64)
    assert other.exit_code == 3
    assert f"signed by {own}, not by" in other.output
    record = json.loads(path.read_text())
    del record["signature"], record["public_key"]
    path.write_text(json.dumps(record, sort_keys=True, indent=1) + "\n")
    assert run_verify(path).exit_code == 3


def test_bad_input_ends_in_one_line(tmp_path: Path, source: Path, certificate: Path) -> None:
    """No such file, no index, no certificate, a key that is none."""
    missing = run_certify(tmp_path / "none.py")
    no_index = run_certify(source, "--index", tmp_path / "none")
    no_file = run_verify(tmp_path / "none.json")
    no_certificate = run_verify(source)
    no_key = run_verify(certificate, "--key", "mine")

    codes = [one.exit_code for one in (missing, no_index, no_file, no_certificate, no_key)]
    assert codes == [2, 3, 2, 3, 2]
    for one in (missing, no_index, no_file, no_certificate, no_key):
        assert one.output.startswith("starcite ")
        assert one.output.count("\n") == 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["schema", "index", "texts", "readings", "k", "w", "sha256"]), inner),
)  # fmt: skip


@given(
    st.binary() | _JSON.map(lambda record: json.dumps(record, sort_keys=True, indent=1).encode())
)
def test_garbage_is_no_certificate(data: bytes) -> None:
    """Whatever a file holds, it is refused in words."""
    with pytest.raises(CertificateError):
        read_certificate(data)


@given(st.data())
def test_a_record_that_was_made_by_hand_is_refused(data: st.DataObject) -> None:
    """A checksum can be made by anybody; the rest still has to be a certificate's."""
    fields = ["tool", "issued_at", "statement", "min_lexemes", "index", "texts"]
    record = {name: data.draw(_JSON) for name in fields} | {"schema": "starcite.certificate/1"}
    text = json.dumps(record, sort_keys=True, indent=1) + "\n"
    record["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    with pytest.raises(CertificateError):
        read_certificate((json.dumps(record, sort_keys=True, indent=1) + "\n").encode())
