"""Who asks: ID tokens of Firebase Authentication, verified by google-auth.

The rules are Firebase's own: https://firebase.google.com/docs/auth/admin/verify-id-tokens
"""

import json
import logging
from typing import Annotated

import cachecontrol
import requests
from fastapi import Depends, HTTPException, Request, status
from google.auth import exceptions
from google.auth.transport.requests import Request as Transport
from google.oauth2 import id_token
from pydantic import BaseModel

from src.settings import Settings

CLOCK_SKEW_SECONDS = 10
logger = logging.getLogger("uvicorn.error")


class User(BaseModel):
    id: str
    anonymous: bool


class InvalidToken(Exception):
    """The token does not prove who asks."""


class CertificatesUnavailable(Exception):
    """The certificates cannot be had, so that no token can be verified now."""


class Verifier:
    """Verifies the tokens of one Firebase project. The certificates are kept as long as their server allows."""

    def __init__(self, project: str, certificates_url: str) -> None:
        self._project = project
        self._certificates_url = certificates_url
        self._transport = Transport(session=cachecontrol.CacheControl(requests.Session()))

    def verify(self, token: str) -> User:
        try:
            claims = id_token.verify_token(
                token,
                self._transport,
                audience=self._project,
                certs_url=self._certificates_url,
                clock_skew_in_seconds=CLOCK_SKEW_SECONDS,
            )
        except (exceptions.TransportError, json.JSONDecodeError) as error:
            raise CertificatesUnavailable(str(error)) from error
        except (exceptions.GoogleAuthError, ValueError) as error:
            raise InvalidToken(str(error)) from error
        if claims.get("iss") != f"https://securetoken.google.com/{self._project}":
            raise InvalidToken("the token has another issuer")
        user = claims.get("sub")
        if not isinstance(user, str) or not 0 < len(user) <= 128:
            raise InvalidToken("the token has no subject")
        provider = claims.get("firebase", {}).get("sign_in_provider")
        return User(id=user, anonymous=provider == "anonymous")


def verifier_of(settings: Settings) -> Verifier | None:
    """None: nobody has to sign in."""
    if not settings.sign_in_project:
        logger.warning("sign-in is off: set SHOP_SIGN_IN_PROJECT to the Firebase project whose users may ask")
        return None
    return Verifier(settings.sign_in_project, settings.sign_in_certificates)


def unauthorized(detail: str, challenge: str = "Bearer") -> HTTPException:
    return HTTPException(status.HTTP_401_UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})


def current_user(request: Request) -> User | None:
    """The user who asks; None when sign-in is off. 401 without a valid token, 503 when none can be verified."""
    verifier: Verifier | None = request.app.state.verifier
    if verifier is None:
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized("sign in first")
    try:
        return verifier.verify(token.strip())
    except InvalidToken as error:
        logger.info("refused a token: %s", error)
        raise unauthorized("the token is not valid", 'Bearer error="invalid_token"') from None
    except CertificatesUnavailable as error:
        logger.error("cannot verify tokens: %s", error)
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "tokens cannot be verified now") from None


CurrentUser = Annotated[User | None, Depends(current_user)]
