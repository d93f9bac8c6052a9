from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def read() -> dict:
    return {"hello": "not this one"}
