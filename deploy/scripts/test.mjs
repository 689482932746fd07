import { randomUUID } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { binary, build } from "./build.mjs"
import { run } from "./command.mjs"
import { bun, main, root, Trouble } from "./project.mjs"
import { setup } from "./setup.mjs"
import { countTests, notRun, readCases, slowest } from "./testReport.mjs"

const CHECK_LIMIT_MS = 120_000
/**
 * Tests that take longer are stuck. It is no measure of speed: the same tests take from 200 s to 470 s on one machine
 * from one hour to the next, and nothing is wrong with them in the slower one.
 */
const TESTS_LIMIT_MS = 900_000
const WANTED_SECONDS = 300
const LONG_LIMIT_MS = 3_600_000
const LEFT_OVER_GRACE_MS = 3_000

/**
 * What takes long and repeats in breadth what a shorter test has in depth; `npm run test:long` runs these, the
 * others are `npm test`, which has five minutes on two cores.
 */
const LONG = [
  "test/agents/hermes.test.ts",
  "test/agents/ollama.test.ts",
  "test/agents/openAiChat.test.ts",
  "test/deploy/release.test.ts",
  "test/deploy/bringUp.test.ts",
  "test/deploy/underSystemd.test.ts",
  "test/deploy/update.test.ts",
  "test/e2e/prune.test.ts",
  "test/faults/killAtRestore.test.ts",
  "test/faults/killBudgeted.test.ts",
  "test/faults/killAtWrite.test.ts",
  "test/faults/noDescriptors.test.ts",
  "test/faults/twoDispatchers.test.ts",
  "test/http/fuzzLong.test.ts",
  "test/http/load.test.ts",
  "test/page/Breadth.test.ts",
  "test/page/Pictures.test.ts"
]

/** Of what these try every run takes a sample, the long suite all (test/support/breadth.ts). */
const SAMPLED = [
  "test/agents/claudeCode.test.ts",
  "test/agents/codex.test.ts",
  "test/agents/containment.test.ts",
  "test/e2e/cooldown.test.ts",
  "test/e2e/evidence.test.ts",
  "test/intake/DueTimes.test.ts",
  "test/intake/WorkflowDeath.test.ts",
  "test/layers/adapter/Process.test.ts",
  "test/layers/adapter/Redaction.test.ts",
  "test/page/Lists.test.ts",
  "test/schedule/Recurrence.test.ts"
]

/** The test files of `npm test`, relative to the root; the folder itself where it holds none. */
const short = () => {
  const folder = join(root, "test")
  const found = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".test.ts") && !name.includes("node_modules/"))
        .map((name) => `test/${name}`)
        .filter((name) => !LONG.includes(name))
    : []
  return found.length === 0 ? ["./test"] : found.sort().map((name) => `./${name}`)
}

const tool = (name) => join(root, "node_modules", ".bin", name)
const say = (line) => process.stdout.write(`${line}\n`)

const show = (name, result) => {
  const state = result.ok ? "" : result.timedOut ? "  OUT OF TIME" : "  FAILED"
  say(`${name.padEnd(12)} ${result.seconds.toFixed(1).padStart(6)} s${state}`)
  if (!result.ok) say(result.output.trimEnd())
}

const timed = async (program) => {
  const began = process.hrtime.bigint()
  const seconds = () => Number(process.hrtime.bigint() - began) / 1e9
  try {
    await program()
    return { ok: true, seconds: seconds(), output: "" }
  } catch (error) {
    if (!(error instanceof Trouble)) throw error
    return { ok: false, seconds: seconds(), output: error.message }
  }
}

const DIAGNOSTICS = [
  ["diagnostics", "--project", "tsconfig.json"],
  ["--format", "text", "--severity", "error,warning", "--strict"]
].flat()

/** Two rows of checks, one for each core: what one of them waits for the other does not. */
const checkSource = async () => {
  const check = async (name, program, args) => {
    const result = await run(tool(program), args, { timeoutMs: CHECK_LIMIT_MS })
    show(name, result)
    return result
  }
  const inTurn = async (checks) => {
    const results = []
    for (const [name, program, args] of checks) results.push(await check(name, program, args))
    return results
  }
  const rows = [
    [["diagnostics", "effect-tsgo", DIAGNOSTICS]],
    [
      ["lint", "biome", ["check"]],
      ["typecheck", "tsc", ["--noEmit"]],
      // The page runs in a browser: it has that world's types, and nobody else has them.
      ["the page", "tsc", ["--noEmit", "-p", join("src", "page")]]
    ]
  ]
  return (await Promise.all(rows.map(inTurn))).flat()
}

const buildBinary = async () => {
  const result = await timed(build)
  show("build", result)
  return result
}

const processesOf = (mark) =>
  readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return []
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark)) return []
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()
      return command === "" ? [] : [{ pid: Number(pid), command }]
    } catch {
      return [] // It ended meanwhile, or belongs to somebody else.
    }
  })

const kill = (pid) => {
  try {
    process.kill(pid, "SIGKILL")
  } catch (error) {
    if (error.code !== "ESRCH") throw error
  }
}

/** The processes that the tests left behind; they are given a moment to end and are then killed. */
const leftOver = async (mark) => {
  const polls = LEFT_OVER_GRACE_MS / 100
  let left = processesOf(mark)
  for (let poll = 0; left.length > 0 && poll < polls; poll++) {
    await sleep(100)
    left = processesOf(mark)
  }
  for (const { pid } of left) kill(pid)
  return left
}

const none = { counts: { passed: 0, failed: 0, skipped: 0 }, cases: [], left: [] }

const isOfPage = (file) => file.startsWith("./test/page/")

/**
 * The runs of bun. Most files share the modules that their worker has loaded, which is a third of the time of all;
 * those of the page have the processes of their browsers to themselves, and so has what is selected. Most tests wait
 * for processes half of their time: two files for each core keep the cores busy. A browser keeps one busy by itself:
 * of more than one for each core all are slower (115 s for three on two cores, 103 s for two), and what a page is given
 * to answer runs out.
 */
const runsOf = (selection) => {
  if (selection.length > 0) return [{ label: "tests", files: selection, isolated: true, perCore: 2 }]
  const files = short()
  return [
    { label: "tests", files: files.filter((file) => !isOfPage(file)), isolated: false, perCore: 2 },
    { label: "page tests", files: files.filter(isOfPage), isolated: true, perCore: 1 }
  ].filter((part) => part.files.length > 0)
}

/** One run of bun: its result and its cases. */
const runFiles = async ({ files, isolated, label, perCore }, { env, long, timeoutMs, work }) => {
  const report = join(work, `junit-${randomUUID()}.xml`)
  const args = [
    "test",
    // Long ones go one by one: some hold the port that the pages of a host name, some a watchdog of one second.
    `--parallel=${long ? 1 : Math.min(Math.floor(perCore * availableParallelism()), 8)}`,
    ...(isolated ? [] : ["--no-isolate"]),
    "--only-failures",
    "--timeout=30000",
    "--reporter=junit",
    `--reporter-outfile=${report}`
  ]
  const result = await run(bun, [...args, ...files], { timeoutMs, env })
  show(label, result)
  return { counts: countTests(result), cases: readCases(report), seconds: result.seconds }
}

const runTests = async (selection, long) => {
  const work = mkdtempSync(join(tmpdir(), "agent-runtime-test-"))
  const mark = `AGENT_RUNTIME_TEST_RUN=${randomUUID()}`
  const [name, value] = mark.split("=")
  const breadth = long ? { AGENT_RUNTIME_TEST_LONG: "1" } : {}
  const built = selection.length === 0 ? { AGENT_RUNTIME_TEST_BINARY: binary } : {}
  const env = { ...process.env, ...built, ...breadth, [name]: value }
  try {
    const runs = []
    let timeoutMs = long ? LONG_LIMIT_MS : TESTS_LIMIT_MS
    for (const part of runsOf(selection)) {
      const one = await runFiles(part, { env, long, timeoutMs, work })
      timeoutMs = Math.max(1_000, timeoutMs - one.seconds * 1_000)
      runs.push(one)
    }
    const left = await leftOver(mark)
    for (const { pid, command } of left) say(`left behind by a test, killed: ${pid} ${command}`)
    const sum = (what) => runs.reduce((all, { counts }) => all + counts[what], 0)
    return {
      counts: { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") },
      cases: runs.flatMap(({ cases }) => cases),
      left
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Everything without arguments; with paths or options of `bun test` only the tests that they select. */
const test = async (selection, long) => {
  const prepared = await timed(setup)
  show("setup", prepared)
  if (!prepared.ok) return { steps: [prepared], tests: none }
  const checked = selection.length === 0 ? await Promise.all([checkSource(), buildBinary()]) : []
  return { steps: checked.flat(), tests: await runTests(selection, long) }
}

await main("test", async () => {
  const began = process.hrtime.bigint()
  const words = process.argv.slice(2)
  const long = words.includes("--long")
  const { steps, tests } = await test(
    words.flatMap((word) => (word === "--long" ? [...LONG, ...SAMPLED] : [word])),
    long
  )
  if (tests.cases.length > 0)
    say(["", "slowest tests", ...slowest(tests.cases), ...notRun(tests.cases)].join("\n"))
  const seconds = Number(process.hrtime.bigint() - began) / 1e9
  if (!long && words.length === 0 && seconds > WANTED_SECONDS)
    say(
      `\n${seconds.toFixed(0)} s, where ${WANTED_SECONDS} s are wanted: a slow machine, or tests that have grown`
    )
  const { counts, left } = tests
  const passed = counts.passed + steps.filter((step) => step.ok).length
  const failed = counts.failed + steps.filter((step) => !step.ok).length + (left.length > 0 ? 1 : 0)
  say(`\n${passed} passed, ${failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""}`)
  return failed === 0 ? 0 : 1
})
