#!/usr/bin/env bash
# pl-test with node --test, vitest, jest and others, in real containers: what the exit code, the record and the annotations
# say of every kind of suite.
. "$(dirname "$0")/../lib.sh"

project() { # project PACKAGE.JSON FILE: the suite goes to FILE, from standard input
    shared_store
    mkdir -p "it/$(dirname "$2")" && cd it
    printf '%s\n' "$1" > package.json
    date +%s%N > unique # the store outlives a run of the tests
    suite=$2
    cat > "$suite"
}
get() { jq -r "select(.type == \"report\") | .$1" ../record; }
run() { # run STATUS ARGUMENTS...
    local want=$1; shift
    GITHUB_ACTIONS=true GITHUB_WORKSPACE=$PWD status "$want" pl-test "$@" > ../record 2> ../story || { cat ../story; return 1; }
    if [ "$want" != 0 ]; then equal "$(jq -r 'select(.type == "error") | .code' ../record)" "$want"; fi
}
counts() { equal "$(get 'tests, .passed, .failed, .errors, .skipped' | paste -sd' ')" "$1"; }
annotates() { contains "$(grep '^::error file=' ../story)" "::error file=$suite,line=$1,title=$2"; }

NODE='{"name": "it", "version": "1.0.0", "type": "module", "scripts": {"test": "node --test"}}'
VITEST='{"name": "it", "version": "1.0.0", "type": "module", "scripts": {"test": "vitest", "lint": "eslint src", "broken": "x"},
 "devDependencies": {"vitest": "4.1.12", "@vitest/coverage-v8": "4.1.12", "eslint": "9.38.0", "typescript": "5.9.3"}}'
JEST='{"name": "it", "version": "1.0.0", "scripts": {"test": "jest"}, "devDependencies": {"jest": "30.2.0"}}'

test_node_passing_is_cached() {
    project "$NODE" test/a.test.js <<'END'
import { test } from "node:test";
test("adds", () => {});
test("subtracts", () => {});
END
    run 0 .
    counts "2 2 0 0 0"
    equal "$(get runner)" "node --test"
    run 0 .
    contains "$(cat ../story)" "run node --test: cached"
    echo 'test.skip("later", () => {});' >> test/a.test.js
    run 0 .
    contains "$(cat ../story)" "install dependencies (package.json): cached"
    lacks "$(cat ../story)" "run node --test: cached"
    counts "3 2 0 0 1"
}

test_node_failing() {
    project "$NODE" test/a.test.js <<'END'
import { test } from "node:test";
import assert from "node:assert";
test("adds", () => {});
test("wrong", () => {
  console.log("::warning::no command");
  assert.equal(1 + 1, 3);
});
END
    run 1 .
    counts "2 1 1 0 0"
    annotates 6 wrong
    contains "$(cat ../story)" "pl-test: 1 of 2 tests failed"
    equal "$(grep -E '^ *::' ../story | grep -vE '^::(group|endgroup|error )' | wc -l)" 0
}

test_node_crashing_hanging_and_without_tests() {
    project "$NODE" test/a.test.js <<'END'
import { test } from "node:test";
test("crash", () => process.kill(process.pid, "SIGSEGV"));
END
    run 1 .
    counts "1 0 1 0 0"
    annotates 1 test/a.test.js
    echo 'import { test } from "node:test"; test("hangs", () => { for (;;); });' > test/a.test.js
    run 124 --timeout 2s .
    contains "$(cat ../story)" "the tests did not end within 2 s"
    rm test/a.test.js
    run 0 .
    counts "0 0 0 0 0"
}

test_vitest_passing_with_coverage() {
    project "$VITEST" src/sum.test.js <<'END'
import { expect, it } from "vitest";
import { add } from "./sum.js";
it("adds", () => expect(add(1, 1)).toBe(2));
END
    printf 'export const add = (a, b) => a + b;\nexport const subtract = (a, b) => {\n  return a - b;\n};\n' > src/sum.js
    run 0 .
    counts "1 1 0 0 0"
    equal "$(get runner)" vitest
    [ "$(get coverage)" != null ]
    run 1 --coverage-min 99 .
    contains "$(cat ../story)" "run vitest: cached"
    contains "$(cat ../story)" "less than the 99 % of --coverage-min"
    run 0 . -- -t adds
    counts "1 1 0 0 0"
}

test_vitest_failing_and_erroring() {
    project "$VITEST" src/sum.test.js <<'END'
import { describe, expect, it } from "vitest";
describe("sum", () => {
  it("adds", () => expect(1 + 1).toBe(2));
  it("wrong", () => {
    expect(1 + 1).toBe(3);
  });
  it.skip("later", () => {});
});
END
    echo 'import "./nothing.js";' > src/import.test.js
    run 1 .
    counts "4 1 2 0 1"
    annotates 5 "src/sum.test.js › sum > wrong::expected 2 to be 3"
    contains "$(cat ../story)" "file=src/import.test.js,line=1,title=src/import.test.js::Cannot find module './nothing.js'"
}

test_vitest_hanging_crashing_and_without_tests() {
    project "$VITEST" src/a.test.js <<'END'
import { it } from "vitest";
it("hangs", () => { for (;;); });
END
    run 124 --timeout 3s .
    echo 'import { it } from "vitest"; it("crash", () => process.kill(process.pid, "SIGSEGV"));' > src/a.test.js
    run 1 .
    counts "1 1 0 1 0"
    contains "$(cat ../story)" "vitest failed: 1 error outside of the tests"
    contains "$(cat ../story)" "::error title=(outside of the tests)::Error: [vitest-pool]: Worker forks emitted error."
    rm src/a.test.js
    run 70 .
    contains "$(cat ../story)" "the tests could not run: vitest failed with exit code 1"
}

test_eslint_and_typescript() {
    project "$VITEST" src/a.js <<'END'
const x = 1;
END
    echo 'export default [{ rules: { "no-unused-vars": "error" } }];' > eslint.config.mjs
    echo 'const y: string = 1;' > src/b.ts
    echo '{"compilerOptions": {"strict": true, "target": "es2022", "skipLibCheck": true}, "include": ["src/*.ts"]}' > tsconfig.json
    run 1 --suite lint .
    counts "1 0 1 0 0"
    contains "$(cat ../story)" "::error file=src/a.js,line=1,title=eslint::'x' is assigned a value but never used"
    run 1 --suite types .
    contains "$(cat ../story)" "::error file=src/b.ts,line=1,title=tsc::error TS2322"
    echo 'const y: number = 1; console.log(y);' > src/b.ts
    echo 'console.log(1);' > src/a.js
    run 0 --suite lint .
    run 0 --suite types .
    run 0 --suite types .
    contains "$(cat ../story)" "run tsc: cached"
}

test_jest() {
    project "$JEST" src/sum.test.js <<'END'
describe("sum", () => {
  test("adds", () => expect(1 + 1).toBe(2));
  test("wrong", () => {
    expect(1 + 1).toBe(3);
  });
});
END
    echo 'require("./nothing");' > src/import.test.js
    run 1 .
    counts "3 1 1 1 0"
    annotates 4 "sum wrong"
    contains "$(cat ../story)" "file=src/import.test.js,line=1,title=Test suite failed to run › src/import.test.js::Cannot find module './nothing'"
    rm src/import.test.js
    run 0 . -- -t adds
    echo 'test("crash", () => process.kill(process.pid, "SIGSEGV"));' > src/sum.test.js
    run 70 .
    contains "$(cat ../story)" "jest could not run to its end: signal 11"
    equal "$(jq -r .type ../record)" error
}

test_any_other_script() {
    project '{"name": "it", "version": "1.0.0", "scripts": {"test": "node check.js"}}' check.js <<'END'
console.log("2 passing");
END
    run 0 .
    equal "$(get runner)" "npm run test"
    echo 'process.exit(3)' > check.js
    run 1 .
    contains "$(cat ../story)" "npm run test failed with exit code 3"
    echo 'process.kill(process.pid, "SIGKILL")' > check.js
    run 70 .
    echo '{"name": "it", "scripts": {"test": "no-such-program"}}' > package.json
    run 70 .
}

run_tests
