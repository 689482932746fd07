import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Schema } from "effect"

const root = join(import.meta.dir, "..", "..")
const RUN_LIMIT_MS = 60_000

const build = async (): Promise<string> => {
  const made = Bun.spawn(["node", join(root, "deploy", "scripts", "build.mjs")], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe"
  })
  const [code, out, err] = await Promise.all([
    made.exited,
    new Response(made.stdout).text(),
    new Response(made.stderr).text()
  ])
  if (code !== 0) throw new Error(`the binary could not be built:\n${out}${err}`)
  return join(root, "dist", "agent-runtime")
}

/** The path of the compiled binary, built first when it is not up to date (`npm test` has built it already). */
export const binary = (): Promise<string> => {
  const given = process.env.AGENT_RUNTIME_TEST_BINARY
  return given === undefined ? build() : Promise.resolve(given)
}

/** What a finished command told its caller. */
export interface Told {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

type Settings = { readonly [key: string]: unknown }

export interface PlaceOptions {
  /** Keys of the configuration that differ from the usual ones. */
  readonly config?: Settings
  /** Keys of the profile `plain` that differ from the usual ones. */
  readonly profile?: Settings
  /** More files, by their path in the folder. */
  readonly files?: { readonly [path: string]: string }
}

const usualConfig: Settings = {
  runtimeName: "test-runtime",
  runtimePolicy: "Do what the task says.",
  stateDir: "state",
  defaultProfile: "plain",
  defaultAdapter: "local",
  profiles: { plain: "plain.json" },
  adapters: { local: { mode: "script", command: "/bin/echo", extraArgs: ["done"], timeoutMs: 30_000 } }
}

const usualProfile: Settings = { profile_id: "plain", style: "codex-like", role: "A worker in a test." }

export interface RunOptions {
  readonly env?: { readonly [name: string]: string }
  /** Put before the binary: `strace ...`, `faketime ...`. */
  readonly under?: ReadonlyArray<string>
  readonly stdin?: string
  readonly limitMs?: number
}

/** A throw-away folder with a configuration of its own, in which the compiled binary is driven. */
export class Place {
  private constructor(
    readonly folder: string,
    readonly program: string
  ) {}

  static async make(options: PlaceOptions = {}): Promise<Place> {
    const program = await binary()
    const place = new Place(await mkdtemp(join(tmpdir(), "agent-runtime-place-")), program)
    await place.write("runtime.json", JSON.stringify({ ...usualConfig, ...options.config }))
    await place.write("plain.json", JSON.stringify({ ...usualProfile, ...options.profile }))
    for (const [path, text] of Object.entries(options.files ?? {})) await place.write(path, text)
    return place
  }

  get state(): string {
    return join(this.folder, "state")
  }

  path(...parts: ReadonlyArray<string>): string {
    return join(this.folder, ...parts)
  }

  async write(path: string, text: string): Promise<string> {
    const file = this.path(path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text, { mode: text.startsWith("#!") ? 0o755 : 0o644 })
    return file
  }

  /** Starts a command and answers its process; the caller ends it. */
  start(args: ReadonlyArray<string>, options: RunOptions = {}) {
    return Bun.spawn([...(options.under ?? []), this.program, ...args], {
      cwd: this.folder,
      stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
      stdout: "pipe",
      stderr: "pipe",
      env: {
        PATH: process.env.PATH ?? "/usr/bin:/bin",
        HOME: this.folder,
        LANG: "C.UTF-8",
        AGENT_RUNTIME_CONFIG: this.path("runtime.json"),
        ...(process.env.AGENT_RUNTIME_TEST_RUN === undefined
          ? {}
          : { AGENT_RUNTIME_TEST_RUN: process.env.AGENT_RUNTIME_TEST_RUN }),
        ...options.env
      }
    })
  }

  /** Runs a command to its end; one that takes longer than `limitMs` (one minute) is killed and an error. */
  async run(args: ReadonlyArray<string>, options: RunOptions = {}): Promise<Told> {
    const child = this.start(args, options)
    const limitMs = options.limitMs ?? RUN_LIMIT_MS
    let late = false
    const alarm = setTimeout(() => {
      late = true
      child.kill("SIGKILL")
    }, limitMs)
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited
    ])
    clearTimeout(alarm)
    if (late)
      throw new Error(`agent-runtime ${args.join(" ")} did not end within ${limitMs} ms\n${stdout}${stderr}`)
    return {
      code: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
      stdout,
      stderr
    }
  }

  /** Runs a command that must exit 0 and answers the JSON that it printed. */
  async json(args: ReadonlyArray<string>, options: RunOptions = {}): Promise<unknown> {
    const told = await this.run(args, options)
    if (told.code !== 0)
      throw new Error(
        `agent-runtime ${args.join(" ")} exited ${told.code ?? told.signal}\n${told.stderr}${told.stdout}`
      )
    return JSON.parse(told.stdout)
  }

  /** Like `json`, read by a schema. */
  async read<A, I>(
    schema: Schema.Schema<A, I>,
    args: ReadonlyArray<string>,
    options: RunOptions = {}
  ): Promise<A> {
    return Schema.decodeUnknownPromise(schema)(await this.json(args, options))
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}
