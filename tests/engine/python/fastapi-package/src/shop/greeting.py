def greet() -> str:
    return "from a package in src"
