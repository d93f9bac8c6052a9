def greet() -> str:
    return "from app"
