# shellcheck shell=bash
# shellcheck disable=SC2154  # the settings and folders of Scripts/databases
# The local MongoDB endpoint: an engine (see documentdb.sh) that listens on a socket alone, and the gateway in front of it.
# Sourced by Scripts/databases, whose settings and ports it uses.

gateway_package=$repository/Tools/DocumentGateway
gateway_program=$gateway_package/.build/release/document-gateway

# The folder of the engine's socket: beside its data, unless the path would be too long for a socket's address.
engine_sockets() {
    if [ ${#DATA} -le 70 ]; then printf '%s/sockets\n' "$DATA"; else printf '/tmp/%s\n' "$PROJECT"; fi
}

engine_url() { printf 'postgres://postgres@/postgres?host=%s&port=%s\n' "$(engine_sockets)" "$(engine_port)"; }

engine_running() {
    [ -n "$DATA" ] && [ -e "$DATA/engine/PG_VERSION" ] && [ -x "$(documentdb_programs)/pg_ctl" ] &&
        as_server "$(documentdb_programs)/pg_ctl" status -D "$DATA/engine" >/dev/null
}

gateway_running() {
    local pid
    pid=$(cat "$state/gateway.pid" 2>/dev/null) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
    # Numbers of processes are used again.
    if [ -r "/proc/$pid/cmdline" ]; then
        tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q document-gateway
    else
        ps -o args= -p "$pid" | grep -q document-gateway
    fi
}

create_engine() {
    local folder=$DATA/engine sockets
    sockets=$(engine_sockets)
    [ -e "$folder/PG_VERSION" ] && return
    as_server rm -rf "$folder.new"
    # Only the servers' user can reach the socket, so there is nothing to ask for.
    as_server "$(documentdb_programs)/initdb" -D "$folder.new" --username=postgres --auth=trust --encoding=UTF8 \
        --locale-provider=builtin --locale=C.UTF-8 >"$state/initdb.log" 2>&1 9<&- || {
        as_server rm -rf "$folder.new"
        cat "$state/initdb.log" >&2
        say "initdb failed for the engine of the MongoDB endpoint"
        return 1
    }
    as_server tee -a "$folder.new/postgresql.conf" >/dev/null <<CONF

# The engine of a development endpoint, written by Scripts/databases
listen_addresses = ''
unix_socket_directories = '$sockets'
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'
shared_preload_libraries = 'pg_cron,pg_documentdb_core,pg_documentdb,pg_documentdb_extended_rum'
cron.database_name = 'postgres'
cron.host = '$sockets'
cron.log_run = off
cron.log_statement = off
documentdb.localhost_connection_string = 'host=$sockets port=$(engine_port) dbname=postgres user=postgres'
documentdb.useFileBasedPersistedCursors = on
documentdb.defaultCursorExpiryTimeLimitSeconds = 600
# What was acknowledged survives the end of any process, not that of the machine.
fsync = off
full_page_writes = off
CONF
    as_server mv "$folder.new" "$folder"
}

start_engine() {
    local folder=$DATA/engine sockets
    engine_running && return
    sockets=$(engine_sockets)
    as_server mkdir -p -m 0700 "$sockets"
    if ! as_server test -O "$sockets"; then
        say "$sockets belongs to somebody else"
        return 1
    fi
    create_engine || return 1
    # The ports may have changed since the folder was made.
    as_server "$(documentdb_programs)/pg_ctl" start -w -t 60 -s -D "$folder" -l "$folder.log" -o "-p $(engine_port) \
        -c documentdb.localhost_connection_string='host=$sockets port=$(engine_port) dbname=postgres user=postgres'" || {
        as_server tail -n 20 "$folder.log" >&2
        say "the engine of the MongoDB endpoint did not start; the end of its log is above"
        return 1
    }
}

build_gateway() {
    has swift || {
        say "No local MongoDB endpoint: there is no swift on PATH to build its gateway."
        return 1
    }
    install_for libpq libbson
    [ -x "$gateway_program" ] || say "Building the gateway of the MongoDB endpoint; minutes, the first time"
    swift build --package-path "$gateway_package" -c release --product document-gateway >"$state/gateway-build.log" 2>&1 9<&- || {
        tail -n 30 "$state/gateway-build.log" >&2
        say "the gateway of the MongoDB endpoint could not be built; the end of the log is above"
        return 1
    }
}

# documentdb_up: the engine and its gateway. Says why, and fails, when this machine cannot have them.
documentdb_up() {
    gateway_running && engine_running && return
    if [ "${PERSISTENCE_MONGO:-}" = no ]; then
        say "No local MongoDB endpoint: PERSISTENCE_MONGO=no"
        return 1
    fi
    documentdb_prepare && build_gateway && start_engine || return 1
    gateway_running && return
    require_port_free "$(mongo_port)"
    # A session of its own, so that it outlives the terminal.
    local launcher=()
    if has setsid; then launcher=(setsid); fi
    (
        exec 9<&-
        cd /
        GATEWAY_ADMIN_PASSWORD=$PASSWORD exec ${launcher[@]+"${launcher[@]}"} "$gateway_program" \
            --engine "$(engine_url)" \
            --port "$(mongo_port)" --admin-user admin --fail-points
    ) >"$state/gateway.log" 2>&1 </dev/null &
    local pid=$! waited=0
    printf '%s\n' "$pid" >"$state/gateway.pid"
    until grep -q '^listening on' "$state/gateway.log" 2>/dev/null; do
        waited=$((waited + 1))
        if ! kill -0 "$pid" 2>/dev/null || [ $waited -gt 300 ]; then
            tail -n 20 "$state/gateway.log" >&2
            rm -f "$state/gateway.pid"
            say "the gateway of the MongoDB endpoint did not start; the end of its log is above"
            return 1
        fi
        sleep 0.1
    done
}

documentdb_down() {
    local pid waited=0
    if gateway_running; then
        pid=$(cat "$state/gateway.pid")
        kill -TERM "$pid"
        while kill -0 "$pid" 2>/dev/null; do
            waited=$((waited + 1))
            [ $waited -ne 100 ] || kill -KILL "$pid" 2>/dev/null || true
            sleep 0.1
        done
    fi
    rm -f "$state/gateway.pid"
    if engine_running; then
        as_server "$(documentdb_programs)/pg_ctl" stop -s -w -t 60 -m fast -D "$DATA/engine"
    fi
    case $(engine_sockets) in
    /tmp/persistence-*) as_server rm -rf "$(engine_sockets)" ;;
    esac
}

documentdb_status() {
    local reason
    if gateway_running && engine_running; then
        state_line mongo "$(mongo_port)" "up    Tools/DocumentGateway, $DATA/engine, $state/gateway.log"
        return
    fi
    reason=$(documentdb_unsupported)
    if [ -n "$reason" ]; then
        state_line mongo "$(mongo_port)" "not provided: $reason"
    elif [ "${PERSISTENCE_MONGO:-}" = no ]; then
        state_line mongo "$(mongo_port)" "not wanted: PERSISTENCE_MONGO=no"
    elif [ ! -d "$(documentdb_root)" ]; then
        state_line mongo "$(mongo_port)" "not provided: its engine could not be fetched"
    else
        state_line mongo "$(mongo_port)" down
        return 1
    fi
}
