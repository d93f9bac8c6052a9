from fastapi import FastAPI

from greeting import greet

app = FastAPI()


@app.get("/")
def read() -> dict:
    return {"hello": greet()}
