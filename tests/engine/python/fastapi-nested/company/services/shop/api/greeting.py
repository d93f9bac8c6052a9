def greet() -> str:
    return "from deep below"
