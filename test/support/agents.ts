import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { Schema } from "effect"
import { Received } from "./models/server.ts"
import { unshareNetwork } from "./probes.ts"

const root = join(import.meta.dir, "..", "..")

/** Where `npm run agents:install` puts the real agent programs. */
const folder = process.env.AGENT_RUNTIME_AGENTS_DIR || join(root, ".agents")

/** The path of a real agent program; whether it is there is for `needs` to say. */
export const agent = (name: "codex" | "claude"): string => join(folder, "node_modules", ".bin", name)

// codex refuses a home below the folder for temporary files.
const HOMES = "/var/tmp"

const firstLine = async (stream: ReadableStream<Uint8Array>): Promise<string> => {
  let text = ""
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes("\n")) break
  }
  return text.split("\n")[0] ?? ""
}

/**
 * A network of its own, with nothing in it but 127.0.0.1, and the stubbed model servers on it: programs that
 * run `within` it reach them and nobody else. `home` is a folder for the programs' own files.
 */
export class House {
  private constructor(
    private readonly keeper: Bun.Subprocess<"pipe", "pipe", "inherit">,
    private readonly apart: boolean,
    readonly home: string,
    private readonly port: string
  ) {}

  /** With `apart: false` the stub is in this machine's network: enough for what speaks to nobody else anyway. */
  static async open({ apart }: { readonly apart: boolean }): Promise<House> {
    const home = await mkdtemp(join(HOMES, "agent-runtime-agents-"))
    for (const name of ["codex", "claude", "tmp"]) await mkdir(join(home, name))
    const server = [process.execPath, join(import.meta.dir, "models", "server.ts"), join(home, "control")]
    const inside = [...unshareNetwork, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", ...server]
    const keeper = Bun.spawn(apart ? inside : server, { stdin: "pipe", stdout: "pipe", stderr: "inherit" })
    const port = await firstLine(keeper.stdout)
    if (!/^\d+$/.test(port)) throw new Error("the stubbed model server did not start")
    return new House(keeper, apart, home, port)
  }

  /** The stub's address within; `path` is appended. */
  url(path = ""): string {
    return `http://127.0.0.1:${this.port}${path}`
  }

  /** Put before a command, it makes the command run in this network. */
  get within(): ReadonlyArray<string> {
    if (!this.apart) return []
    const user = process.getuid?.() === 0 ? [] : ["--user", "--preserve-credentials"]
    return ["nsenter", "--target", String(this.keeper.pid), ...user, "--net", "--"]
  }

  private async ask(path: string): Promise<ReadonlyArray<Received>> {
    const answer = await fetch(`http://stub${path}`, { unix: join(this.home, "control") })
    return Schema.decodeUnknownPromise(Schema.Array(Received))(await answer.json())
  }

  /** What the models were asked since the last `forget`, at most the last 200 requests. */
  requests(): Promise<ReadonlyArray<Received>> {
    return this.ask("/log")
  }

  async forget(): Promise<void> {
    await this.ask("/clear")
  }

  /** Answers when a model was asked in this scenario. */
  async asked(scenario: string): Promise<void> {
    await this.ask(`/received/${scenario}`)
  }

  async close(): Promise<void> {
    this.keeper.kill()
    await this.keeper.exited
    await rm(this.home, { recursive: true, force: true })
  }
}

/** The processes whose environment holds one of the marks (`NAME=value`), as `pid command`. */
export const processesWith = async (...marks: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    try {
      const env = (await readFile(`/proc/${pid}/environ`, "latin1")).split("\0")
      if (!env.some((entry) => marks.includes(entry))) continue
      found.push(`${pid} ${(await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim()}`)
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
  return found
}
