import fastapi

"""
app = FastAPI()  # in a text: no application
"""
api = fastapi.FastAPI()


@api.get("/")
def read() -> dict:
    return {"hello": "from api"}
