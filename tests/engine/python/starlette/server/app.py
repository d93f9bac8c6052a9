from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def read(request):
    return JSONResponse({"hello": "from Starlette"})


app = Starlette(
    routes=[Route("/", read)],
)
