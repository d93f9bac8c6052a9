from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from src.main import app
from src.settings import Settings


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("SHOP_NAME", "test shop")
    monkeypatch.setenv("SHOP_ITEM_LIMIT", "5")
    with TestClient(app) as client:
        yield client


def test_the_front_page_shows_the_settings(client: TestClient) -> None:
    assert client.get("/").json() == {"shop": "test shop", "currency": "EUR", "items": 3, "revision": "local"}


def test_health(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_an_item_is_added_read_replaced_and_removed(client: TestClient) -> None:
    answer = client.post("/items", json={"name": "Pencil", "price_cents": 120})
    assert answer.status_code == 201
    where = answer.headers["Location"]
    assert client.get(where).json() == {"id": 4, "name": "Pencil", "price_cents": 120, "stock": 0}
    assert client.put(where, json={"name": "Pencil", "price_cents": 130, "stock": 9}).json()["stock"] == 9
    assert client.delete(where).status_code == 204
    for answer in (client.get(where), client.delete(where), client.put(where, json={"name": "x", "price_cents": 1})):
        assert answer.status_code == 404


def test_items_are_listed_in_pages(client: TestClient) -> None:
    assert [item["id"] for item in client.get("/items", params={"offset": 1, "limit": 1}).json()] == [2]
    assert client.get("/items", params={"limit": 0}).status_code == 422


@pytest.mark.parametrize("item", [{}, {"name": "", "price_cents": 1}, {"name": "x", "price_cents": -1}])
def test_a_wrong_item_is_refused(client: TestClient, item: dict) -> None:
    assert client.post("/items", json=item).status_code == 422


def test_the_limit_of_items_holds(client: TestClient) -> None:
    answers = [client.post("/items", json={"name": "Pencil", "price_cents": 1}).status_code for _ in range(3)]
    assert answers == [201, 201, 507]


def test_items_in_a_file_outlive_the_process(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE", str(tmp_path / "shop.sqlite"))
    with TestClient(app) as client:
        client.post("/items", json={"name": "Pencil", "price_cents": 120})
    with TestClient(app) as client:
        assert client.get("/items/4").json()["name"] == "Pencil"


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(ValueError, match="SHOP_ITEM_LIMIT"):
        Settings.from_environment({"SHOP_ITEM_LIMIT": "many"})
