# Finds PostgreSQL and Redis for scripts/test, which sources this file: the servers named in the environment, those on the
# standard local ports, throwaway ones, or those of packages installed on the spot. What is used is exported as
# SYNKRO_TEST_DATABASE_URL and SYNKRO_TEST_REDIS_URL. `say` and `fail` are those of the script.
# shellcheck shell=bash

readonly POSTGRES_OLDEST=15
readonly REDIS_OLDEST=7
readonly POSTGRES_PORT="${SYNKRO_TEST_PGPORT:-5432}"
readonly REDIS_PORT="${SYNKRO_TEST_REDISPORT:-6379}"

scratch=""
postgres_bin=""
redis_pid=""
postgres_used=""
redis_used=""

# A text with a URL in it, without the URL's password.
masked() { sed -E 's#(://[^:/@[:space:]]*):[^[:space:]]*@#\1:***@#; s#(password=)[^&[:space:]]*#\1***#' <<<"$1"; }

# Host and port of a URL, the port given when it names none.
address_of() {
  local address="${1#*://}"
  address="${address%%[/?]*}"
  address="${address##*@}"
  [[ $address == *:* ]] || address="$address:$2"
  printf '%s %s' "${address%:*}" "${address##*:}"
}

# shellcheck disable=SC2016 # the inner shell expands its own arguments
port_is_open() { timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null; }

# Without a client program a server named by the user is taken at its word, if it listens at all.
unexamined_objection() {
  local host port
  read -r host port <<<"$(address_of "$1" "$2")"
  if port_is_open "$host" "$port"; then
    say "$3 is not installed, so the server at $(masked "$1") is used unexamined"
  else
    printf 'nothing listens at %s:%s' "$host" "$port"
  fi
}

free_port() {
  local port
  while true; do
    port=$((20000 + RANDOM % 12000))
    if ! port_is_open 127.0.0.1 "$port"; then
      printf '%s' "$port"
      return
    fi
  done
}

# --- PostgreSQL ------------------------------------------------------------------------------------------------------

# The folder that holds all the programs named, newest version first; nothing when there is none.
folder_with() {
  local folder program complete
  while read -r folder; do
    complete=yes
    for program in "$@"; do
      [[ -x "$folder/$program" ]] || complete=no
    done
    if [[ $complete == yes ]]; then
      printf '%s' "$folder"
      return
    fi
  done < <(
    shopt -s nullglob
    printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort --version-sort --reverse
    tr ':' '\n' <<<"$PATH"
  )
}

# Prints why the tests cannot use the server at this URL; prints nothing when they can.
postgres_objection() {
  local url="$1" psql_folder answer
  psql_folder="$(folder_with psql)"
  if [[ -z $psql_folder ]]; then
    unexamined_objection "$url" 5432 psql
    return
  fi
  if ! answer="$(PGCONNECT_TIMEOUT=3 "$psql_folder/psql" "$url" --no-password --no-psqlrc --tuples-only --no-align \
    --command "select current_setting('server_version_num')::int / 10000, rolsuper or (rolcreatedb and rolcreaterole)
               from pg_roles where rolname = current_user" 2>&1)"; then
    masked "$answer" | tr '\n' ' '
  elif ((${answer%%|*} < POSTGRES_OLDEST)); then
    printf 'it is PostgreSQL %s, older than %s' "${answer%%|*}" "$POSTGRES_OLDEST"
  elif [[ ${answer##*|} != t ]]; then
    printf 'its role may not create databases and roles, which the tests do'
  fi
}

use_postgres() {
  export SYNKRO_TEST_DATABASE_URL="$1"
  postgres_used="$(masked "$1") ($2)"
}

use_postgres_of_environment() {
  local objection
  [[ -n ${DATABASE_URL:-} ]] || return 1
  objection="$(postgres_objection "$DATABASE_URL")"
  [[ -z $objection ]] || fail "DATABASE_URL is set to $(masked "$DATABASE_URL"), but the tests cannot use it: $objection." \
    "Correct it, or unset it to let this script find or start a server."
  use_postgres "$DATABASE_URL" "from DATABASE_URL"
}

use_postgres_of_standard_port() {
  local role url objection
  port_is_open 127.0.0.1 "$POSTGRES_PORT" || return 1
  if [[ -z $(folder_with psql) ]]; then
    say "not using what listens at 127.0.0.1:$POSTGRES_PORT: psql is not installed to examine it; DATABASE_URL can name it"
    return 1
  fi
  for role in "$(id -un)" postgres; do
    url="postgres://$role@127.0.0.1:$POSTGRES_PORT/postgres"
    objection="$(postgres_objection "$url")"
    if [[ -z $objection ]]; then
      use_postgres "$url" "standard local port"
      return
    fi
    say "not using PostgreSQL at $url: $objection"
  done
  return 1
}

database_user() {
  if [[ $(id -u) != 0 ]]; then
    id -un
  elif id postgres >/dev/null 2>&1; then
    printf postgres
  else
    printf nobody
  fi
}

# Runs a command as somebody who is not root, because PostgreSQL refuses to run as root.
as_database_user() (
  user="$(database_user)"
  # That user may not be allowed to stand where we stand.
  cd "$scratch" || exit
  if [[ $(id -u) != 0 ]]; then
    "$@"
  elif command -v runuser >/dev/null; then
    runuser -u "$user" -- "$@"
  elif command -v setpriv >/dev/null; then
    setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
  else
    su "$user" -s /bin/sh -c "$(printf '%q ' "$@")"
  fi
)

start_postgres() {
  local data="$scratch/postgres/data" log="$scratch/postgres/log" port version locale=()
  local settings="-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200"
  # Nobody needs a throwaway database after a power cut.
  settings+=" -c fsync=off -c full_page_writes=off"
  postgres_bin="$(folder_with initdb postgres pg_ctl)"
  [[ -n $postgres_bin ]] || return 1
  version="$("$postgres_bin/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')"
  if ((version < POSTGRES_OLDEST)); then
    say "PostgreSQL $version in $postgres_bin is older than $POSTGRES_OLDEST"
    postgres_bin=""
    return 1
  fi
  # Texts are compared as in production, where the locale knows letters outside ASCII.
  if locale -a 2>/dev/null | grep -qiE '^C\.utf-?8$'; then locale=(--locale=C.UTF-8); fi
  port="$(free_port)"
  mkdir "$scratch/postgres"
  [[ $(id -u) != 0 ]] || chown "$(database_user)" "$scratch/postgres"
  if ! as_database_user "$postgres_bin/initdb" --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 \
    "${locale[@]}" --no-sync >"$scratch/initdb.log" 2>&1; then
    fail "initdb from $postgres_bin failed: $(tail -n 5 "$scratch/initdb.log")"
  fi
  if ! as_database_user "$postgres_bin/pg_ctl" --pgdata="$data" --log="$log" --wait --silent \
    --options="-p $port $settings" start >/dev/null; then
    fail "PostgreSQL from $postgres_bin did not start: $(tail -n 5 "$log")"
  fi
  use_postgres "postgres://postgres@127.0.0.1:$port/postgres" "throwaway, PostgreSQL $version from $postgres_bin"
}

stop_postgres() {
  local data="$scratch/postgres/data"
  [[ -n $postgres_bin && -f $data/postmaster.pid ]] || return 0
  as_database_user "$postgres_bin/pg_ctl" --pgdata="$data" --mode=immediate --wait --silent stop >/dev/null ||
    say "the throwaway PostgreSQL in $data did not stop"
}

# --- Redis -----------------------------------------------------------------------------------------------------------

# Prints why the tests cannot use the server at this URL; prints nothing when they can.
redis_objection() {
  local url="$1" answer version
  if ! command -v redis-cli >/dev/null; then
    unexamined_objection "$url" 6379 redis-cli
    return
  fi
  answer="$(timeout 5 redis-cli --no-auth-warning -u "$url" INFO server 2>&1 | tr -d '\r' || true)"
  version="$(sed -nE 's/^redis_version:([0-9]+).*/\1/p' <<<"$answer")"
  if [[ -z $version || $answer == *"AUTH failed"* ]]; then
    printf 'it does not answer as Redis does: %s' "$(masked "${answer:-no answer}" | head -n 2 | tr '\n' ' ')"
  elif ((version < REDIS_OLDEST)); then
    printf 'it is Redis %s, older than %s' "$version" "$REDIS_OLDEST"
  fi
}

use_redis() {
  export SYNKRO_TEST_REDIS_URL="$1"
  redis_used="$(masked "$1") ($2)"
}

use_redis_of_environment() {
  local objection
  [[ -n ${REDIS_URL:-} ]] || return 1
  objection="$(redis_objection "$REDIS_URL")"
  [[ -z $objection ]] || fail "REDIS_URL is set to $(masked "$REDIS_URL"), but the tests cannot use it: $objection." \
    "Correct it, or unset it to let this script find or start a server."
  use_redis "$REDIS_URL" "from REDIS_URL"
}

use_redis_of_standard_port() {
  local url="redis://127.0.0.1:$REDIS_PORT" objection
  port_is_open 127.0.0.1 "$REDIS_PORT" || return 1
  objection="$(redis_objection "$url")"
  if [[ -n $objection ]]; then
    say "not using Redis at $url: $objection"
    return 1
  fi
  use_redis "$url" "standard local port"
}

start_redis() {
  local port objection log="$scratch/redis/log" attempts=50
  command -v redis-server >/dev/null || return 1
  port="$(free_port)"
  mkdir "$scratch/redis"
  redis-server --bind 127.0.0.1 --port "$port" --dir "$scratch/redis" --save '' --appendonly no >"$log" 2>&1 &
  redis_pid=$!
  until port_is_open 127.0.0.1 "$port"; do
    if ((attempts-- == 0)) || ! kill -0 "$redis_pid" 2>/dev/null; then
      fail "redis-server did not start: $(tail -n 5 "$log")"
    fi
    sleep 0.1
  done
  objection="$(redis_objection "redis://127.0.0.1:$port")"
  if [[ -n $objection ]]; then
    say "not using $(command -v redis-server): $objection"
    stop_redis
    redis_pid=""
    return 1
  fi
  use_redis "redis://127.0.0.1:$port" "throwaway, from $(command -v redis-server)"
}

stop_redis() {
  [[ -n $redis_pid ]] || return 0
  kill "$redis_pid" 2>/dev/null || true
  wait "$redis_pid" 2>/dev/null || true
}

# --- both ------------------------------------------------------------------------------------------------------------

stop_servers() {
  stop_redis
  [[ -n $scratch ]] || return 0
  stop_postgres
  rm -rf "$scratch"
}

prepare_scratch() {
  scratch="$(mktemp -d "${TMPDIR:-/tmp}/synkro-test.XXXXXX")"
  # PostgreSQL runs as another user when this script runs as root, and must reach its folder below.
  chmod 755 "$scratch"
}

may_install() { [[ $(id -u) == 0 ]] && grep -qE '^ID(_LIKE)?=.*debian' /etc/os-release 2>/dev/null && command -v apt-get >/dev/null; }

install_packages() {
  say "installing Debian's packages: $*"
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# Tests that stop and start a server make one of their own, whichever server the others use.
has_server_programs() { [[ -n $(folder_with initdb pg_ctl postgres) ]]; }

find_servers() {
  local missing=() packages=()
  use_postgres_of_environment || use_postgres_of_standard_port || start_postgres || packages+=(postgresql)
  ((${#packages[@]} > 0)) || has_server_programs || packages+=(postgresql)
  use_redis_of_environment || use_redis_of_standard_port || start_redis || packages+=(redis-server)
  ((${#packages[@]} > 0)) || return 0
  if may_install; then
    install_packages "${packages[@]}" || fail "apt-get could not install: ${packages[*]}"
    [[ -n $postgres_used ]] || start_postgres || true
    [[ -n $redis_used ]] || start_redis || true
  fi
  [[ -n $postgres_used ]] ||
    missing+=("PostgreSQL $POSTGRES_OLDEST or newer, server and psql (Debian: apt-get install postgresql), or set DATABASE_URL")
  [[ -n $redis_used ]] ||
    missing+=("Redis $REDIS_OLDEST or newer (Debian: apt-get install redis-server), or set REDIS_URL")
  has_server_programs || [[ -z $postgres_used ]] ||
    missing+=("PostgreSQL's server programs initdb, pg_ctl and postgres, beside the server in use (Debian: apt-get install postgresql)")
  ((${#missing[@]} == 0)) || fail "please provide$(printf '\n  - %s' "${missing[@]}")"
}

name_servers() {
  say "PostgreSQL: $postgres_used"
  say "Redis:      $redis_used"
}
