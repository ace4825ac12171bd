#!/bin/sh
# Everything from a bare Debian 12 to a tested program, without questions.
#
#   ./copydesk.sh setup    install what building and testing need (apt-get, as root or with sudo)
#   ./copydesk.sh build    setup if something is missing, then build/release/bin/copydesk
#   ./copydesk.sh demo     build, then enrich a few sample articles and show them
#   ./copydesk.sh test     setup, build, all tests, sanitizers, fuzzers, valgrind: ten to fifteen minutes on two cores
#   ./copydesk.sh tidy     clang-tidy over all of the source (minutes)
#   ./copydesk.sh check    build and the quick tests only: what to run before a commit
set -eu
cd "$(dirname "$0")"

# To build and run.
LIBRARIES='libcjson-dev libzmq3-dev libuv1-dev libinih-dev libmicrohttpd-dev'
BUILD='gcc libc6-dev cmake ninja-build pkg-config ca-certificates'
# To test.
TEST='libcmocka-dev python3 python3-zmq python3-jsonschema valgrind cppcheck clang clang-format clang-tidy
    libclang-rt-14-dev'

FUZZ_SECONDS=10
JOBS=$(nproc 2>/dev/null || echo 2)
failed=''
report=''

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    else
        echo "copydesk.sh: installing packages needs root or sudo" >&2
        return 1
    fi
}

missing_packages() {
    for package in $LIBRARIES $BUILD $TEST; do
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -q '^installed' || echo "$package"
    done
}

setup() {
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get update -qq || echo "copydesk.sh: apt-get update failed, trying with what is known" >&2
    # shellcheck disable=SC2086
    as_root apt-get install -y -qq --no-install-recommends $LIBRARIES $BUILD $TEST >/dev/null || {
        missing=$(missing_packages | tr '\n' ' ')
        [ -z "$missing" ] || { echo "copydesk.sh: cannot install: $missing" >&2; return 1; }
    }
}

# build PRESET [TARGET...]
build() {
    preset=$1
    shift
    mkdir -p build
    cmake --preset "$preset" >"build/$preset.log" 2>&1 || { cat "build/$preset.log" >&2; return 1; }
    if [ $# -gt 0 ]; then
        set -- --target "$@"
    fi
    cmake --build --preset "$preset" "$@" >>"build/$preset.log" 2>&1 || { tail -n 40 "build/$preset.log" >&2; return 1; }
}

# build_release [TARGET...]
build_release() {
    [ -z "$(missing_packages)" ] || setup
    build release "$@"
}

demo() {
    build_release copydesk
    for article in tests/articles/scrape-masthead.txt tests/articles/page-render-date.html; do
        [ -f "$article" ] || continue
        echo "\$ copydesk enrich $article"
        build/release/bin/copydesk enrich --card "$article" || return 1
        echo
    done
}

tests_in() {
    preset=$1
    shift
    ctest --test-dir "build/$preset" --output-on-failure -j "$JOBS" "$@"
}

release_tests() {
    tests_in release >build/ctest.log 2>&1 || { cat build/ctest.log; return 1; }
}

sanitized_tests() {
    ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
        tests_in asan -LE rules -E 'compose|base-image'
}

threaded_tests() {
    TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/tests/tsan.supp" tests_in tsan -L threads
}

fuzzers() {
    crashed=''
    export COPYDESK_DATA="$PWD/build/fuzz/share/copydesk"
    for fuzzer in build/fuzz/bin/fuzz_*; do
        name=$(basename "$fuzzer" | sed 's/^fuzz_//')
        seeds=tests/fuzz/corpus/$name
        mkdir -p "build/fuzz/corpus/$name"
        [ -d "$seeds" ] || seeds=''
        # shellcheck disable=SC2086
        if "$fuzzer" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
            -artifact_prefix=build/fuzz/ "build/fuzz/corpus/$name" $seeds >"build/fuzz/$name.log" 2>&1; then
            echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") runs"
        else
            grep -v '^#[0-9]\|NEW_FUNC' "build/fuzz/$name.log" | tail -n 40
            crashed="$crashed $name"
        fi
    done
    [ -z "$crashed" ] || { echo "crashed:$crashed"; return 1; }
}

# One pass over small samples: no invalid access, no leak.
valgrind_run() {
    set --
    for article in tests/articles/*.txt tests/articles/*.html; do
        [ "$(wc -c <"$article")" -gt 4000 ] || set -- "$@" "$article"
    done
    valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
        build/release/bin/copydesk enrich --json -j 1 "$@" >/dev/null
}

# step NAME COMMAND...: runs it, notes how it went, goes on with the others.
step() {
    name=$1
    shift
    echo "== $name"
    start=$(date +%s)
    if ("$@"); then
        outcome=ok
    else
        outcome=FAILED
        failed="$failed $name,"
    fi
    report="$report$(printf '%-28s %-7s %4d s' "$name" "$outcome" $(($(date +%s) - start)))
"
}

run_tests() {
    mkdir -p build
    step 'packages' setup
    step 'release build' build release
    step 'release tests' release_tests
    step 'address sanitizer build' build asan
    step 'address sanitizer tests' sanitized_tests
    step 'thread sanitizer build' build tsan threaded
    step 'thread sanitizer tests' threaded_tests
    if command -v clang-tidy >/dev/null; then
        step 'clang-tidy' tidy
    fi
    if command -v clang >/dev/null; then
        step 'fuzzer build' build fuzz
        step 'fuzzers' fuzzers
    fi
    if command -v valgrind >/dev/null; then
        step 'valgrind' valgrind_run
    fi
    echo
    printf '%s' "$report"
    echo
    sed -n '/tests passed\|tests failed\|^Label Time\|sec\*proc\|^Total Test time\|(Failed)\|(Timeout)\|(Skipped)/p' build/ctest.log
    if [ -n "$failed" ]; then
        echo "FAILED:${failed%,}"
        return 1
    fi
}

tidy() {
    build_release
    mkdir -p build/tidy
    sed 's/ -flto=auto//g; s/ -ffat-lto-objects//g' build/release/compile_commands.json >build/tidy/compile_commands.json # gcc's alone
    find proto common services -name '*.c' -print0 |
        xargs -0 -n 4 -P "$JOBS" clang-tidy --quiet -p build/tidy 2>build/tidy.log # it counts what it keeps to itself there
}

case ${1:-} in
setup) setup ;;
build) build_release ;;
demo) demo ;;
test) run_tests ;;
tidy) tidy ;;
check) build_release && tests_in release -LE 'system|slow' ;;
*)
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
