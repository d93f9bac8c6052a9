def name() -> str:
    return "thing"
