#!/usr/bin/env bash
# Runs every check, and stops at the first that fails.
#
#   ci/test.sh                all stages
#   ci/test.sh STAGE...       only these, in this order
#   ci/test.sh --list         their names
#
#   CI=true             build in a cache outside the clone, so that a clean clone need not start from nothing
#   CI_TARGET_DIR       that cache; naming one switches it on as well
#   CI_TARGET_MAX_GIB   a cache larger than this (24) is emptied before the run
#   CI_STAGE_SECONDS    a stage that takes longer than this (1800) has failed
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/workspace.sh"

all_stages=(lint tidy features deny package semver debug release stress contention engines benches instructions doc loom
    fuzz firmware big-endian)

command_of() {
    case $1 in
    setup) echo "ci/setup.sh ${stages[*]}" ;;
    lint) echo 'ci/lint.sh' ;;
    tidy) echo 'ci/tidy.sh --self-test' ;;
    features) echo 'ci/features.sh' ;;
    package) echo 'ci/package.sh' ;;
    semver) echo 'ci/semver.sh --self-test' ;;
    deny) echo 'cargo deny --all-features check bans licenses sources' ;;
    debug | release | doc) echo "ci/cargo-test.sh $1" ;;
    benches | contention | engines | instructions | stress) echo "ci/$1.sh" ;;
    loom) echo 'ci/loom.sh' ;;
    fuzz) echo 'ci/fuzz-smoke.sh' ;;
    firmware | big-endian) echo "ci/$1.sh" ;;
    *) return 1 ;;
    esac
}

case ${1-} in
-h | --help)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
--list)
    printf '%s\n' "${all_stages[@]}"
    exit 0
    ;;
esac
stages=("$@")
[[ $# -gt 0 ]] || stages=("${all_stages[@]}")
for stage in "${stages[@]}"; do
    command_of "$stage" >/dev/null || die "there is no stage $stage; the stages are: ${all_stages[*]}"
done

# The cache is several folders, so that runs side by side get one each: a second run in the same folder
# would replace the test binaries of the first while they run.
claim_cache() {
    local cache=$1 slot folder max_kib=$((${CI_TARGET_MAX_GIB:-24} * 1024 * 1024))
    for slot in 1 2 3 4; do
        folder=$cache/$slot
        mkdir -p "$folder"
        # Held until this process ends, however it ends.
        exec 9>"$cache/$slot.lock"
        flock --nonblock 9 || continue
        if [[ $(du -sk "$folder" | cut -f 1) -gt $max_kib ]]; then
            step "emptying the build cache $folder, larger than ${CI_TARGET_MAX_GIB:-24} GiB"
            rm -rf "$folder"
            mkdir -p "$folder"
        fi
        # cargo rebuilds a member when a file is younger than its last build. Another clone may have built
        # there after this clone's files were written, and its binaries would be tested in place of ours.
        git ls-files -z 2>/dev/null | xargs -0 --no-run-if-empty touch --no-create
        export CARGO_TARGET_DIR=$folder CARGO_INCREMENTAL=0
        step "building in $folder"
        return
    done
    exec 9>&-
    step 'every build cache is in use: building in the clone'
}
if [[ ${CI-} == true || -n ${CI_TARGET_DIR-} ]]; then
    claim_cache "${CI_TARGET_DIR:-$HOME/.cache/clocks-ci/target}"
fi

scratch=$(mktemp -d)
running=''
stop() {
    [[ -z $running ]] || kill -TERM "$running" 2>/dev/null || true
    rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

passed=0
failed=0
summary=()

# Runs one stage, its output both on the terminal and in a file that is read for cargo's own counts.
run_stage() {
    local stage=$1 start=$SECONDS status=0 verdict=ok tests log=$scratch/log reader command
    printf '\n== %s\n' "$stage"
    read -ra command <<<"$(command_of "$stage")"
    rm -f "$scratch/pipe"
    mkfifo "$scratch/pipe"
    tee "$log" <"$scratch/pipe" 9>&- &
    reader=$!
    timeout --kill-after=10 "${CI_STAGE_SECONDS:-1800}" "${command[@]}" >"$scratch/pipe" 2>&1 9>&- &
    running=$!
    wait "$running" || status=$?
    running=''
    # A process that outlived its stage may hold the pipe open; the stage does not wait for it.
    timeout 10 tail --pid="$reader" -f /dev/null || kill "$reader" 2>/dev/null || true
    wait "$reader" || true

    tests=$(awk '/^test result: / {
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^passed;/) passed += $(i - 1)
                if ($i ~ /^failed;/) failed += $(i - 1)
            }
        }
        END { print passed + 0, failed + 0 }' "$log")
    passed=$((passed + ${tests% *}))
    failed=$((failed + ${tests#* }))
    case $stage in
    debug | release)
        # A filter or a manifest that loses every test would pass in silence.
        if [[ $status -eq 0 && $tests == '0 0' ]]; then
            echo 'no test ran'
            status=1
        fi
        ;;
    esac
    if [[ $status -eq 124 || $status -eq 137 ]]; then
        verdict="stopped after ${CI_STAGE_SECONDS:-1800} s"
    elif [[ $status -ne 0 ]]; then
        verdict=failed
    fi
    summary+=("$(printf '%-12s %5d s  %6d tests  %s' \
        "$stage" $((SECONDS - start)) $((${tests% *} + ${tests#* })) "$verdict")")
    printf '== %s: %s, %d s\n' "$stage" "$verdict" $((SECONDS - start))
    [[ $status -eq 0 ]]
}

finish() {
    printf '\n== summary\n'
    printf '%s\n' "${summary[@]}"
    printf '%-12s %5d s\n' total "$SECONDS"
    printf '%d passed, %d failed\n' "$passed" "$failed"
}

for stage in setup "${stages[@]}"; do
    if ! run_stage "$stage"; then
        finish
        if [[ $stage == setup ]]; then
            die "setup failed; alone: ci/setup.sh ${stages[*]}"
        fi
        die "stage $stage failed; alone: ci/test.sh $stage"
    fi
done
finish
