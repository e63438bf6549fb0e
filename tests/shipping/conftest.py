"""A released product that the tests of shipping share."""

import pytest

from windlass.project import Project

from ..stages.conftest import Product as Rows
from ..stages.conftest import messages


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A released product of texts. Not to be changed by a test."""
    folder = tmp_path_factory.mktemp("desk")
    rows = Rows(folder)
    rows.csv(messages(90))
    rows.spec(learners=["linear"])
    made = Project(folder)
    made.release()
    return made
