# shellcheck shell=bash
# What every script here shares. Sourced, never run. Kept to bash 3.2, which is what macOS has.

# shellcheck disable=SC2034  # used by the scripts that source this
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# How the caller's script was named, for its messages.
script_name=Scripts/$(basename "$0")

say() { printf '%s\n' "$*" >&2; }
die() {
    say "$script_name: $*"
    exit 1
}
is_root() { [ "$(id -u)" -eq 0 ]; }
has() { command -v "$1" >/dev/null 2>&1; }

# A heading with the time since the script began: long steps are never silent.
step() { printf '\n== %s  (%dm%02ds)\n' "$*" $((SECONDS / 60)) $((SECONDS % 60)); }

# as_administrator COMMAND…: runs it as root, through sudo when need be.
as_administrator() {
    if is_root; then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        return 1
    fi
}

# The programs of the newest PostgreSQL server that is installed: $PG_CONFIG's, Debian's, Homebrew's, then PATH's.
postgres_programs() {
    local candidate found=
    if [ -n "${PG_CONFIG:-}" ]; then
        candidate=$("$PG_CONFIG" --bindir) && [ -x "$candidate/initdb" ] && printf '%s\n' "$candidate" && return
        die "PG_CONFIG=$PG_CONFIG names an installation without initdb"
    fi
    for candidate in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5 -n) \
        /usr/local/opt/postgresql@*/bin /opt/homebrew/opt/postgresql@*/bin; do
        if [ -x "$candidate/initdb" ] && [ -x "$candidate/postgres" ]; then found=$candidate; fi
    done
    if [ -z "$found" ] && has pg_config; then
        candidate=$(pg_config --bindir)
        if [ -x "$candidate/initdb" ]; then found=$candidate; fi
    fi
    [ -n "$found" ] && printf '%s\n' "$found"
}

# install_for NEED…: makes sure that each of server, libpq, libbson, libmongoc, openssl, python, pgbouncer, shellcheck is
# there.
# Looks for the thing itself first, so that an installation from elsewhere is as good as Debian's package.
install_for() {
    local need packages=()
    for need in "$@"; do
        case $need in
        server) postgres_programs >/dev/null || packages+=(postgresql) ;;
        libpq)
            has pkg-config || packages+=(pkg-config)
            { has pkg-config && pkg-config --exists libpq; } || packages+=(libpq-dev)
            ;;
        libbson)
            has pkg-config || packages+=(pkg-config)
            { has pkg-config && pkg-config --exists libbson-1.0; } || packages+=(libbson-dev)
            ;;
        libmongoc)
            has pkg-config || packages+=(pkg-config)
            { has pkg-config && pkg-config --exists libmongoc-1.0; } || packages+=(libmongoc-dev)
            ;;
        python) has python3 && python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3 python3-venv) ;;
        openssl) has openssl || packages+=(openssl) ;;
        # Debian puts it where only administrators look.
        pgbouncer) has pgbouncer || [ -x /usr/sbin/pgbouncer ] || packages+=(pgbouncer) ;;
        shellcheck) has shellcheck || packages+=(shellcheck) ;;
        *) die "install_for: $need is not known" ;;
        esac
    done
    [ ${#packages[@]} -eq 0 ] && return
    has apt-get || die "missing: ${packages[*]} (Debian's names). On macOS: brew install postgresql libpq \
mongo-c-driver pkgconf"
    say "Installing from this system's packages: ${packages[*]}"
    is_root || has sudo || die "not root, and there is no sudo. An administrator can run: apt-get install ${packages[*]}"
    as_administrator apt-get update -q >&2 || say "apt-get update failed; trying with the lists there are"
    # Debian's server package creates and starts a cluster of its own on 5432. Nobody asked for that one: it would hold
    # the very port that is needed. The setting stays only while the package is installed.
    local setting=/etc/postgresql-common/createcluster.d/persistence-install.conf
    as_administrator mkdir -p "${setting%/*}"
    printf 'create_main_cluster = false\n' | as_administrator tee "$setting" >/dev/null
    local result=0
    as_administrator env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${packages[@]}" >&2 </dev/null || result=$?
    as_administrator rm -f "$setting"
    [ $result -eq 0 ] || die "could not install ${packages[*]}"
}

# require_swift: a toolchain that can read Package.swift.
require_swift() {
    has swift || die "there is no swift on PATH: install the toolchain from swift.org, then run this again"
}
