#!/usr/bin/env python3
"""Writes jobs.jsonl: what 6 jobs of 3 workspaces did in three days, always the same, with some lines as real files have them.

    python3 make-jobs.py > jobs.jsonl
"""

import json
import uuid
from datetime import datetime, timedelta, timezone

START = datetime(2026, 3, 1, tzinfo=timezone.utc)
LABELS = ["mail.fetch", "text.summarise", "text.translate", "image.describe"]
MODELS = ["m-1", "m-2", "m-3"]
CODES = ["timeout", "rate-limit", "rate-limit", "bad-answer", "quota"]


def numbers(state: int = 20260301):
    """A small generator of its own, so that the file does not depend on the version of Python."""
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 33


def main() -> None:
    random = numbers()

    def pick(values):
        return values[next(random) % len(values)]

    def identifier(time):
        """A UUID of version 7 (RFC 9562, section 5.7)."""
        value = int(time.timestamp() * 1000) << 80 | 7 << 76 | (next(random) & 0xFFF) << 64
        return str(uuid.UUID(int=value | 2 << 62 | (next(random) << 31 | next(random)) & (1 << 62) - 1))

    def text(time):
        return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    workspaces = [identifier(START) for _ in range(3)]
    jobs = [(workspace, identifier(START)) for workspace in workspaces for _ in range(2)]
    time = START
    for number in range(1, 241):
        time += timedelta(milliseconds=500_000 + next(random) % 1_150_000)
        workspace, job = pick(jobs)
        where = {"workspace": workspace, "job": job}
        execution = identifier(time)
        failed = next(random) % 9 == 0
        lines = []
        for step in range(1 + next(random) % 4):
            begin = time + timedelta(seconds=step)
            end = begin + timedelta(milliseconds=20 + (next(random) % 40) ** 2)
            status = "failed" if failed and step == 0 else "succeeded"
            line = {"kind": "activity", **where, "activity": identifier(begin), "label": pick(LABELS),
                    "status": status, "occurredAt": text(begin), "startedAt": text(begin), "finishedAt": text(end),
                    "payload": {"execution": execution, "model": pick(MODELS), "tokens": next(random) % 4000,
                                "cost": {"amount": next(random) % 500 / 10000, "currency": "EUR"}}}
            if status == "failed":
                line["failure"] = {"code": pick(CODES), "message": "the provider did not answer"}
            lines.append(line)
        lines.append({"kind": "event", **where, "event": identifier(time), "execution": execution,
                      "label": "step.done", "occurredAt": text(time), "payload": {"steps": len(lines)}})
        record = {"kind": "execution", **where, "execution": execution, "worker": f"worker-{next(random) % 4}",
                  "status": "failed" if failed else "succeeded", "context": {"trigger": pick(["schedule", "user"])}}
        if failed:
            record["failure"] = {"code": pick(CODES), "message": "an activity failed"}
        lines.append(record)
        texts = [json.dumps(line, ensure_ascii=False) for line in lines]
        if number == 20:
            texts[0] = texts[0][: len(texts[0]) // 2]  # a line that was cut off
        elif number == 48:
            texts[0] = json.dumps({**lines[0], "status": "done"})
        elif number == 76:
            texts[0] = json.dumps({**lines[0], "payload": {"$where": "1"}})
        elif number == 104:
            texts[0] = json.dumps({key: value for key, value in lines[0].items() if key != "workspace"})
        elif number == 132:
            texts[0] = json.dumps({**lines[0], "finishedAt": text(START)})
        elif number == 160:
            texts.append("")  # an empty line, which does no harm
        elif number == 188:
            texts.append(texts[0])  # the line once more
        elif number == 216:
            texts.append(json.dumps({"kind": "workflow", **where}))
        print("\n".join(texts))


if __name__ == "__main__":
    main()
