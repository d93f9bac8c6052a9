"""The shop's HTTP interface."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response, status

from src.items import Item, ItemStore, NewItem, StoreIsFull
from src.settings import Settings
from src.sign_in import CurrentUser, User, current_user, verifier_of

SAMPLE = [
    NewItem(name="Notebook", price_cents=490, stock=120),
    NewItem(name="Fountain pen", price_cents=2900, stock=14),
    NewItem(name="Ink, blue-black", price_cents=850, stock=33),
]


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    settings = Settings.from_environment()
    store = ItemStore(settings.database, settings.item_limit)
    if store.count() == 0:
        for item in SAMPLE[: settings.item_limit]:
            store.add(item)
    application.state.settings = settings
    application.state.store = store
    application.state.verifier = verifier_of(settings)
    yield
    store.close()


app = FastAPI(title="Shop", version="1.0.0", lifespan=lifespan)
api = APIRouter(dependencies=[Depends(current_user)])


def current_store(request: Request) -> ItemStore:
    return request.app.state.store


def current_settings(request: Request) -> Settings:
    return request.app.state.settings


Store = Annotated[ItemStore, Depends(current_store)]
CurrentSettings = Annotated[Settings, Depends(current_settings)]
NOT_FOUND = HTTPException(status.HTTP_404_NOT_FOUND, "no such item")


@app.get("/")
def describe(settings: CurrentSettings, store: Store) -> dict[str, str | int]:
    return {
        "shop": settings.shop_name,
        "currency": settings.currency,
        "items": store.count(),
        "revision": settings.revision,
    }


@app.get("/health")
def health(store: Store) -> dict[str, str]:
    store.count()
    return {"status": "ok"}


@api.get("/me")
def describe_user(user: CurrentUser) -> User | None:
    return user


@api.get("/items")
def list_items(
    store: Store,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> list[Item]:
    return store.list(offset, limit)


@api.get("/items/{item_id}")
def get_item(item_id: int, store: Store) -> Item:
    item = store.get(item_id)
    if item is None:
        raise NOT_FOUND
    return item


@api.post("/items", status_code=status.HTTP_201_CREATED)
def add_item(item: NewItem, store: Store, request: Request, response: Response) -> Item:
    try:
        added = store.add(item)
    except StoreIsFull:
        raise HTTPException(status.HTTP_507_INSUFFICIENT_STORAGE, "the shop is full") from None
    response.headers["Location"] = f"{request.url.path}/{added.id}"
    return added


@api.put("/items/{item_id}")
def replace_item(item_id: int, item: NewItem, store: Store) -> Item:
    replaced = store.replace(item_id, item)
    if replaced is None:
        raise NOT_FOUND
    return replaced


@api.delete("/items/{item_id}", status_code=status.HTTP_204_NO_CONTENT)
def remove_item(item_id: int, store: Store) -> None:
    if not store.remove(item_id):
        raise NOT_FOUND


# Hosting hands /api/** on to this service with the whole path.
app.include_router(api)
app.include_router(api, prefix="/api")
