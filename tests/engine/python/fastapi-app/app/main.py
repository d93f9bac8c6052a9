from fastapi import APIRouter, FastAPI

from .greeting import greet

router = APIRouter()


@router.get("/")
def read() -> dict:
    return {"hello": greet()}


app: FastAPI = FastAPI(title="Annotated")
app.include_router(router)
