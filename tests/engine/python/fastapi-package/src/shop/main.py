from fastapi import FastAPI

from shop.greeting import greet

app = FastAPI()


@app.get("/")
def read() -> dict:
    return {"hello": greet()}
