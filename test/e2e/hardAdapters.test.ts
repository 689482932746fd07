import { expect, setDefaultTimeout, test } from "bun:test"
import { mkdir, rm } from "node:fs/promises"
import type { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { claims, inPlace, queue, runOnce, scripted, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

/** Runs one task on an adapter that fails and one on `local`; answers the attempt of the first. */
const survived = async (place: Place, adapter: string) => {
  const bad = await queue(place, { requested_adapter: adapter, priority: 9 })
  const good = await queue(place)
  expect((await runOnce(place)).task_id).toBe(bad)
  expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: good })
  const { attempts, task } = await story(place, bad)
  return { task, attempt: attempts.at(-1)! }
}

const serving = async <A>(answer: () => Response, body: (url: string) => Promise<A>): Promise<A> => {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch: answer })
  try {
    return await body(`http://127.0.0.1:${server.port}`)
  } finally {
    await server.stop(true)
  }
}

/** Bytes that mean nothing, as fast as they are taken, until the reader goes away. */
const garbage = (lines: boolean) => {
  const piece = Buffer.from(
    Array.from({ length: 65_536 }, (_, at) => (lines && at % 80 === 79 ? 10 : 33 + ((at * 7) % 90)))
  )
  return new Response(new ReadableStream({ pull: (stream) => stream.enqueue(piece) }), {
    headers: { "content-type": "application/x-ndjson" }
  })
}

// A line that is longer than any answer comes again the next time.
for (const [how, lines, retryClass, reason, status] of [
  ["in lines", true, "retryable", "exit_error", "retryable_failure"],
  ["without a line's end", false, "none", "needs_operator", "blocked"]
] as const)
  test(`a model server that sends garbage for ever, ${how}, is left, by name, and the next task runs`, () =>
    serving(
      () => garbage(lines),
      (url) =>
        inPlace(
          scripted(
            "echo done",
            {},
            {
              adapters: {
                local: { mode: "script", command: "./run.sh" },
                ollama: { mode: "ollama-generate", endpoint: url, model: "m", timeoutMs: 20_000 },
                chat: { mode: "openai-chat", endpoint: `${url}/v1`, model: "m", timeoutMs: 20_000 }
              }
            }
          ),
          async (place) => {
            for (const adapter of ["ollama", "chat"]) {
              const { attempt, task } = await survived(place, adapter)
              expect(attempt).toMatchObject({
                status: "finished",
                exit_status: "error",
                retry_class: retryClass
              })
              expect(attempt.reason).toMatch(new RegExp(`^${reason}: .{20}`))
              expect(task.status).toBe(status)
            }
          }
        )
    ))

test("an agent that dies half-way ends its attempt by name, and the next task runs", () =>
  inPlace(
    {
      config: {
        adapters: {
          local: { mode: "script", command: "./run.sh" },
          codex: { mode: "agent-cli", driver: "codex", command: "./codex", timeoutMs: 20_000 }
        }
      },
      files: {
        "run.sh": "#!/bin/sh\necho done\n",
        codex: `#!/bin/sh
printf '%s\\n' '{"type":"thread.started","thread_id":"t-1"}'
printf '%s\\n' '{"type":"item.completed","item":{"id":"i","type":"agent_message","text":${JSON.stringify(JSON.stringify(claims()))}}}'
printf '%s' '{"type":"turn.compl'
kill -9 $$
`
      }
    },
    async (place) => {
      const { attempt, task } = await survived(place, "codex")
      expect(attempt).toMatchObject({ exit_status: "error", retry_class: "retryable" })
      expect(attempt.reason).toContain("killed by SIGKILL")
      expect(task.status).toBe("retryable_failure")
    }
  ))

needs("tmpfs")("a disk that is full of an attempt's own output ends it by name, and the next task runs", () =>
  inPlace(
    scripted(
      "echo done",
      {},
      {
        artifactDir: "art",
        adapters: {
          local: { mode: "script", command: "./run.sh" },
          flood: { mode: "script", command: "./flood.sh" }
        }
      }
    ),
    async (place) => {
      await place.write("flood.sh", "#!/bin/sh\nhead -c 4000000 /dev/zero | tr '\\0' 'x'\n")
      const art = place.path("art")
      await mkdir(art)
      expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", art]).success).toBe(true)
      try {
        const bad = await queue(place, { requested_adapter: "flood", priority: 9 })
        const good = await queue(place)
        expect((await runOnce(place)).task_id).toBe(bad)
        const { attempts, task } = await story(place, bad)
        expect(attempts[0]).toMatchObject({ status: "finished", exit_status: "error" })
        expect(attempts[0]?.reason).toContain("the evidence could not be written")
        expect(task.status).toBe("retryable_failure")
        await rm(place.path("art", "adapter-runs", bad), { recursive: true })
        expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: good })
      } finally {
        Bun.spawnSync(["umount", "-l", art])
      }
    }
  )
)
