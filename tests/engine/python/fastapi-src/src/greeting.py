def greet() -> str:
    return "from src"
