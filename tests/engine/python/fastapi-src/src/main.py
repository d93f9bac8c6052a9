import os

from fastapi import FastAPI

from src.greeting import greet

app = FastAPI()


@app.get("/")
def read() -> dict:
    return {"hello": greet(), "user": os.getuid(), "directory": os.getcwd()}
