from fastapi import FastAPI


def create_app(title: str = "shop") -> FastAPI:
    app = FastAPI(title=title)

    @app.get("/")
    def read() -> dict:
        return {"hello": "from a factory"}

    return app
