"""Unit tests reach nothing: no socket to any host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Turn every socket away."""
    disable_socket()
    yield
    enable_socket()
