"""What of a file or folder are annotations: masks as pictures of the same name as pictures, else boxes; COCO's file is
of masks where a product answers those."""

from functools import partial
from pathlib import Path

from windlass.sources.annotations import coco, coco_masks, finding, mask_files
from windlass.sources.contract import Names, Source
from windlass.sources.readers.system_files import visible

MASKS = "masks"
"""The kind of what is answered."""


def find(path: Path, split: str, names: Names) -> list[Source]:
    """The sources of masks or boxes that a file or folder holds; none where it holds no annotations.

    Raises: DataError: as `finding.find`, or colours that cannot be read.
    """
    if path.is_dir() and names.answers in ("", MASKS) and (found := _in_folder(path, split, names)):
        return found
    sources = finding.find(path, split, names)
    for source in sources:
        if names.answers == MASKS and source.read is coco.read:
            source.read, source.answers = coco_masks.read, MASKS
    return sources


def _in_folder(path: Path, split: str, names: Names) -> list[Source]:
    """Of the folder itself, or one for each folder of a split there; classes may be named in either place."""
    if folders := mask_files.folders_in(path):
        return [_source(path, split, names, folders)]
    found = []
    for item in visible(path):
        said = finding.split_of(item.name) if item.is_dir() else ""
        if said and (inner := mask_files.folders_in(item, path)):
            found.append(_source(item, split or said, names, inner))
    return found


def _source(path: Path, split: str, names: Names, folders: mask_files.MaskFolders) -> Source:
    return Source(path, split, partial(mask_files.read, folders=folders), names, answers=MASKS)
