"""Calls that are never made, or only in one place; and no state that outlives a call."""

import re

import rules

STAGE = re.compile(r"services/(clean|entities|dates|summary)/(?!train/)")
OURS = ("proto", "common", "services")

# Call: why not, and where it may be made all the same.
BANNED = {
    r"(v?sprintf|strcpy|strcat|stpcpy|gets)": ("has no bound; use snprintf or a buf", None),
    r"(strtok|strtok_r)": ("changes its input; use view_next_word", None),
    r"(ato[ifl]l?|strtof)": ("cannot tell a mistake; use view_parse_u64", None),
    r"(gmtime|localtime|gmtime_r|localtime_r|mktime|strftime|strptime)": ("use common/calendar.h", None),
    r"(time|gettimeofday|clock_gettime)": ("times come from common/clock.h", re.compile(r"common/clock\.c")),
    r"(s?rand|random|drand48)": ("numbers must be the same on every machine", None),
    r"(system|popen|alloca|setjmp|longjmp)": ("is not used here", None),
    r"(exit|abort|_exit|quick_exit)": ("errors are values; only main ends the program", re.compile(r"services/(up|worker|crash|submit|.*/train/)")),
}

# A stage is a function of the article: nothing of this inside one.
IMPURE = r"(clock_wall_ms|clock_monotonic_us|clock_thread_cpu_us|getenv|printf|fprintf|puts|getpid|pthread_\w+)"

# The places with state of the whole process, see common/fault.h and services/crash.c; in clock.c what only tests set.
STATE_ALLOWED = ("common/fault.c", "common/fault.h", "common/clock.c", "services/crash.c")

STATIC_STATE = re.compile(
    r"^[ \t]*static\s+(?!const\b|inline\b|_Noreturn\b|enum\s+\w+\s+\w+\(|MUST_CHECK\b|bool\s+\w+\()"
    r"(?![^;={]*\([^;={]*\)\s*(?:\{|;|\n))([^;={(]*?)(?:=|;)",
    re.M,
)


def calls(code, pattern):
    return re.finditer(rf"(?<![\w.>]){pattern}\s*\(", code)


def is_declared_const(words):
    return re.search(r"\bconst\b", words) is not None


def rule(folder):
    for path in rules.files(folder, ".c", ".h", under=OURS):
        code = rules.code_only(rules.read(folder, path))
        for pattern, (why, allowed) in BANNED.items():
            if allowed and allowed.match(path):
                continue
            for match in calls(code, pattern):
                yield f"{path}:{rules.line_of(code, match.start())}: {match.group(1)}: {why}"
        if STAGE.match(path):
            for match in calls(code, IMPURE):
                yield f"{path}:{rules.line_of(code, match.start())}: {match.group(1)}: a stage is a pure function"
        if path in STATE_ALLOWED:
            continue
        for match in STATIC_STATE.finditer(code):
            if not is_declared_const(match.group(1)):
                line = rules.line_of(code, match.start(1))
                yield f"{path}:{line}: static that can change; state belongs to a struct"


SAMPLES = {
    "a bounded call is fine": (
        {"common/a.c": 'static const int x = 1;\nstatic int f(void)\n{\n    return snprintf(b, 2, "strcpy(x)");\n}\n'},
        None,
    ),
    "members and longer names are others": ({"common/a.c": "x = a.time(1); y = p->exit(2); my_system(3);\n"}, None),
    "comments may name it": ({"common/a.c": "// never strcpy(a, b)\n/* atoi(x) */\n"}, None),
    "no sprintf": ({"common/a.c": "\nvoid f(void) { sprintf(a, b); }\n"}, "common/a.c:2: sprintf: has no bound"),
    "no strtok": ({"services/a.c": "strtok(a, b);"}, "strtok: changes its input"),
    "no atoi": ({"proto/a.c": "return atoi(a);"}, "atoi: cannot tell a mistake"),
    "no gmtime": ({"services/dates/a.c": "gmtime(&t);"}, "gmtime: use common/calendar.h"),
    "no time": ({"services/a.c": "t = time(NULL);"}, "times come from common/clock.h"),
    "the clock may": ({"common/clock.c": "clock_gettime(id, &now);"}, None),
    "no clock in a stage": ({"services/dates/a.c": "x = clock_wall_ms();"}, "clock_wall_ms: a stage is a pure function"),
    "no environment in a stage": ({"services/clean/a.c": 'getenv("HOME");'}, "getenv: a stage is a pure function"),
    "a worker may ask": ({"services/worker.c": "x = clock_wall_ms();"}, None),
    "no mutable static": ({"common/a.c": "\nstatic int count;\n"}, "common/a.c:2: static that can change"),
    "nor with a value": ({"common/a.c": "static struct x state = {0};\n"}, "static that can change"),
    "nor inside a function": ({"common/a.c": "void f(void)\n{\n    static char room[9];\n}\n"}, "static that can change"),
    "constants and functions are fine": (
        {
            "common/a.c": "static const struct x table[] = {\n    {1},\n};\nstatic enum status f(int a,\n    int b)\n{\n}\n"
            "static const char *const names[2] = {0};\nstatic struct x *g(void);\nstatic inline int h(void)\n{\n}\n"
            "static struct view k(struct view v)\n{\n    int x = 1;\n}\n"
        },
        None,
    ),
}

if __name__ == "__main__":
    rules.main(rule, SAMPLES)
