"""What can go wrong in this package; a message holds the value and the next step."""

from __future__ import annotations

from pathlib import Path


class IndexerError(Exception):
    """The top of this package's tree."""

    exit_code = 3  # of a command that ends with it: could not be done; 2: the input is wrong


class IndexMissingError(IndexerError):
    """There is no index where one was asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no index in {path}; run: starcite index build")
        self.path = path


class IndexFormatError(IndexerError):
    """The index was built in a way that this version's queries do not fit."""

    def __init__(self, path: Path, found: str, readable: str) -> None:
        super().__init__(
            f"the index in {path} was built by {found}, this version reads {readable}; "
            "run: starcite index build"
        )


class IndexDamagedError(IndexerError):
    """A file of the index is missing, truncated or not what was written."""

    def __init__(self, file: Path, what: str) -> None:
        super().__init__(f"the index file {file} is damaged: {what}; run: starcite index build")
        self.file = file


class DocumentUnknownError(IndexerError, IndexError):
    """The index has no document of that number."""

    def __init__(self, document_id: int, n_documents: int) -> None:
        super().__init__(
            f"no document {document_id}: the index has {n_documents}, counting from 0; "
            "if it was built anew, trace again"
        )


class DocumentForgottenError(IndexerError, IndexError):
    """The document was taken out of the index; nothing of it is shown any more."""

    def __init__(self, document_id: int) -> None:
        super().__init__(f"document {document_id} was taken out of the index; trace again")


class IndexChangedError(IndexerError):
    """The index is not the one any more that was looked at before."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the index in {path} was changed or built anew meanwhile; open it again and repeat"
        )


class IndexReplacedError(IndexerError):
    """The index that was open is not there any more; another one may have taken its place."""

    def __init__(self, where: str) -> None:
        super().__init__(f"the index on {where} was replaced or removed meanwhile; ask again")


class UnprovableError(IndexerError):
    """The index cannot be looked through as a proof takes it."""


class IndexClosedError(IndexerError):
    """A closed index was asked for something."""


class IndexBuildError(IndexerError):
    """An index could not be built; nothing half-written is left."""
