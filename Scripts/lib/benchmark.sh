# shellcheck shell=bash
# shellcheck disable=SC2154  # repository, state and the functions come from common.sh and servers.sh
# What Scripts/benchmark sets up beside the databases: the clients that are measured beside the engine, and a server with
# TLS. Sourced by Scripts/benchmark.

peers=$repository/.build/peers

# install_peers: a private Python environment with the clients of Benchmarks/Peers/requirements.txt; sets
# BENCHMARK_PYTHON when they are there. A machine without Python or network runs the benchmark without them.
install_peers() {
    local wanted=$repository/Benchmarks/Peers/requirements.txt
    if ! cmp -s "$wanted" "$peers/installed.txt"; then
        say "Installing from PyPI into .build/peers: $(grep -v '^#' "$wanted" | tr '\n' ' ')"
        if ! python3 -m venv "$peers" >&2; then
            say "No Python environment can be made (Debian: apt-get install python3-venv): going on without"
            return 0
        fi
        if ! "$peers/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" >&2; then
            say "They could not be installed: going on without"
            return 0
        fi
        cp "$wanted" "$peers/installed.txt"
    fi
    export BENCHMARK_PYTHON=$peers/bin/python
}

secure_folder=

# start_secure_server: a private server with TLS on a port of its own, its certificate made for this run; exports
# BENCHMARK_TLS_URL. It does not flush to disk: what is compared on it is what encryption costs.
start_secure_server() {
    local programs password port=5500
    programs=$(postgres_programs)
    secure_folder=$(mktemp -d /var/tmp/persistence-benchmark.XXXXXX)
    if is_root; then chown "$(server_user):" "$secure_folder"; fi
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    # shellcheck disable=SC2016  # for the inner shell
    PASSWORD=$password as_server sh -c '
        set -eu
        umask 077
        cd "$1"
        printf "%s\n" "$PASSWORD" >password
        "$2/initdb" -D data --username=admin --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync
        rm password
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -sha256 -subj /CN=localhost \
            -keyout data/server.key -out data/server.crt
        "$2/pg_ctl" start -w -s -D data -l log \
            -o "-p $3 -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c ssl=on -c fsync=off -c max_connections=200"
    ' sh "$secure_folder" "$programs" "$port" >/dev/null 2>&1 || die "the server with TLS did not start"
    export BENCHMARK_TLS_URL="postgres://admin:$password@127.0.0.1:$port/postgres?sslmode=require"
}

# Keeps the result of what ran before, which the next step of an EXIT trap reads.
stop_secure_server() {
    local result=$?
    [ -n "$secure_folder" ] || return "$result"
    as_server "$(postgres_programs)/pg_ctl" stop -s -m immediate -D "$secure_folder/data" || true
    rm -rf "$secure_folder"
    return "$result"
}

# write_document_report: the report on documents and README's second table from docs/data.
write_document_report() {
    PYTHONDONTWRITEBYTECODE=1 "${BENCHMARK_PYTHON:-python3}" "$repository/Benchmarks/Report/document_report.py"
}

# write_report: the report, the plots and README's table from docs/data.
write_report() {
    [ -n "${BENCHMARK_PYTHON:-}" ] || die "the plots need Python with matplotlib, which could not be installed"
    PYTHONDONTWRITEBYTECODE=1 "$BENCHMARK_PYTHON" "$repository/Benchmarks/Report/report.py"
}
