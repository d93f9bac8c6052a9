def greet() -> str:
    return "from beside"
