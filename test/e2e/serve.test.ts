import { expect, setDefaultTimeout, test } from "bun:test"
import { existsSync } from "node:fs"
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Reader } from "../http/sse.ts"
import { inPlace, queue } from "./inPlace.ts"
import { besideServers } from "./server.ts"

setDefaultTimeout(60_000)

const root = join(import.meta.dir, "../..")
const post = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body)
})

test("serve tells what other processes commit at once, and ends cleanly with streams open", () =>
  inPlace({}, (place) =>
    besideServers(place, async (begin) => {
      const { ended, url } = await begin()
      const reader = new Reader(await fetch(`${url}/api/stream`))
      expect(await reader.next()).toMatchObject({
        event: "dashboard",
        data: { runtime_name: "test-runtime" }
      })
      await place.json(["pause", "--reason", "by the command line"])
      const told = await reader.next()
      expect(told).toMatchObject({
        event: "events",
        data: { events: [{ event_type: "dispatch_pause_enabled" }], state: { runtime_state: "paused" } }
      })
      const { events } = (told?.data ?? { events: [] }) as { events: ReadonlyArray<{ created_at: string }> }
      const committed = events[0]?.created_at
      expect(Date.now() - Date.parse(committed ?? "")).toBeLessThan(2_000)
      const { code } = await ended("SIGTERM")
      expect(code).toBe(0)
      expect(await reader.next()).toBeUndefined()
    })
  ))

test("up dispatches what is queued over HTTP, whose output can be followed, and the client's example runs", () =>
  inPlace({}, (place) =>
    besideServers(place, async (begin) => {
      const { ended, url } = await begin(["up"])
      const example = Bun.spawn(
        [process.execPath, "run", join(root, "fixtures/client/watch.ts"), url, "Say /hello"],
        { stdout: "pipe", stderr: "pipe" }
      )
      expect(await new Response(example.stdout).text()).toEndWith("completed: done\n")
      const { tasks } = (await (await fetch(`${url}/api/tasks`)).json()) as {
        tasks: ReadonlyArray<{ task_id: string }>
      }
      const story = (await (await fetch(`${url}/api/tasks/${tasks[0]?.task_id}`)).json()) as {
        attempts: ReadonlyArray<{ attempt_id: string }>
      }
      const log = `${url}/api/attempts/${story.attempts[0]?.attempt_id}/stdout`
      expect(await (await fetch(`${log}?follow=1`)).text()).toBe("done\n")
      const part = await fetch(log, { headers: { range: "bytes=1-2" } })
      expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([
        206,
        "bytes 1-2/5",
        "on"
      ])
      const head = await fetch(`${url}/api/state`, { method: "HEAD" })
      expect([head.status, await head.text()]).toEqual([200, ""])
      expect((await ended("SIGINT")).code).toBe(0)
    })
  ))

test("up that is stopped while an attempt runs drains as dispatch does, and serves until it has", () =>
  inPlace(
    {
      config: {
        dispatch: { drainSeconds: 1 },
        adapters: {
          local: {
            mode: "script",
            command: "/bin/sh",
            extraArgs: ["-c", "echo began; sleep 300"],
            timeoutMs: 60_000
          }
        }
      }
    },
    (place) =>
      besideServers(place, async (begin) => {
        const { ended, url } = await begin(["up"])
        const reader = new Reader(await fetch(`${url}/api/stream`))
        const told = async (wanted: string) => {
          for (let frame = await reader.next(); frame !== undefined; frame = await reader.next())
            if (JSON.stringify(frame.data).includes(wanted)) return true
          return false
        }
        const id = await queue(place)
        expect(await told("task_started")).toBe(true)
        const end = ended("SIGTERM")
        expect(await told("dispatch_drained")).toBe(true)
        expect((await end).code).toBe(0)
        const shown = await place.json(["task-show", id])
        expect(shown).toMatchObject({ task: { status: "retryable_failure", attempt_count: 0 } })
      })
  ))

test("another address is served with tokens alone, whose files nobody else may read", () =>
  inPlace(
    {
      config: { http: { host: "0.0.0.0", tokens: [{ name: "olga", role: "operate", tokenFile: "token" }] } },
      files: {
        token: "read-token\n",
        "open.json": '{ "extends": "runtime.json", "http": { "tokens": [] } }'
      }
    },
    (place) =>
      besideServers(place, async (begin) => {
        const bare = await place.run(["serve", "--port", "0", "--config", place.path("open.json")])
        expect([bare.code, bare.stdout]).toEqual([2, ""])
        expect(bare.stderr).toContain("--insecure-no-auth")
        const readable = await place.run(["serve", "--port", "0"])
        expect(readable.code).toBe(2)
        expect(readable.stderr).toContain(`chmod 600 ${place.path("token")}`)
        await chmod(place.path("token"), 0o600)
        const { url } = await begin()
        const { port } = new URL(url)
        const ask = (path: string, token?: string) =>
          fetch(
            `http://127.0.0.1:${port}${path}`,
            token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }
          )
        expect((await ask("/api/heartbeat")).status).toBe(200)
        expect((await ask("/api/state")).status).toBe(401)
        expect((await ask("/api/state", "read-token")).status).toBe(200)
        // However short, a token is taken; who runs the server is told.
        expect(await readFile(place.path("state/logs/runtime.jsonl"), "utf8")).toContain(
          "token olga has 10 characters and may be guessed"
        )
        const connection = await Bun.connect({
          hostname: "127.0.0.1",
          port: Number(port),
          socket: { data: () => {} }
        })
        for (const [at, why] of [
          [port, "another program listens there"],
          [String(connection.localPort), "no program listens there, but the port is held"]
        ] as const) {
          const taken = await place.run(["serve", "--port", at])
          expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining(why)])
        }
        connection.end()
      })
  ))

test("artifacts are shown from below their root alone, whatever lies there", () =>
  inPlace({ files: { "state/artifacts/a.md": "# A", "outside.txt": "outside" } }, (place) =>
    besideServers(place, async (begin) => {
      const artifacts = place.path("state/artifacts")
      await mkdir(join(artifacts, "deep"))
      await symlink(place.path("outside.txt"), join(artifacts, "file-link"))
      await symlink(place.folder, join(artifacts, "folder-link"))
      await symlink(join(artifacts, "nowhere"), join(artifacts, "dangling"))
      await symlink("loop", join(artifacts, "loop"))
      Bun.spawnSync(["mkfifo", join(artifacts, "pipe")])
      await writeFile(Buffer.concat([Buffer.from(`${artifacts}/bad-`), Buffer.from([0xff])]), "x")
      const { url } = await begin()
      const listed = await fetch(`${url}/api/artifacts`)
      expect(listed.status).toBe(200)
      const { entries } = (await listed.json()) as { entries: ReadonlyArray<{ name: string; type: string }> }
      expect(Object.fromEntries(entries.map(({ name, type }) => [name, type]))).toMatchObject({
        "a.md": "file",
        deep: "folder",
        "file-link": "link",
        "folder-link": "link",
        dangling: "link",
        loop: "link",
        pipe: "other"
      })
      const inside = [
        "file-link",
        "folder-link/outside.txt",
        "folder-link/runtime.json",
        "dangling",
        "loop",
        "pipe",
        "deep/../../../outside.txt",
        "....//outside.txt",
        "%2e%2e/outside.txt",
        "..%2foutside.txt",
        "a.md/../../../outside.txt",
        "./../../outside.txt",
        "folder-link/state/runtime.db"
      ]
      for (const path of inside)
        for (const spelled of [
          path,
          encodeURIComponent(path),
          encodeURIComponent(encodeURIComponent(path))
        ]) {
          const told = await fetch(`${url}/api/artifact?path=${spelled}`)
          expect([spelled, told.status === 403 || told.status === 404]).toEqual([spelled, true])
          expect(await told.text()).not.toContain(place.folder)
        }
      expect((await fetch(`${url}/api/artifact/../../outside.txt`)).status).toBe(404)
      expect(await (await fetch(`${url}/api/artifact?path=a.md`)).json()).toMatchObject({ content: "# A" })
    })
  ))

test("openapi prints the document and makes no store", () =>
  inPlace({}, async (place) => {
    expect(await place.json(["openapi"])).toMatchObject({
      openapi: "3.1.0",
      paths: { "/api/tasks": { get: {} } }
    })
    expect(existsSync(place.state)).toBe(false)
  }))

test("a message that was answered is in the store, also when the server is killed at once", () =>
  inPlace({}, (place) =>
    besideServers(place, async (begin) => {
      const { process, url } = await begin()
      const told = await fetch(`${url}/api/tasks/queue`, post({ message: "keep me" }))
      process.kill("SIGKILL")
      expect(told.status).toBe(201)
      expect(await place.json(["task-list"])).toMatchObject({ tasks: [{ subject: "keep me" }] })
    })
  ))
