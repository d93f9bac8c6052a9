from fastapi import FastAPI

other = FastAPI()


@other.get("/")
def read() -> dict:
    return {"hello": "from the Procfile's"}
