"""Memory ends at every moment of `copydesk enrich`: the result is whole and right, or the program says that it is not.

Each run makes one allocation fail (COPYDESK_FAULT=memory:N, common/fault.h), the next run the one after it. No run may
crash, hang, or end with exit code 0 and another result than the undisturbed one.
"""

import json
import os
import subprocess
import sys

PROGRAM = os.environ["COPYDESK"]
ARTICLE = "Officials met in Paris on Monday, said John Smith of the Northern News Press. The talks end on 3 May 2020.\n"
RUNS = 40


def enrich(fault):
    environment = dict(os.environ)
    environment.pop("COPYDESK_FAULT", None)
    if fault:
        environment["COPYDESK_FAULT"] = fault
    return subprocess.run(
        [PROGRAM, "enrich", "--json", "-j", "1"],
        input=ARTICLE.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        timeout=60,
    )


def without_times(output):
    """The result with every duration left out."""
    lines = [json.loads(line) for line in output.decode().splitlines()]
    for article in lines:
        for stage in article.get("stages", {}).values():
            stage.pop("ms", None)
    return lines


def judge(n, run, good):
    """What is wrong with the run, or None."""
    said = run.stderr.decode(errors="replace")
    if run.returncode < 0 or run.returncode >= 128 or "Sanitizer" in said:
        return f"memory:{n} ended with {run.returncode}: {said}"
    if run.returncode == 0 and without_times(run.stdout) != good:
        return f"memory:{n} gave another result without saying so"
    if run.returncode != 0 and not said:
        return f"memory:{n} ended with {run.returncode} and no word why"
    return None


def main():
    undisturbed = enrich(None)
    if undisturbed.returncode != 0:
        print(undisturbed.stderr.decode())
        return 1
    good = without_times(undisturbed.stdout)
    faults = [judge(n, enrich(f"memory:{n}"), good) for n in range(1, RUNS + 1)]
    faults = [fault for fault in faults if fault]
    print("\n".join(faults) or f"{RUNS} runs, each right or refused with a reason")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
