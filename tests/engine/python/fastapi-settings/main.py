from fastapi import FastAPI

first = FastAPI()
second = FastAPI()


@second.get("/")
def read() -> dict:
    return {"hello": "from pl.json's"}
