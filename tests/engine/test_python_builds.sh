#!/usr/bin/env bash
# Python applications built for real (the base from Debian packages, the packages from PyPI) and started as Cloud Run does.
#
# python/ holds the applications. Those named fastapi-* share one requirements.txt, so that one installation serves them all.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/python_lib.sh"

start_registry

test_fastapi_in_src() { answers fastapi-src '"hello": "from src", "user": 10001, "directory": "/app"'; contains "$(cat said)" "found app = FastAPI(...) in src/main.py: src.main:app"; }
test_fastapi_in_app() { answers fastapi-app '"hello": "from app"'; contains "$(cat said)" "app.main:app"; }
test_fastapi_in_main_with_another_name() { answers fastapi-api '"hello": "from api"'; contains "$(cat said)" "main:api"; }
test_fastapi_that_imports_its_neighbours() { answers fastapi-bare-imports '"hello": "from beside"'; contains "$answer" "directory: /app/backend"; }
test_fastapi_deep_below() { answers fastapi-nested '"hello": "from deep below"'; contains "$(cat said)" "company.services.shop.api.server:application"; }
test_fastapi_in_a_package_in_src() { answers fastapi-package '"hello": "from a package in src"'; contains "$(cat said)" "shop.main:app"; }
test_fastapi_from_a_factory() { answers fastapi-factory '"hello": "from a factory"'; contains "$(cat said)" "found create_app() for FastAPI in shop/__init__.py"; }
test_a_procfile_decides() { answers fastapi-procfile "\"hello\": \"from the Procfile's\""; contains "$(cat said)" "found a Procfile: uvicorn other:other"; }
test_pl_json_decides_over_a_procfile() {
    answers fastapi-settings "\"hello\": \"from pl.json's\""
    equal "$("$HERE/image_listing.py" "$ref" ExposedPorts)" '{"9000/tcp": {}}'
    contains "$("$HERE/image_listing.py" "$ref" Env)" '"PORT=9000"'
}
test_flask() { answers flask '"hello": "from Flask"'; contains "$(cat said)" "gunicorn"; }
test_django_both_ways() {
    answers django "from Django by WSGI"
    contains "$(cat said)" "site_of_shop.wsgi:application"
    sed -i /gunicorn/d django/requirements.txt
    ref=$(build django); contains "$(serve "$ref")" "from Django by ASGI"
}
test_starlette_gets_a_server() { answers starlette '"hello": "from Starlette"'; contains "$(cat said)" "uvicorn is not among the dependencies: uvicorn 0"; }
test_litestar() { answers litestar '"hello": "from Litestar"'; }
test_a_script() { answers script '"hello": "from a script"'; }

deep test_fastapi_in_app test_fastapi_in_main_with_another_name test_fastapi_deep_below test_litestar # four of the thirteen layouts

run_tests
