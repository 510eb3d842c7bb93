# Short names for what one does here every day; each line works as well when typed by hand.

# Variables come from .env, if there is one (.env.example). `just test` then makes its databases on that DATABASE_URL.
set dotenv-load

# List what there is.
default:
    @just --list

# The main job on real dialogues, with nothing set up before it.
demo *arguments:
    cargo run --release -- demo {{ arguments }}

# All tests; a part of a name selects some of them.
test *filter:
    scripts/test {{ filter }}

# The long forms of the tests too.
test-long:
    scripts/test --long

# The rules that need no database: layers, sizes, documents, dependencies.
house:
    cargo test --package synkro --test house

# Format everything.
format:
    cargo fmt --all

# What CI says about form and lints.
lint:
    cargo fmt --all -- --check
    cargo clippy --workspace --all-targets -- -D warnings

# Everything that CI runs.
ci:
    .ci/run

# Bring the database at DATABASE_URL up to date.
migrate:
    cargo run -- migrate

# Rewrite docs/openapi.json from the code.
openapi:
    cargo run -- openapi > target/openapi.json
    mv target/openapi.json docs/openapi.json

# Rewrite the readable schema after a change of the migrations; review the difference.
schema:
    UPDATE_SCHEMA=1 scripts/test schema

# Write the golden files of new events; existing ones never change.
golden:
    UPDATE_GOLDEN=1 cargo test --package domain golden

# The production set of containers, on this machine.
up:
    docker compose up --build --wait
