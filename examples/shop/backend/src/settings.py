"""Settings of the service, all from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    shop_name: str = "shop"
    database: str = ":memory:"
    currency: str = "EUR"
    item_limit: int = 1000
    revision: str = "local"
    sign_in_project: str = ""
    sign_in_certificates: str = (
        "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        item_limit = environment.get("SHOP_ITEM_LIMIT", "1000")
        if not item_limit.isdecimal() or int(item_limit) < 1:
            raise ValueError(f"SHOP_ITEM_LIMIT must be a positive number, not {item_limit!r}")
        certificates = environment.get("SHOP_SIGN_IN_CERTIFICATES", cls.sign_in_certificates)
        if not certificates.startswith(("https://", "http://")):
            raise ValueError(f"SHOP_SIGN_IN_CERTIFICATES must be a URL, not {certificates!r}")
        return cls(
            shop_name=environment.get("SHOP_NAME", cls.shop_name),
            database=environment.get("SHOP_DATABASE", cls.database),
            currency=environment.get("SHOP_CURRENCY", cls.currency),
            item_limit=int(item_limit),
            # Cloud Run tells each container the name of its revision.
            revision=environment.get("K_REVISION", cls.revision),
            sign_in_project=environment.get("SHOP_SIGN_IN_PROJECT", cls.sign_in_project),
            sign_in_certificates=certificates,
        )
