import { expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Duration, Effect, Logger, Option } from "effect"
import { layer } from "../../../layers/notify/SystemdNotify.ts"
import { Notify } from "../../../src/dispatch/Notify.ts"
import { needs } from "../../support/needs.ts"

// Bun has no datagram sockets of this kind; perl is a part of every Debian.
const RECEIVER = `
use Socket; $| = 1;
my $name = $ARGV[0]; my $path = $name =~ /^\\@/ ? "\\0" . substr($name, 1) : $name;
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die $!;
bind($socket, pack("S a*", AF_UNIX, $path)) or die $!;
print "listening\\n"; <STDIN>;
while (defined recv($socket, my $got, 4096, 0)) { print "$got\\n"; last if $got eq "STOPPING=1" }
`

/** What the service manager of a process with these variables is told by a program, which says when it begins to listen. */
const heard = async (
  socket: string,
  program: (listen: Effect.Effect<void>) => Effect.Effect<void, never, Notify>
) => {
  const receiver = Bun.spawn(["perl", "-e", RECEIVER, socket], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit"
  })
  const reader = receiver.stdout.pipeThrough(new TextDecoderStream()).getReader()
  try {
    expect((await reader.read()).value).toBe("listening\n")
    let text = ""
    const listen = Effect.promise(async () => {
      receiver.stdin.end()
      for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value
    })
    await inEnvironment({ NOTIFY_SOCKET: socket }, program(listen))
    return text.trimEnd().split("\n")
  } finally {
    receiver.kill("SIGKILL")
    await receiver.exited
  }
}

const VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]

const inEnvironment = async <A>(
  env: Readonly<Record<string, string>>,
  program: Effect.Effect<A, never, Notify>
): Promise<A> => {
  const before = VARIABLES.map((name) => [name, process.env[name]] as const)
  try {
    for (const name of VARIABLES) delete process.env[name]
    Object.assign(process.env, env)
    return await Effect.runPromise(Effect.provide(program, layer))
  } finally {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  }
}

const everything = (listen: Effect.Effect<void>) => Effect.zipRight(allWords, listen)

const allWords = Effect.gen(function* () {
  const { alive, ready, status, stopping } = yield* Notify
  yield* ready
  yield* status("2 running\nWATCHDOG=trigger")
  yield* alive
  yield* stopping
})

const words = ["READY=1", "STATUS=2 running WATCHDOG=trigger", "WATCHDOG=1", "STOPPING=1"]

needs("perl")("systemd is told by a socket with a path, each word a datagram of one line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "agent-runtime-notify-"))
  try {
    expect(await heard(join(folder, "notify"), everything)).toEqual(words)
  } finally {
    await rm(folder, { recursive: true })
  }
})

needs("perl")("systemd is told by an abstract socket", async () => {
  expect(await heard(`@agent-runtime-test-${process.pid}`, everything)).toEqual(words)
})

needs("perl")(
  "a service manager that does not listen holds nothing up, and hears the last word when it does",
  async () => {
    const program = (listen: Effect.Effect<void>) =>
      Effect.gen(function* () {
        const { status, stopping } = yield* Notify
        // More than a queue of datagrams holds (net.unix.max_dgram_qlen, up to 512 on hosts of today).
        for (let n = 0; n < 1000; n++) yield* status(`${n} running`)
        yield* stopping
        yield* listen
      })
    const words = await heard(`@agent-runtime-deaf-${process.pid}`, program)
    expect(words.at(-1)).toBe("STOPPING=1")
    expect(words.length).toBeLessThan(1000)
  }
)

const watchdogIn = (env: Readonly<Record<string, string>>) =>
  inEnvironment(
    env,
    Effect.map(Notify, ({ watchdog }) => Option.getOrNull(Option.map(watchdog, Duration.toMillis)))
  )

test("signs of life are due as often as systemd says, when it means this process", async () => {
  const NOTIFY_SOCKET = "@agent-runtime-nobody"
  const WATCHDOG_USEC = "30000000"
  expect(await watchdogIn({ NOTIFY_SOCKET, WATCHDOG_USEC })).toBe(30_000)
  expect(await watchdogIn({ NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID: String(process.pid) })).toBe(30_000)
  expect(await watchdogIn({ NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID: "1" })).toBeNull()
  expect(await watchdogIn({ NOTIFY_SOCKET, WATCHDOG_USEC: "soon" })).toBeNull()
  expect(await watchdogIn({ NOTIFY_SOCKET })).toBeNull()
  expect(await watchdogIn({ WATCHDOG_USEC })).toBeNull()
})

/** What was warned of while everything was said, in a place where nothing can be interrupted as a drain is one. */
const warnedOf = async (env: Readonly<Record<string, string>>) => {
  const lines: Array<string> = []
  const listening = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => lines.push(String(message)))
  )
  const program = Effect.uninterruptible(Effect.zipRight(allWords, allWords)).pipe(Effect.provide(listening))
  await inEnvironment(env, program)
  return lines
}

test("nobody is told, and nothing is said of it, where nobody asked", async () => {
  expect(await warnedOf({})).toEqual([])
  expect(await warnedOf({ NOTIFY_SOCKET: "" })).toEqual([])
})

for (const [what, socket, why] of [
  ["a socket that is not there", "/nowhere/notify", "ENOENT"],
  ["a socket that nobody reads", `@agent-runtime-nobody-${process.pid}`, "ECONNREFUSED"],
  ["a file that is no socket", "/dev/null", "ECONNREFUSED"],
  ["a relative path", "relative/path", "it names no socket"],
  ["a path that is too long", `/${"x".repeat(200)}`, "it names no socket"]
] as const)
  test(`${what} is warned of once, and holds nothing up`, async () => {
    const begun = performance.now()
    const lines = await warnedOf({ NOTIFY_SOCKET: socket })
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(`NOTIFY_SOCKET is ${JSON.stringify(socket)} (${why})`)
  })

needs("perl")("a service manager that never listens holds up no end", async () => {
  const begun = performance.now()
  const deaf = (_listen: Effect.Effect<void>) =>
    Effect.gen(function* () {
      const { ready, status, stopping } = yield* Notify
      for (let n = 0; n < 1000; n++) yield* status(`${n} running`)
      yield* Effect.uninterruptible(Effect.zipRight(ready, stopping))
    })
  await heard(`@agent-runtime-silent-${process.pid}`, deaf)
  expect(performance.now() - begun).toBeLessThan(5_000)
})
