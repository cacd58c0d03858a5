# shellcheck shell=bash
# shellcheck disable=SC2154  # the settings and folders of Scripts/databases
# The engine behind the local MongoDB endpoint: PostgreSQL with the DocumentDB extension, which Debian packages for its
# testing suite alone. Its packages never meet the system's: apt works on lists, states and caches of its own, and the
# programs run from a private folder with the C library that they were built for. Sourced by Scripts/databases.

documentdb_suite=forky
documentdb_package=postgresql-18-documentdb
documentdb_version=18
# Part of the folder's name: a change of this recipe makes a new folder instead of mending an old one.
documentdb_recipe=1

# Shared by all checkouts of a user and kept for the next run. Root's servers run as another user, who cannot enter
# root's home.
documentdb_cache() {
    local base
    if [ -n "${PERSISTENCE_CACHE:-}" ]; then
        base=$PERSISTENCE_CACHE
    elif is_root; then
        base=/var/cache/swift-persistence
    else
        base=${XDG_CACHE_HOME:-$HOME/.cache}/swift-persistence
    fi
    printf '%s/documentdb-%s-r%s-%s\n' "$base" "$documentdb_version" "$documentdb_recipe" "$(uname -m)"
}

documentdb_root() { printf '%s/root\n' "$(documentdb_cache)"; }
documentdb_programs() { printf '%s/usr/lib/postgresql/%s/bin\n' "$(documentdb_root)" "$documentdb_version"; }

# documentdb_unsupported: why the engine cannot be had on this machine; nothing when it can.
documentdb_unsupported() {
    local tool
    case $(uname -s)-$(uname -m) in
    Linux-x86_64 | Linux-aarch64) ;;
    *)
        echo "there are no packages for $(uname -s) on $(uname -m)"
        return
        ;;
    esac
    for tool in apt-get apt-cache apt-config dpkg-deb sha256sum; do
        has $tool || {
            echo "$tool is missing, which Debian and its kin have"
            return
        }
    done
    [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] ||
        echo "Debian's keys are missing: install debian-archive-keyring"
}

# documentdb_prepare: makes sure that the programs are there and whole. Says why not and fails otherwise.
documentdb_prepare() {
    local cache reason
    reason=$(documentdb_unsupported)
    if [ -n "$reason" ]; then
        say "No local MongoDB endpoint: $reason. With a Docker engine it is MongoDB itself."
        return 1
    fi
    cache=$(documentdb_cache)
    mkdir -p "$cache" || return 1
    # In a process of its own, so that the lock goes with it; another checkout may be at the same work.
    (
        exec 9>"$cache/lock"
        if has flock; then flock 9; fi
        if documentdb_is_whole "$cache"; then exit 0; fi
        documentdb_build "$cache"
    )
}

documentdb_is_whole() { # CACHE
    [ -e "$1/root.sha256" ] || return 1
    (cd "$1/root" 2>/dev/null && sha256sum --check --quiet --status "$1/root.sha256") && return 0
    say "The engine's programs in $1 are damaged: making them anew"
    return 1
}

documentdb_build() { # CACHE
    local cache=$1 new=$1/new
    rm -rf "$cache/root.sha256" "$cache/root" "$new"
    mkdir -p "$new/root"
    # The packages that were fetched once are the version that is kept, as long as they are whole.
    if [ ! -e "$cache/packages.sha256" ] ||
        ! (cd "$cache/packages" && sha256sum --check --quiet --status "$cache/packages.sha256"); then
        documentdb_fetch "$cache" || return 1
    fi
    say "Unpacking the engine"
    local package
    for package in "$cache"/packages/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar x -C "$new/root" --no-same-owner \
            --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' \
            --exclude='./usr/share/info' --exclude='./usr/share/lintian' --exclude='./usr/share/proj' \
            --exclude='./usr/lib/postgresql/*/lib/bitcode' --exclude='./usr/lib/*/gconv' || {
            say "cannot unpack $package"
            return 1
        }
    done
    documentdb_wrap "$new/root" "$cache/root" || return 1
    (cd "$new/root" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$new/root.sha256" || return 1
    # Readable for the user whom root's servers run as.
    chmod -R a+rX "$new/root"
    chmod a+rX "$cache"
    mv "$new/root" "$cache/root" && mv "$new/root.sha256" "$cache/root.sha256" && rm -rf "$new"
}

# documentdb_wrap ROOT FINAL: lets the programs run with their own C library, from the folder FINAL.
documentdb_wrap() {
    local root=$1 final=$2 triplet loader program folder=usr/lib/postgresql/$documentdb_version
    case $(uname -m) in
    aarch64) triplet=aarch64-linux-gnu loader=ld-linux-aarch64.so.1 ;;
    *) triplet=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 ;;
    esac
    for program in postgres initdb pg_ctl; do
        mv "$root/$folder/bin/$program" "$root/$folder/bin/$program.bin" || return 1
        cat >"$root/$folder/bin/$program" <<SH
#!/bin/sh
exec '$final/usr/lib/$triplet/$loader' \\
    --library-path '$final/usr/lib/$triplet:$final/$folder/lib' \\
    --argv0 '$final/$folder/bin/$program' '$final/$folder/bin/$program.bin' "\$@"
SH
        chmod 0755 "$root/$folder/bin/$program"
    done
    # The extension requires "postgis", which Debian's alternatives would name.
    local extensions=$root/usr/share/postgresql/$documentdb_version/extension
    [ -e "$extensions/postgis.control" ] || cp "$extensions/postgis-3.control" "$extensions/postgis.control"
}

# documentdb_fetch CACHE: the package and what it needs, into CACHE/packages, verified by apt with Debian's keys.
documentdb_fetch() {
    local cache=$1 apt=$1/apt
    rm -rf "$apt" "$cache/packages" "$cache/packages.sha256"
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/etc/apt.conf.d" "$apt/etc/preferences.d"
    : >"$apt/status"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
        "${PERSISTENCE_DEBIAN_MIRROR:-http://deb.debian.org/debian}" "$documentdb_suite" >"$apt/etc/sources.list"
    {
        # How this machine reaches the network is the one thing taken from its settings.
        apt-config dump 2>/dev/null | grep -Ei '^Acquire::(http|https|ftp)::' || true
        cat <<CONF
Dir "$apt";
Dir::Etc "$apt/etc";
Dir::Etc::Trusted "$apt/none";
Dir::Etc::TrustedParts "$apt/none";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Log "$apt/log";
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
// A mirror may lag. What counts is that Debian signed the list; this is no system that waits for security updates.
Acquire::Check-Valid-Until "false";
CONF
    } >"$apt/apt.conf"
    say "Fetching $documentdb_package and what it needs from Debian's suite $documentdb_suite, for this project alone"
    documentdb_apt "$apt" update -q -o APT::Update::Error-Mode=any >"$apt/log" 2>&1 || {
        tail -n 5 "$apt/log" >&2
        say "Cannot read Debian's suite $documentdb_suite (offline?), so there is no local MongoDB endpoint."
        return 1
    }
    documentdb_apt "$apt" install -y -qq --print-uris "$documentdb_package" >"$apt/uris" 2>"$apt/log" || {
        tail -n 5 "$apt/log" >&2
        say "Debian's suite $documentdb_suite has no installable $documentdb_package, so there is no local MongoDB endpoint."
        return 1
    }
    # What installing would run, and what only parts of PostGIS need that the engine does not load, counts as installed:
    # a third of the size is left. A name that Debian changes costs size, and nothing else. The higher version keeps apt
    # from upgrading what is not there.
    local needless='libgdal[0-9]+|libsfcgal[0-9]+|perl|perl-base|libperl[0-9.]+|debconf|adduser|passwd|procps|locales'
    needless+='|tzdata|netbase|systemd|ucf|openssl|openssl-provider-legacy|ssl-cert|sysvinit-utils|sensible-utils'
    needless+='|base-passwd|libc-bin|libpam-modules|libpam-modules-bin|proj-data|readline-common|libjson-perl'
    needless+='|postgresql-common|postgresql-client-common|gnupg|libxslt1[.]1'
    awk '{print $2}' "$apt/uris" | sed -n 's/^\([^_]*\)_\([^_]*\)_.*/\1 \2/p' | sed 's/%3a/:/' |
        grep -E "^($needless) " |
        while read -r name version; do
            printf 'Package: %s\nStatus: install ok installed\nMaintainer: nobody\nArchitecture: %s\n' \
                "$name" "$(dpkg --print-architecture)"
            printf 'Version: %s+needless\nDescription: counts as installed\n\n' "$version"
        done >"$apt/status"
    documentdb_apt "$apt" install -y -qq --print-uris "$documentdb_package" >/dev/null 2>&1 || : >"$apt/status"
    documentdb_apt "$apt" install -y -qq --download-only "$documentdb_package" >"$apt/log" 2>&1 || {
        tail -n 5 "$apt/log" >&2
        say "Fetching the engine's packages failed, so there is no local MongoDB endpoint."
        return 1
    }
    mkdir "$cache/packages.new"
    mv "$apt"/archives/*.deb "$cache/packages.new/"
    mv "$cache/packages.new" "$cache/packages"
    (cd "$cache/packages" && sha256sum -- *.deb) >"$cache/packages.sha256.new"
    mv "$cache/packages.sha256.new" "$cache/packages.sha256"
    rm -rf "$apt"
}

documentdb_apt() ( # FOLDER ARGUMENTS…
    # The lock of this script is nothing to hand on, and the caller's settings are the system's.
    exec 9<&-
    export APT_CONFIG=$1/apt.conf DEBIAN_FRONTEND=noninteractive
    shift
    exec apt-get "$@" </dev/null
)
