from litestar import Litestar, get


@get("/")
async def read() -> dict[str, str]:
    return {"hello": "from Litestar"}


app = Litestar([read])
