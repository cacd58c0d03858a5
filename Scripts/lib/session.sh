# shellcheck shell=bash
# Databases for as long as a script runs. Sourced by the scripts that need them.

# shellcheck disable=SC2154  # repository comes from common.sh

databases_to_stop=

# use_databases: exports POSTGRES_URL and the others. Databases that are up are used and left alone; otherwise they are
# started on the first free ports, and stopped again when the script ends, however it ends.
use_databases() {
    local databases=$repository/Scripts/databases known=
    if ! "$databases" status >/dev/null 2>&1; then
        [ ! -e "$repository/.databases" ] || known=yes
        # Said before starting, so that a start that is interrupted half-way is undone, too. Data that were there before
        # stay; data made only for this run go.
        if [ -n "$known" ]; then databases_to_stop=stop; else databases_to_stop=delete; fi
        trap release_databases EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP
        "$databases" up --port-offset auto >&2
    fi
    eval "$("$databases" env)"
}

# The last lines of a run belong to what was run: this says nothing unless it fails.
release_databases() {
    local result=$?
    trap - EXIT
    case $databases_to_stop in
    stop) "$repository/Scripts/databases" down || result=1 ;;
    delete) "$repository/Scripts/databases" down --delete || result=1 ;;
    esac
    exit $result
}
