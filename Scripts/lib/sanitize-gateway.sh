# shellcheck shell=bash
# shellcheck disable=SC2154  # the settings of Scripts/sanitize
# The tests of Tools/DocumentGateway with a sanitizer. Sourced by Scripts/sanitize.

# sanitize_gateway ARGUMENT…: runs the package's own tests, then the drivers' tests against gateways that were built with
# the sanitizer; the arguments go to pytest. Fails when the sanitizer reports anything.
sanitize_gateway() {
    local log=$scratch/tests.log program=$scratch/gateway result=0 waited=0 password reports process
    [ -n "${DOCUMENT_ENGINE:-}" ] || die "there is no engine for a gateway; Scripts/databases up says why"

    step "Tests of Tools/DocumentGateway with the $kind sanitizer"
    LD_PRELOAD=$preload swift test --skip-build --disable-xctest "${flags[@]}" 2>&1 | tee "$log" || result=$?

    step "Drivers and a gateway with the $kind sanitizer"
    # Nobody sees what the gateways of the tests say, so each writes its reports into a file.
    rm -f "$scratch"/report.*
    export TSAN_OPTIONS="${TSAN_OPTIONS:-} log_path=$scratch/report"
    # A gateway ends with its connections and their statements in place. Swift keeps bits of its own in pointers to some of
    # that, which the leak sanitizer does not recognize: it would count as lost. The engine's own tests look for leaks.
    export ASAN_OPTIONS="${ASAN_OPTIONS:-}:log_path=$scratch/report:detect_leaks=0"
    export UBSAN_OPTIONS="${UBSAN_OPTIONS:-}:log_path=$scratch/report"
    printf '#!/bin/sh\nLD_PRELOAD=%s exec %s "$@"\n' "$preload" "$scratch/debug/document-gateway" >"$program"
    chmod +x "$program"
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    GATEWAY_ADMIN_PASSWORD=$password "$program" --engine "$DOCUMENT_ENGINE" --port 0 --admin-user sanitized \
        --fail-points >"$scratch/port" 2>"$scratch/gateway.log" &
    process=$!
    until grep -q '^listening on' "$scratch/port"; do
        waited=$((waited + 1))
        if ! kill -0 "$process" 2>/dev/null || [ $waited -gt 600 ]; then
            tail -n 20 "$scratch/gateway.log" >&2
            die "the gateway did not start"
        fi
        sleep 0.1
    done
    # What is asked of speed and memory cannot hold with a sanitizer.
    MONGO_URL="mongodb://sanitized:$password@127.0.0.1:$(sed 's/.* //' "$scratch/port")/?directConnection=true" \
        TESTED_GATEWAY=$program "$gateway/Tests/Drivers/run" \
        --deselect "$gateway/Tests/Drivers/test_access.py::test_a_client_that_does_not_read_is_not_served_on" "$@" \
        2>&1 | tee -a "$log" || result=$?
    kill -TERM "$process"
    wait "$process" || result=$?
    reports=$(find "$scratch" -maxdepth 1 -name 'report.*' -size +0 | wc -l)
    reports=$((reports + $(grep -cE 'WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer|runtime error:' "$log" || true)))
    say "$reports reports of the sanitizer; all output is in $log and in $scratch/report.*"
    if [ "$reports" -gt 0 ]; then exit 1; fi
    exit $result
}
