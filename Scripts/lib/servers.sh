# shellcheck shell=bash
# shellcheck disable=SC2154  # the settings and folders of Scripts/databases
# The databases as private servers of the PostgreSQL that is installed. Sourced by Scripts/databases, whose settings and
# ports it uses. Clusters that the machine already has are never looked at: these have data folders of their own, and
# are started and stopped by those folders alone.

# PostgreSQL refuses to run as root, so root's servers run as the user that Debian's package makes for this.
server_user() {
    if id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# as_server COMMAND…: runs it as the servers' user, from a folder that user can be in, without the caller's PG… settings
# and without the lock that Scripts/databases holds.
as_server() (
    cd / && exec 9<&-
    for name in "${!PG@}"; do unset "$name"; done
    if ! is_root; then
        exec "$@"
    elif has setpriv; then
        exec setpriv --reuid="$(server_user)" --regid="$(id -g "$(server_user)")" --init-groups -- "$@"
    else
        exec runuser -u "$(server_user)" -- "$@"
    fi
)

# The folder of the data. Root's checkout may lie where the servers' user cannot go (/root, or a private temporary
# folder): opening such a folder to others is not this script's to do, so the data then lie in a private folder of their
# own in /var/tmp, which outlives a restart of the machine, and the settings in .databases remember where.
prepare_data_folder() {
    if [ -n "$DATA" ] && [ -d "$DATA" ]; then return; fi
    DATA=$state/servers
    mkdir -m 0700 "$DATA" 2>/dev/null || chmod 0700 "$DATA"
    if is_root; then
        chown "$(server_user):" "$DATA"
        if ! as_server test -w "$DATA"; then
            rmdir "$DATA"
            DATA=$(mktemp -d /var/tmp/persistence-databases.XXXXXX)
            chown "$(server_user):" "$DATA"
            say "The user $(server_user) cannot enter $state: the data are in $DATA instead"
        fi
    fi
    save_settings
}

# programs_for FOLDER: the programs of the version that made this data folder; of the newest for a new one.
programs_for() {
    local newest version
    newest=$(postgres_programs) || die "no PostgreSQL server is installed: Scripts/databases up installs it"
    if [ ! -e "$1/PG_VERSION" ]; then
        printf '%s\n' "$newest"
        return
    fi
    version=$(cat "$1/PG_VERSION")
    if [ -x "/usr/lib/postgresql/$version/bin/postgres" ]; then
        printf '%s\n' "/usr/lib/postgresql/$version/bin"
    elif "$newest/postgres" --version | grep -Eq " $version(\.|[a-z]|$| )"; then
        printf '%s\n' "$newest"
    else
        die "$1 was made by PostgreSQL $version, which is not installed. Start anew: Scripts/databases down --delete"
    fi
}

server_running() { # FOLDER
    [ -e "$1/PG_VERSION" ] && as_server "$(programs_for "$1")/pg_ctl" status -D "$1" >/dev/null
}

# run_psql USER PORT DATABASE SQL: the password goes through the environment, which other users cannot read.
run_psql() {
    PGPASSWORD=$PASSWORD PGCONNECT_TIMEOUT=5 "$(postgres_programs)/psql" -X -q -t -A -v ON_ERROR_STOP=1 \
        -h 127.0.0.1 -p "$2" -U "$1" -d "$3" -c "$4"
}

create_server() { # FOLDER USER
    local folder=$1 programs password_file
    [ -e "$folder/PG_VERSION" ] && return
    programs=$(programs_for "$folder")
    # Made beside its place and moved there when complete, so that an interrupted start leaves nothing half made.
    as_server rm -rf "$folder.new"
    password_file=$folder.password
    # shellcheck disable=SC2016  # for the inner shell
    printf '%s\n' "$PASSWORD" | as_server sh -c 'umask 077; cat >"$1"' sh "$password_file"
    as_server "$programs/initdb" -D "$folder.new" --username="$2" --pwfile="$password_file" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >"$state/initdb.log" 2>&1 9<&- || {
        as_server rm -rf "$folder.new" "$password_file"
        cat "$state/initdb.log" >&2
        die "initdb failed"
    }
    as_server rm -f "$password_file"
    # fsync and full_page_writes keep their safe defaults: benchmarks and crash tests need honest durability.
    as_server tee -a "$folder.new/postgresql.conf" >/dev/null <<'CONF'

# Development servers of a checkout, written by Scripts/databases
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'
CONF
    as_server mv "$folder.new" "$folder"
}

start_server() { # FOLDER USER PORT DATABASE
    local folder=$1 user=$2 port=$3 database=$4
    if ! server_running "$folder"; then
        require_port_free "$port"
        create_server "$folder" "$user"
        if ! as_server "$(programs_for "$folder")/pg_ctl" start -w -t 60 -s -D "$folder" -l "$folder.log" -o "-p $port"; then
            as_server tail -n 20 "$folder.log" >&2
            die "the server in $folder did not start; the end of its log is above"
        fi
    fi
    if [ "$(run_psql "$user" "$port" postgres "SELECT 1 FROM pg_database WHERE datname = '$database'")" != 1 ]; then
        run_psql "$user" "$port" postgres "CREATE DATABASE $database"
    fi
}

servers_running() {
    [ -n "$DATA" ] && { server_running "$DATA/main" || server_running "$DATA/workflows" || gateway_running; }
}

servers_up() {
    install_for server
    prepare_data_folder
    start_server "$DATA/main" admin "$(main_port)" test
    start_server "$DATA/workflows" temporal "$(workflows_port)" workflow_state
    # Whoever cannot have this one can still work with the others; documentdb_up has said why.
    documentdb_up || true
    servers_status
}

servers_down() { # DELETE?
    local folder
    [ -n "$DATA" ] || return 0
    documentdb_down
    for folder in "$DATA/workflows" "$DATA/main"; do
        if server_running "$folder"; then
            as_server "$(programs_for "$folder")/pg_ctl" stop -s -w -t 60 -m fast -D "$folder"
        fi
    done
    if [ -n "$1" ]; then
        # Only ever a folder that prepare_data_folder made.
        case $DATA in
        "$state/servers" | /var/tmp/persistence-databases.*) rm -rf "$DATA" ;;
        *) die "refusing to delete $DATA" ;;
        esac
    fi
}

server_status() { # NAME FOLDER USER PORT DATABASE
    local version
    if [ -n "$DATA" ] && server_running "$2" && version=$(run_psql "$3" "$4" "$5" 'SHOW server_version'); then
        state_line "$1" "$4" "up    PostgreSQL ${version%% *}, $2"
    else
        state_line "$1" "$4" down
        return 1
    fi
}

servers_status() {
    local result=0
    server_status postgres "$DATA/main" admin "$(main_port)" test || result=1
    server_status workflows "$DATA/workflows" temporal "$(workflows_port)" workflow_state || result=1
    documentdb_status || result=1
    return $result
}
