#!/usr/bin/env bash
# pl-test from the outside, without running anything: its options, what it finds out, what it refuses.
. "$(dirname "$0")/../lib.sh"

test_help() { pl-test --help | golden test-help.txt; }

test_wrong_options_are_refused() {
    for arguments in "--suite nothing" "--coverage-min 101" "--coverage-min x" "--timeout 0" "--timeout 8d" "--env A" \
        "--suite lint --coverage-min 50" "--secret x" "--name Upper" "a b"; do
        # shellcheck disable=SC2086
        status 64 pl-test $arguments > out 2> error
        contains "$(cat out)" '"type":"error"'
    done
}

test_what_is_no_project_is_refused() {
    mkdir empty other
    touch other/readme.txt
    status 65 pl-test missing 2> error > out; contains "$(cat error)" "missing"
    status 65 pl-test empty 2> error > out; contains "$(cat error)" "empty is empty"
    status 65 pl-test other 2> error > out; contains "$(cat error)" "found no stack"
}

plan() { pl-test --plan "$@" > ../plan 2> ../error || { cat ../error; return 1; }; }
runs() { equal "$(sed -n 's/^     run \(\/opt\/venv\/bin\/python\)/\1/p' ../plan | tail -n 1)" "/opt/venv/bin/python -m $1"; }
PYTEST="pytest --junit-xml=/run/pl/results/junit.xml -o junit_family=xunit1"

test_a_library_needs_no_start_command() {
    mkdir it && cd it
    echo 'six' > requirements.txt
    mkdir tests && touch tests/test_it.py
    plan .
    runs "$PYTEST"
    contains "$(cat ../plan)" "pytest is not among the dependencies: pytest 8.3.5 is added"
    contains "$(cat ../plan)" "[ -e /opt/venv/bin/pytest ] || pip_install /opt/venv"
}

test_the_step_of_the_dependencies_is_that_of_the_build() {
    mkdir it && cd it
    printf 'fastapi\n-r more.txt\n' > requirements.txt
    echo 'six' > more.txt
    echo 'pytest' > requirements-dev.txt
    printf 'from fastapi import FastAPI\napp = FastAPI()\n' > main.py
    mkdir tests && touch tests/test_it.py
    install() { sed -n '/^ 2   install dependencies/,/^ 3 /p' | sed '$d'; }
    plan .
    pl-build --plan . > ../build
    [ -n "$(install < ../build)" ]
    equal "$(install < ../plan)" "$(install < ../build)"
    # What is left out of the image is there for the tests, and changes nothing of the build's step.
    printf 'tests\nrequirements-dev.txt\n' > .dockerignore
    plan .
    equal "$(install < ../plan)" "$(install < ../build)"
    contains "$(cat ../plan)" "install development dependencies (requirements-dev.txt)"
}

test_development_dependencies_of_every_manager() {
    mkdir it && cd it
    touch main.py
    printf '[project]\nname = "It.Self"\nversion = "1"\ndependencies = ["six"]\n[project.optional-dependencies]\ntest = ["pytest>=8", "it-self[more]"]\nmore = ["httpx"]\ndocs = ["sphinx"]\n[dependency-groups]\ndev = ["ruff", {include-group = "typing"}]\ntyping = ["mypy"]\n' > pyproject.toml
    plan .
    contains "$(cat ../plan)" "sh ruff mypy 'pytest>=8' httpx"
    lacks "$(cat ../plan)" "sphinx"
    touch uv.lock
    plan .
    contains "$(cat ../plan)" "uv sync --locked --inexact --no-install-project"
    contains "$(cat ../plan)" "sh --group dev --group typing --extra test"
    rm uv.lock; touch pdm.lock
    plan .
    contains "$(cat ../plan)" "sh -G dev -G typing -G test"
    rm pdm.lock
    printf '[tool.poetry]\nname = "it"\n[tool.poetry.dependencies]\nsix = "*"\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n[tool.poetry.group.docs.dependencies]\nsphinx = "*"\n' > pyproject.toml
    touch poetry.lock
    plan .
    contains "$(cat ../plan)" "sh --with dev"
    lacks "$(cat ../plan)" "pytest is not among"
    rm poetry.lock pyproject.toml
    printf '[packages]\nsix = "*"\n[dev-packages]\npytest = "*"\n' > Pipfile
    plan .
    contains "$(cat ../plan)" "pipenv install --dev --skip-lock"
    rm Pipfile; mkdir requirements
    echo six > requirements/base.txt
    printf -- '-r base.txt\npytest\n' > requirements/test.txt
    plan .
    contains "$(cat ../plan)" "sh -r requirements/test.txt"
}

test_coverage_where_the_project_has_it() {
    mkdir it && cd it
    touch main.py requirements.txt
    printf 'pytest\npytest-cov\n' > requirements-dev.txt
    plan .
    runs "$PYTEST --cov --cov-report=xml:/run/pl/results/coverage.xml --cov-report=term"
    plan --coverage-min 80 . -- -x
    runs "$PYTEST --cov --cov-report=xml:/run/pl/results/coverage.xml --cov-report=term -x"
    printf '[pytest]\naddopts = --cov=src\n' > pytest.ini
    plan .
    runs "$PYTEST --cov-report=xml:/run/pl/results/coverage.xml --cov-report=term"
    echo pytest > requirements-dev.txt
    plan .
    runs "$PYTEST"
    status 65 pl-test --plan --coverage-min 80 . 2> ../error > ../out
    contains "$(cat ../error)" "add pytest-cov"
}

test_other_suites_are_those_that_the_project_uses() {
    mkdir it && cd it
    touch main.py requirements.txt
    for suite in lint types audit; do
        status 65 pl-test --plan --suite $suite . 2> ../error > ../out
        contains "$(cat ../error)" "the project has no suite $suite"
        contains "$(cat ../error)" "to the development dependencies"
    done
    echo 'flake8' > requirements-dev.txt
    plan --suite lint .
    runs "flake8"
    printf 'flake8\nRuff==0.11.2\nMyPy\npip_audit\n' > requirements-dev.txt
    plan --suite lint . -- --fix
    runs "ruff check --output-format=concise --fix"
    plan --suite types .
    runs "mypy --explicit-package-bases ."
    printf '[mypy]\nfiles = main.py\n' > mypy.ini
    plan --suite types .
    runs "mypy"
    plan --suite audit .
    runs "pip_audit --progress-spinner=off"
    rm requirements-dev.txt mypy.ini
    touch ruff.toml pyrightconfig.json
    plan --suite lint .
    contains "$(cat ../plan)" "ruff is not among the dependencies: ruff 0.11.13 is added"
    plan --suite types .
    runs "pyright"
}

test_credentials_are_refused_unless_the_image_leaves_them_out() {
    mkdir it && cd it
    touch main.py requirements.txt
    echo SECRET=1 > .env
    status 65 pl-test --plan . 2> ../error > ../out
    contains "$(cat ../error)" ".env"
    echo .env > .dockerignore
    plan .
    mkdir -p env/lib && touch env/pyvenv.cfg && mkfifo env/lib/pipe
    plan .
}

node_runs() { equal "$(sed -n 's/^     run \([^/].*\)/\1/p' ../plan | tail -n 1)" "$1"; }
VITEST="--reporter=default --reporter=junit --outputFile.junit=/run/pl/results/junit.xml"

test_runners_of_node() {
    mkdir it && cd it
    package() { printf '{"name": "it", "scripts": {%s}, "devDependencies": {%s}}' "$1" "$2" > package.json; }
    package '"test": "vitest"' '"vitest": "4"'
    plan .
    node_runs "npm run test -- $VITEST"
    contains "$(cat ../plan)" "found the script \"test\" in package.json: vitest"
    package '"test": "cross-env A=1 npx vitest run --dir src"' '"vitest": "4"'
    plan . -- -t one
    node_runs "npm run test -- $VITEST -t one"
    package '' '"vitest": "4", "@vitest/coverage-v8": "4"'
    plan .
    node_runs "vitest run $VITEST --coverage.enabled --coverage.reporter=text --coverage.reporter=json-summary --coverage.reportsDirectory=/run/pl/results/coverage"
    package '"test": "tsc && jest --runInBand"' '"jest": "30"'
    plan .
    node_runs "npm run test -- --ci --reporters=default --reporters=/opt/pl/jest-junit/node_modules/jest-junit"
    contains "$(cat ../plan)" "install jest-junit@16.0.0"
    package '"test": "react-scripts test"' '"react-scripts": "5", "jest-junit": "16"'
    plan .
    node_runs "npm run test -- --watchAll=false --ci --reporters=default --reporters=jest-junit"
    # What the last command does not know is not told to it.
    package '"test": "vitest run && tsc"' '"vitest": "4"'
    plan .
    node_runs "npm run test"
    package '"test": "node --test src/"' ''
    plan . -- --test-only
    node_runs "npm run test -- --test-only"
    contains "$(cat ../plan)" "with NODE_OPTIONS=--test-reporter=spec"
    # The script that npm init writes is none.
    package '"test": "echo \"Error: no test specified\" && exit 1"' ''
    status 65 pl-test --plan . 2> ../error > ../out
    contains "$(cat ../error)" "the project has no suite unit: package.json has no script \"test\""
    touch sum.test.mjs
    plan .
    node_runs "node --test"
    status 65 pl-test --plan --coverage-min 1 . 2> ../error > ../out
    contains "$(cat ../error)" "does not measure coverage"
}

test_package_managers_of_node() {
    mkdir it && cd it
    echo '{"name": "it", "scripts": {"test": "vitest"}, "devDependencies": {"vitest": "4"}}' > package.json
    touch pnpm-lock.yaml
    plan .
    node_runs "pnpm run test $VITEST"
    contains "$(cat ../plan)" "   install pnpm"
    rm pnpm-lock.yaml; echo '# yarn lockfile v1' > yarn.lock
    plan . -- -t x
    node_runs "yarn run test $VITEST -t x"
    rm yarn.lock; touch bun.lock
    plan --suite audit .
    node_runs "bun audit"
    rm bun.lock; echo '{"name": "it", "lockfileVersion": 3, "packages": {}}' > package-lock.json
    plan .
    lacks "$(cat ../plan)" "install npm"
    plan --suite audit .
    node_runs "npm audit"
    rm package-lock.json
    status 65 pl-test --plan --suite audit . 2> ../error > ../out
    contains "$(cat ../error)" "there is no lock file"
}

test_the_step_of_the_dependencies_is_that_of_the_build_of_node() {
    mkdir -p it/src && cd it
    echo '{"name": "it", "scripts": {"build": "vite build", "test": "vitest"}, "devDependencies": {"vite": "7", "vitest": "4"}}' > package.json
    touch index.html src/main.js src/main.test.js
    install() { sed -n '/^ 2   install dependencies/,/^ 3 /p' | sed '$d'; }
    plan .
    pl-build --plan . > ../build
    [ -n "$(install < ../build)" ]
    equal "$(install < ../plan)" "$(install < ../build)"
}

test_angular() {
    mkdir it && cd it
    echo '{"name": "it", "scripts": {"test": "ng test"}, "dependencies": {"@angular/core": "21"}}' > package.json
    workspace() { printf '{"projects": {"it": {"projectType": "application", "architect": {"build": {"builder": "@angular/build:application"}, %s}}}}' "$1" > angular.json; }
    workspace '"test": {"builder": "@angular/build:unit-test"}'
    plan .
    node_runs "npm run test -- --watch=false --reporters=junit --reporters=default --output-file=/run/pl/results/junit.xml"
    status 65 pl-test --plan --coverage-min 1 . 2> ../error > ../out
    contains "$(cat ../error)" "add @vitest/coverage-v8"
    status 65 pl-test --plan --suite lint . 2> ../error > ../out
    contains "$(cat ../error)" "the project has no suite lint"
    echo '{"name": "it", "dependencies": {"@angular/core": "21"}}' > package.json
    workspace '"test": {"builder": "@angular/build:unit-test", "options": {"runner": "karma"}}, "lint": {"builder": "@angular-eslint/builder:lint"}'
    plan .
    contains "$(tail -n 1 ../plan)" "sh ng test --watch=false --browsers=ChromeHeadless"
    contains "$(cat ../plan)" "karma, which needs a browser"
    lacks "$(cat ../plan)" "install a browser"
    # Where the project is set up for a browser, it gets one.
    echo '{"name": "it", "dependencies": {"@angular/core": "21"}, "devDependencies": {"karma-chrome-launcher": "3"}}' > package.json
    plan .
    contains "$(cat ../plan)" "install a browser (chromium)"
    contains "$(cat ../plan)" "with CHROME_BIN=/opt/pl/browser"
    echo '{"name": "it", "scripts": {"test": "ng test --browsers=FirefoxHeadless"}, "dependencies": {"@angular/core": "21"}, "devDependencies": {"karma-chrome-launcher": "3"}}' > package.json
    plan .
    lacks "$(cat ../plan)" "install a browser"
    contains "$(tail -n 1 ../plan)" "sh npm run test -- --watch=false"
    plan --suite lint .
    node_runs "ng lint"
}

test_lint_and_types_of_node() {
    mkdir it && cd it
    echo '{"name": "it", "devDependencies": {"eslint": "9", "typescript": "5"}}' > package.json
    touch eslint.config.js
    plan --suite lint .
    node_runs "eslint ."
    status 65 pl-test --plan --suite types . 2> ../error > ../out
    contains "$(cat ../error)" "the project has no suite types"
    echo '{"files": [], "references": [{"path": "./a.json"}] /* as Vite has it */}' > tsconfig.json
    plan --suite types .
    node_runs "tsc --build --noEmit"
    echo '{}' > tsconfig.json
    plan --suite types . -- --pretty
    node_runs "tsc --noEmit --pretty"
    echo '{"name": "it", "scripts": {"typecheck": "tsc -p .", "lint": "biome ci"}}' > package.json
    plan --suite types .
    node_runs "npm run typecheck"
    plan --suite lint .
    node_runs "npm run lint"
}

test_dockerfiles() {
    mkdir it && cd it
    echo 'FROM scratch AS Test' > Dockerfile
    status 65 pl-test --plan . 2> ../error > ../out
    contains "$(cat ../error)" "beside the Dockerfile is no requirements.txt"
    touch requirements.txt
    plan . -- -x
    contains "$(cat ../plan)" "the tests run in the stage Test of the Dockerfile"
    contains "$(cat ../plan)" "     run python3 -m $PYTEST -x"
    contains "$(cat ../plan)" "2> /dev/null || python3 -m pip install"
    plan --target other .
    contains "$(cat ../plan)" "the tests run in the stage other of the Dockerfile"
    status 64 pl-test --plan --base rootfs:x . 2> ../error > ../out
    mv Dockerfile other.Dockerfile
    status 64 pl-test --plan --target other . 2> ../error > ../out
    contains "$(cat ../error)" "there is none here"
    plan --file other.Dockerfile .
    contains "$(cat ../plan)" "the tests run in the stage Test"
    rm requirements.txt; mv other.Dockerfile Dockerfile
    echo '{"name": "it", "devDependencies": {"vitest": "4"}}' > package.json
    plan .
    node_runs "node_modules/.bin/vitest run $VITEST"
    echo '{"name": "it", "scripts": {"test": "jest"}}' > package.json
    plan .
    node_runs "npm run test"
    contains "$(cat ../plan)" "the tests are not counted"
}

test_a_member_of_a_workspace() {
    cp -r "$ROOT/tests/engine/node/workspace" it && cd it
    sed -i 's|"scripts": {|"scripts": {"test": "vitest",|' apps/web/package.json
    install() { sed -n '/^ 2   install dependencies/,/^ 3 /p' | sed '$d'; }
    plan apps/web
    contains "$(cat ../plan)" "found package-lock.json: npm"
    contains "$(cat ../plan)" "sees the source at /app/apps/web"
    node_runs "npm run test -- $VITEST"
    pl-build --plan apps/web > ../build
    equal "$(install < ../plan)" "$(install < ../build)"
    contains "$(cat ../plan)" "(cd '\\''/app/packages/ui'\\'' && npm run build)"
}

# An audit that another tool made of this source: nothing is run, and it is kept for the source.
test_findings_of_another_tool() {
    mkdir it && cd it && echo flask > requirements.txt && echo 'x = 1' > main.py
    echo '{"dependencies": [{"name": "flask", "version": "0.5", "vulns": []}], "fixes": []}' > ../none.json
    echo '{"SchemaVersion": 2, "ArtifactName": ".", "Results": [{"Vulnerabilities": [{"VulnerabilityID": "CVE-1", "PkgName": "flask", "Severity": "HIGH", "Title": "bad \u001b[2J"}]}]}' > ../one.json
    pl-test --suite audit --findings ../none.json . > ../record 2> ../story
    equal "$(jq -c '[.suite, .runner, .failed, (.from | length)]' ../record)" '["audit","pip-audit",0,1]'
    equal "$(jq -c '[.passed, .findings.critical]' "$PL_STORE"/names/tested-audit/*)" '[true,0]'
    status 1 pl-test --suite audit --findings ../one.json . > ../record 2> ../story
    contains "$(cat ../story)" 'Trivy: 1 finding'
    equal "$(jq -c '[.passed, .findings.high, .findings.critical]' "$PL_STORE"/names/tested-audit/*)" '[false,1,0]'
    contains "$(cat "$PL_STORE/objects/$(jq -r 'select(.type == "report") | .digest' ../record | sed 's|sha256:\(..\)|\1/|')")" \
        '<testcase name="high CVE-1 of flask"><failure message="bad ?[2J">'
    status 64 pl-test --findings ../one.json . 2> ../story
    status 65 pl-test --suite audit --findings main.py . 2> ../story
    echo '{}' > ../empty.json
    status 65 pl-test --suite audit --findings ../empty.json . 2> ../story
    contains "$(cat ../story)" 'is no report that is known'
}

run_tests
