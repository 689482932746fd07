import { ConfigurationFile } from "../../src/config/FileSchema.ts"
import { Profile } from "../../src/domain/Profile.ts"
import { ScheduleIntent } from "../../src/domain/RecurringSchedule.ts"
import { Intent } from "../../src/domain/Task.ts"
import { fullConfig, fullIntent, fullProfile } from "../config/samples.ts"
import { type BadCase, badCases } from "../support/badCases.ts"

/** Wrong input for a command, and the words of the one line that must tell what is wrong with it. */
export interface BadInput {
  readonly name: string
  readonly args: ReadonlyArray<string>
  readonly stdin?: string | Uint8Array
  /** Files to lay out first, by path; the text of each. */
  readonly files?: Readonly<Record<string, string>>
  readonly words: ReadonlyArray<string>
}

const wordsOf = ({ kind, likely, path }: BadCase): ReadonlyArray<string> => {
  if (kind === "near-miss key") return [path, "is not a known key", "did you mean", likely]
  if (kind === "missing") return [path, "is missing", "expected"]
  return kind === "null" ? [path, "null", "expected"] : [path, "found", "expected"]
}

const every = <A>(step: number, list: ReadonlyArray<A>): ReadonlyArray<A> =>
  list.filter((_, at) => at % step === 0)

const { schedule: _, ...goodIntent } = fullIntent
const { available_at: _due, ...goodTemplate } = fullIntent

const intent = (name: string, document: unknown, ...words: ReadonlyArray<string>): BadInput => ({
  name: `intake, ${name}`,
  args: ["intake", "-"],
  stdin: JSON.stringify(document),
  words
})

const withKey = (key: string, value: unknown, ...words: ReadonlyArray<string>): BadInput =>
  intent(`${key} ${JSON.stringify(value)}`, { ...goodIntent, [key]: value }, key, "expected", ...words)

const stdin = (name: string, text: string | Uint8Array, ...words: ReadonlyArray<string>): BadInput => ({
  name: `intake, ${name}`,
  args: ["intake", "-"],
  stdin: text,
  words
})

const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`

const intents: ReadonlyArray<BadInput> = [
  ...every(2, badCases(Intent, goodIntent)).map((bad) => intent(bad.name, bad.input, ...wordsOf(bad))),
  withKey("max_attempts", 0, "found 0", "at least 1"),
  withKey("max_attempts", 1.5, "found 1.5"),
  withKey("max_attempts", "3", 'found "3"'),
  withKey("max_attempts", null, "found null"),
  withKey("priority", 5.5, "found 5.5"),
  withKey("available_at", "tomorrow", '"tomorrow"', "ISO 8601"),
  withKey("available_at", "2026-02-31T00:00:00Z", "ISO 8601"),
  withKey("available_at", "2026-01-01", "ISO 8601"),
  withKey("available_at", 5, "found 5"),
  withKey("subject", "a\0b", "text of 1 to"),
  intent(
    "a delay below 0",
    { ...goodIntent, schedule: { delay_minutes: -1 } },
    "schedule.delay_minutes",
    "found -1"
  ),
  intent("a delay and a time", fullIntent, "schedule", "available_at"),
  intent("a list", [goodIntent], "a list of 1 item", "expected an object"),
  intent("null", null, "found null", "expected an object"),
  stdin("nothing on stdin", "", "stdin", "expected"),
  stdin("half an object", '{"kind":"note",\n "source"', "stdin", "line 2"),
  stdin("a trailing comma", '{"kind":"note",}', "stdin, line 1"),
  stdin("a key that stands twice", '{"kind":"a","kind":"b","source":"s","payload":{}}', "kind"),
  stdin(
    "half a surrogate pair in a text",
    '{"kind":"a","source":"s","subject":"\\ud800","payload":{}}',
    "subject"
  ),
  stdin(
    "half a surrogate pair in the payload",
    '{"kind":"a","source":"s","payload":{"t":"\\udc00"}}',
    "payload"
  ),
  stdin("a number beyond all numbers", '{"kind":"a","source":"s","payload":{"n":1e999}}', "payload"),
  stdin("1,000 levels", `{"kind":"a","source":"s","payload":${nested(1_000)}}`, "stdin", "nested too deeply"),
  stdin("100,000 levels", `{"kind":"a","source":"s","payload":${nested(100_000)}}`, "nested too deeply"),
  stdin("Latin-1", new Uint8Array([0x22, 0xe9, 0x22]), "stdin", "not UTF-8"),
  stdin("UTF-16", new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), "UTF-16", "UTF-8")
]

// Both names of the keys that have two do not resolve together.
const { extends: _parent, ...ownConfig } = fullConfig

const configurations: ReadonlyArray<BadInput> = every(
  24,
  badCases(ConfigurationFile, ownConfig, { nullRemoves: true })
).map((bad, at) => ({
  name: `configuration, ${bad.name}`,
  args: ["status", "--config", `bad/config-${at}.json`],
  files: { [`bad/config-${at}.json`]: JSON.stringify(bad.input) },
  words: bad.kind === "null" ? [bad.path, "expected"] : wordsOf(bad)
}))

const smallConfig = (file: string) => ({
  runtimeName: "a",
  runtimePolicy: "b",
  stateDir: "../state",
  defaultProfile: "lumen",
  defaultAdapter: "local",
  profiles: { lumen: file },
  adapters: { local: { mode: "script", command: "true" } }
})

const profiles: ReadonlyArray<BadInput> = every(6, badCases(Profile, fullProfile)).map((bad, at) => ({
  name: `profile, ${bad.name}`,
  args: ["status", "--config", `bad/for-profile-${at}.json`],
  files: {
    [`bad/for-profile-${at}.json`]: JSON.stringify(smallConfig(`profile-${at}.json`)),
    [`bad/profile-${at}.json`]: JSON.stringify(bad.input)
  },
  words: [`profile-${at}.json`, ...wordsOf(bad)]
}))

const goodSchedule = {
  name: "every morning",
  interval_seconds: 305,
  task: goodTemplate,
  next_run_at: "2026-04-29T07:01:02.003Z",
  enabled: true,
  overlap: "skip"
}

const schedule = (name: string, document: unknown, ...words: ReadonlyArray<string>): BadInput => ({
  name: `schedule, ${name}`,
  args: ["schedule-create", "--file", "-"],
  stdin: JSON.stringify(document),
  words
})

const cron = (expression: string, timezone?: string) => {
  const { interval_seconds: _, ...rest } = goodSchedule
  return { ...rest, cron: expression, ...(timezone === undefined ? {} : { timezone }) }
}

const schedules: ReadonlyArray<BadInput> = [
  ...every(4, badCases(ScheduleIntent, goodSchedule)).map((bad) =>
    schedule(bad.name, bad.input, ...wordsOf(bad))
  ),
  schedule("an interval of 0", { ...goodSchedule, interval_seconds: 0 }, "interval_seconds", "at least 1"),
  schedule("a cron of 61 minutes", cron("61 * * * *"), "cron", "cannot be used"),
  schedule("a cron that never matches", cron("0 0 31 2 *"), "cron", "never matches"),
  schedule("a zone that is none", cron("0 0 * * *", "Europe/Zurick"), "timezone", "did you mean", "Zurich"),
  schedule("a zone without a cron", { ...goodSchedule, timezone: "UTC" }, "timezone", "no cron"),
  schedule("two timings", { ...goodSchedule, cron: "0 0 * * *" }, "cron", "one of the two"),
  schedule("a name of spaces", { ...goodSchedule, name: "  " }, "name", "text of 1 to 200"),
  schedule("a list", [goodSchedule], "a list of 1 item", "expected an object")
]

const line = (args: string, ...words: ReadonlyArray<string>): BadInput => ({
  name: `command line, ${args}`,
  args: args.split(" "),
  words
})

const usage: ReadonlyArray<BadInput> = [
  line("statsu", "there is no command", '"statsu"', "did you mean", "status"),
  line("frobnicate", "there is no command", "the commands are"),
  line("run_once", "did you mean", "run-once"),
  line("-o", "--output", "value"),
  line("status -o yaml", "--output", '"yaml"', "json"),
  line("status -o jsn", "--output", '"jsn"', "json"),
  line("status --confg x", "--confg", "did you mean", "--config"),
  line("status --log-level loud", "--log-level", '"loud"', "debug"),
  line("status extra", "status", '"extra"', "no argument"),
  line("status -x", "-x"),
  line("--completions tcsh", "--completions", '"tcsh"', "bash"),
  line("task-list --limit 0", "--limit", "0", "from 1 to 500"),
  line("task-list --limit 501", "--limit", "501", "from 1 to 500"),
  line("task-list --limit ten", "--limit", '"ten"', "from 1 to 500"),
  line("task-list --limit 1.5", "--limit", "1.5"),
  line("task-list --limit", "--limit"),
  line("task-list --limit 1 --limit 2", "--limit", "2 times"),
  line("task-list --status complete", "--status", '"complete"', "did you mean", "completed"),
  line("task-list --status pending,done", "--status", '"done"'),
  line("task-list --after nonsense", "--after", '"nonsense"'),
  line("task-show", "ID", "missing"),
  line("task-show a b", '"b"', "ID"),
  line("task-cancel", "ID", "missing"),
  line("events --since -1", "--since", "-1"),
  line("events --since abc", "--since", '"abc"'),
  line("events --since 1e99", "--since"),
  line("intake", "nothing names it", "--json"),
  line("intake --json {} -", "2 times"),
  line("intake --json {", "--json", "line 1"),
  line("intake --file no-such.json", "no-such.json", "no such file"),
  line("intake --file bad", "bad", "folder"),
  line("intake other", '"other"', "-"),
  line("bridge-github", "nothing names it"),
  line("bridge-github --file bad/none.json", "bad/none.json", "no such file"),
  line("run-once --force", "--force"),
  line("schedule-create", "nothing names it", "--json"),
  line("schedule-show", "NAME", "missing"),
  line("schedule-tick --at noon", "--at", '"noon"', "ISO 8601"),
  line("schedule-tick --at 2026-02-31T00:00:00Z", "--at", "ISO 8601"),
  line("pause --reason", "--reason")
]

const bridges: ReadonlyArray<BadInput> = [
  ["bridge-github", "[]", "object"],
  ["bridge-github", "{}", "event is missing"],
  ["bridge-github", '{"event":"","repository":"a/b"}', "event"],
  ["bridge-github", '{"event":"x","repository":5}', "repository"],
  ["bridge-github", '{"action":"closed","repository":{"full_name":"a/b"}}', "pull_request"],
  ["bridge-discord", "{}", "channel is missing"],
  ["bridge-discord", '{"event":"m","channel":"c","author":"a","message":7}', "message"],
  ["bridge-discord", '"text"', "object"]
].map(([command = "", text = "", word = ""]) => ({
  name: `${command}, ${text}`,
  args: [command, "--file", "-"],
  stdin: text,
  words: [word]
}))

/** Every group with its cases; the first argument of each line is a command of the binary. */
export const badInput = { intents, schedules, configurations, profiles, usage, bridges }
