"""Sign-in, against a server of certificates such as Google has, and with tokens such as Firebase signs."""

import datetime
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from fastapi.testclient import TestClient
from google.auth import crypt, jwt

from src.main import app

PROJECT = "demo-shop"
ISSUER = f"https://securetoken.google.com/{PROJECT}"


class Key:
    def __init__(self, key_id: str) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "securetoken.system.gserviceaccount.com")])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(private, hashes.SHA256())
        )
        self.key_id = key_id
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.signer = crypt.RSASigner.from_string(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            key_id,
        )

    def token(self, **changes: object) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": PROJECT,
            "sub": "user-1",
            "user_id": "user-1",
            "auth_time": now,
            "iat": now,
            "exp": now + 3600,
            "provider_id": "anonymous",
            "firebase": {"identities": {}, "sign_in_provider": "anonymous"},
        } | changes
        return jwt.encode(self.signer, {name: value for name, value in claims.items() if value is not None}).decode()


KEY, OTHER_KEY = Key("first"), Key("second")


class Certificates(HTTPServer):
    """Serves KEY's certificate in Google's form, or what a test puts in its place."""

    status, body, requests = 200, json.dumps({KEY.key_id: KEY.certificate}), 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requests += 1
        body = self.server.body.encode()
        self.send_response(self.server.status)
        self.send_header("Cache-Control", "public, max-age=3600, must-revalidate, no-transform")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def certificates() -> Iterator[Certificates]:
    with Certificates(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("SHOP_SIGN_IN_PROJECT", PROJECT)
    monkeypatch.setenv("SHOP_SIGN_IN_CERTIFICATES", certificates.url)
    with TestClient(app) as client:
        yield client


def get(client: TestClient, path: str, token: str) -> tuple[int, object]:
    answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json()


def test_who_is_signed_in_sees_the_items(client: TestClient) -> None:
    status, items = get(client, "/api/items", KEY.token())
    assert status == 200 and [item["name"] for item in items][0] == "Notebook"
    assert get(client, "/api/me", KEY.token()) == (200, {"id": "user-1", "anonymous": True})
    token = KEY.token(firebase={"sign_in_provider": "password"})
    assert get(client, "/api/me", token) == (200, {"id": "user-1", "anonymous": False})


def test_an_item_is_added_where_it_was_asked_for(client: TestClient) -> None:
    answer = client.post(
        "/api/items",
        json={"name": "Pencil", "price_cents": 120},
        headers={"Authorization": f"bearer {KEY.token()}"},
    )
    assert answer.status_code == 201
    assert get(client, answer.headers["Location"], KEY.token())[1]["name"] == "Pencil"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic dTpw", "token"])
@pytest.mark.parametrize("path", ["/api/items", "/items", "/items/1", "/api/me"])
def test_without_a_token_nothing_is_shown(client: TestClient, path: str, header: str | None) -> None:
    answer = client.get(path, headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json() == {"detail": "sign in first"}


def test_without_a_token_nothing_is_changed(client: TestClient) -> None:
    assert client.post("/api/items", json={"name": "x", "price_cents": 1}).status_code == 401
    assert client.put("/items/1", json={"name": "x", "price_cents": 1}).status_code == 401
    assert client.delete("/api/items/1").status_code == 401
    assert get(client, "/api/items/1", KEY.token())[1]["name"] == "Notebook"


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "a.b.c",
        KEY.token()[:-8] + "AAAAAAAA",
        OTHER_KEY.token(),
        KEY.token(aud="other-project"),
        KEY.token(iss="https://securetoken.google.com/other-project"),
        KEY.token(iss="https://accounts.google.com"),
        KEY.token(iss=None),
        KEY.token(sub=""),
        KEY.token(sub=None),
        KEY.token(sub="x" * 129),
        KEY.token(iat=int(time.time()) - 7200, exp=int(time.time()) - 3600),
        KEY.token(iat=int(time.time()) + 3600, exp=int(time.time()) + 7200),
        "eyJhbGciOiJub25lIn0." + KEY.token().split(".")[1] + ".",
    ],
)
def test_a_wrong_token_is_refused(client: TestClient, token: str) -> None:
    answer = client.get("/api/items", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert answer.json() == {"detail": "the token is not valid"}


def test_health_and_the_front_page_are_for_all(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/").json()["items"] == 3


def test_certificates_are_fetched_once(client: TestClient, certificates: Certificates) -> None:
    for _ in range(3):
        assert get(client, "/api/items", KEY.token())[0] == 200
    assert certificates.requests == 1


@pytest.mark.parametrize("status, body", [(500, "{}"), (200, "<html>"), (404, "")])
def test_without_certificates_nobody_is_called_a_liar(
    client: TestClient, certificates: Certificates, status: int, body: str
) -> None:
    certificates.status, certificates.body = status, body
    assert get(client, "/api/items", KEY.token()) == (503, {"detail": "tokens cannot be verified now"})


def test_sign_in_is_off_without_a_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_SIGN_IN_PROJECT", raising=False)
    with TestClient(app) as client:
        assert client.get("/api/items").json() == client.get("/items").json()
        assert client.get("/api/me").json() is None


def test_a_wrong_url_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SIGN_IN_CERTIFICATES", "file:///etc/passwd")
    with pytest.raises(ValueError, match="SHOP_SIGN_IN_CERTIFICATES"), TestClient(app):
        pass
