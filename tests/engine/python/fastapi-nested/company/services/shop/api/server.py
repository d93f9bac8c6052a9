from fastapi import FastAPI

from company.services.shop.api.greeting import greet

application = FastAPI()


@application.get("/")
def read() -> dict:
    return {"hello": greet()}
