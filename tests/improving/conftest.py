"""A released product that each test may change in a copy of its own."""

import shutil

import pytest

from windlass.project import Project

from ..brief import briefly_timed
from ..stages.conftest import Product, messages


@pytest.fixture(autouse=True)
def quick():
    """Latency is not what is looked at here."""
    with briefly_timed():
        yield


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A released product; not to be changed."""
    return _released(tmp_path_factory.mktemp("released"), "linear")


@pytest.fixture(scope="session")
def released_network(tmp_path_factory):
    """The same with a network; not to be changed."""
    return _released(tmp_path_factory.mktemp("network"), "cnn")


def _released(folder, learner):
    product = Product(folder)
    product.csv(messages(90))
    product.spec(learners=[learner], keep_inputs=True, improve={"new_labels": 5})
    with briefly_timed():
        Project(product.folder).release()
    return product.folder


@pytest.fixture
def project(released, tmp_path):
    shutil.copytree(released, tmp_path / "desk")
    return Project(tmp_path / "desk")


@pytest.fixture
def network_project(released_network, tmp_path):
    shutil.copytree(released_network, tmp_path / "network")
    return Project(tmp_path / "network")
