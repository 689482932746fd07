import { spawn } from "node:child_process"
import { root, Trouble } from "./project.mjs"

const DRAIN_MS = 500
const running = new Set()

const stop = (child, signal) => {
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if (error.code !== "ESRCH") throw error
  }
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129]
])
  process.on(signal, () => {
    for (const child of running) stop(child, "SIGKILL")
    process.exit(code)
  })

/**
 * Runs a command in the project's folder to its end, without stdin. Answers
 * `{ ok, code, signal, timedOut, seconds, output }`; its whole process group is killed after `timeoutMs`
 * and when this script is stopped. Output (both streams, in order of arrival) is kept, not shown.
 */
export const run = (command, args, { timeoutMs, cwd = root, env = process.env } = {}) =>
  new Promise((resolve, reject) => {
    const began = process.hrtime.bigint()
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] })
    const chunks = []
    let timedOut = false
    const alarm = setTimeout(() => {
      timedOut = true
      stop(child, "SIGKILL")
    }, timeoutMs)
    child.stdout.on("data", (chunk) => chunks.push(chunk))
    child.stderr.on("data", (chunk) => chunks.push(chunk))
    child.on("spawn", () => running.add(child))
    child.on("error", (error) => {
      clearTimeout(alarm)
      reject(new Trouble(`cannot start ${command}: ${error.message}`, { cause: error }))
    })
    child.on("exit", (code, signal) => {
      clearTimeout(alarm)
      running.delete(child)
      const seconds = Number(process.hrtime.bigint() - began) / 1e9
      const answer = () => {
        const output = Buffer.concat(chunks).toString("utf8")
        resolve({ ok: code === 0 && !timedOut, code, signal, timedOut, seconds, output })
      }
      // A process that it left behind may hold the pipes open for ever.
      const drain = setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }, DRAIN_MS)
      child.on("close", () => {
        clearTimeout(drain)
        answer()
      })
    })
  })

/** Runs a command on this terminal and answers its exit code (128 + 9 and the like for a signal). */
export const handOver = (command, args) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit" })
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.removeAllListeners(signal)
      process.on(signal, () => child.kill(signal))
    }
    child.on("error", (error) =>
      reject(new Trouble(`cannot start ${command}: ${error.message}`, { cause: error }))
    )
    child.on("close", (code, signal) =>
      resolve(code ?? (signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 137))
    )
  })

/** The last lines of a command's output, for a message. */
export const lastLines = (output, count) => output.trimEnd().split("\n").slice(-count).join("\n")
