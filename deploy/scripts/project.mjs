import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The folder of package.json. */
export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "")

/** The Bun of this project; there after `setup`. */
export const bun = join(root, "node_modules", ".bin", "bun")

/** package.json as it is now. */
export const manifest = () => JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** What went wrong and what to do about it; printed without a stack. */
export class Trouble extends Error {}

/** Runs the program of a script that was started by hand; a `Trouble` becomes one message and exit code 1. */
export const main = async (name, program) => {
  try {
    process.exitCode = await program()
  } catch (error) {
    if (!(error instanceof Trouble)) throw error
    process.stderr.write(`${name}: ${error.message}\n`)
    process.exitCode = 1
  }
}

/** The files below the given paths (relative to `root`), sorted; paths that do not exist are left out. */
export const filesBelow = (paths) =>
  paths
    .flatMap((path) => {
      try {
        return readdirSync(join(root, path), { withFileTypes: true, recursive: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      } catch (error) {
        if (error.code === "ENOENT") return []
        if (error.code === "ENOTDIR") return [join(root, path)]
        throw error
      }
    })
    .sort()

/** SHA-256 over names (relative to `root`) and contents of the files below `paths`, and over `extra`. */
export const fingerprint = (paths, extra = "") => {
  const hash = createHash("sha256").update(extra)
  for (const file of filesBelow(paths)) {
    const content = readFileSync(file)
    hash.update(`\0${file.slice(root.length)}\0${content.length}\0`).update(content)
  }
  return hash.digest("hex")
}

const listen = (address) =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on("error", () => socket.destroy()))
    server.once("error", reject)
    server.listen(address, () => resolve(server))
  })

const untilClosed = (address) =>
  new Promise((resolve) => {
    const socket = connect(address)
    socket.on("error", () => socket.destroy())
    socket.on("close", resolve)
    socket.resume()
  })

/**
 * Runs `program` while no other process runs one under the same name for this folder; others wait. The
 * lock is a socket without a file (abstract): the kernel lets go of it when its holder dies.
 */
export const exclusively = async (name, program) => {
  const place = createHash("sha256").update(root).digest("hex").slice(0, 24)
  const address = `\0agent-runtime-${name}-${place}`
  for (let waited = false; ; waited = true) {
    let server
    try {
      server = await listen(address)
    } catch (error) {
      if (error.code !== "EADDRINUSE") throw error
      if (!waited)
        process.stderr.write(`${name}: another ${name} is at work in this folder, waiting for it\n`)
      await untilClosed(address)
      continue
    }
    const visitors = new Set()
    server.on("connection", (socket) => visitors.add(socket))
    try {
      return await program()
    } finally {
      server.close()
      for (const socket of visitors) socket.destroy()
    }
  }
}
