# shellcheck shell=bash
# shellcheck disable=SC2154  # the settings and folders of Scripts/databases
# The databases through docker-compose.yml. Sourced by Scripts/databases, whose settings and ports it uses.

# The environment of one command alone; nothing is written to a file that Compose would pick up by itself.
compose() {
    POSTGRES_PASSWORD=$PASSWORD TEMPORAL_PASSWORD=$PASSWORD MONGO_PASSWORD=$PASSWORD \
        POSTGRES_PORT=$(main_port) TEMPORAL_POSTGRES_PORT=$(workflows_port) MONGO_PORT=$(mongo_port) \
        docker compose --project-name "$PROJECT" --file "$repository/docker-compose.yml" "$@"
}

service_healthy() { # SERVICE
    local container
    container=$(compose ps --quiet "$1") && [ -n "$container" ] &&
        [ "$(docker inspect --format '{{.State.Health.Status}}' "$container" 2>/dev/null)" = healthy ]
}

docker_running() { [ -n "$(compose ps --quiet 2>/dev/null)" ]; }

docker_up() {
    local port
    if ! docker_running; then
        for port in $(main_port) $(workflows_port) $(mongo_port); do require_port_free "$port"; done
    fi
    compose up --detach --wait >&2 9<&- || {
        compose logs --tail 20 >&2
        die "not every database became healthy; their logs are above"
    }
    docker_status
}

docker_down() { # DELETE?
    if [ -n "$1" ]; then compose down --volumes >&2; else compose down >&2; fi
}

docker_status() {
    local result=0 service port name
    for service in postgres temporal-postgres mongo; do
        case $service in
        postgres) name=postgres port=$(main_port) ;;
        temporal-postgres) name=workflows port=$(workflows_port) ;;
        *) name=mongo port=$(mongo_port) ;;
        esac
        if service_healthy "$service"; then
            state_line $name "$port" "up    container of $PROJECT"
        else
            state_line $name "$port" down
            result=1
        fi
    done
    return $result
}
