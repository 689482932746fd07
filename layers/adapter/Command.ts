import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs"
import { delimiter, join } from "node:path"
import { Effect } from "effect"
import { codeOf } from "../SystemWord.ts"
import { CannotStart } from "./CannotStart.ts"

type Look = { readonly file: string } | { readonly reason: string; readonly remedy: string }

const executable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const kindOf = (path: string): "file" | "folder" | "other" | undefined => {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? undefined : stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other"
}

/** Whether a path is a folder that can be entered; why not, as a sentence's end, else undefined. */
export const folderProblem = (path: string): string | undefined => {
  try {
    const kind = kindOf(path)
    if (kind === undefined) return "is not there"
    if (kind !== "folder") return "is not a folder"
    return executable(path) ? undefined : "may not be entered by this user"
  } catch (cause) {
    return `cannot be looked at (${codeOf(cause)})`
  }
}

// A script's first line `#!/path/interpreter argument`; the kernel reads 256 bytes.
const interpreterOf = (path: string): string | undefined => {
  const start = Buffer.alloc(256)
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const line = start.toString("latin1", 0, readSync(fd, start, 0, 256, 0)).split("\n", 1)[0] ?? ""
      return /^#![ \t]*([^ \t\r]+\r?)/.exec(line)?.[1]
    } finally {
      closeSync(fd)
    }
  } catch {
    // A program need not be readable to be run.
    return undefined
  }
}

const inspect = (command: string, path: string): Look => {
  const kind = kindOf(path)
  if (kind === undefined)
    return {
      reason: `command ${command} is not there`,
      remedy: "install it, or correct the adapter's command"
    }
  if (kind !== "file")
    return { reason: `command ${command} is not a file`, remedy: "name a program in the adapter's command" }
  if (!executable(path))
    return { reason: `command ${command} is not executable for this user`, remedy: `chmod +x ${path}` }
  const interpreter = interpreterOf(path)
  if (interpreter === undefined || executable(interpreter)) return { file: path }
  const shown = JSON.stringify(interpreter).slice(1, -1)
  return {
    reason: `command ${command} asks for the interpreter ${shown}, which cannot be run`,
    remedy: `install it, or correct the first line of ${path}`
  }
}

const onPath = (command: string, searchPath: string): Look => {
  const places = searchPath.split(delimiter).filter((place) => place.startsWith("/"))
  const closed: Array<string> = []
  const files = places.flatMap((place) => {
    const path = join(place, command)
    try {
      return kindOf(path) === "file" ? [path] : []
    } catch (cause) {
      // As a shell does, go on with the next folder.
      closed.push(`${place} (${codeOf(cause)})`)
      return []
    }
  })
  const found = files.find(executable) ?? files[0]
  if (found !== undefined) return inspect(command, found)
  const remedy = `install it, or add its folder to PATH (now ${searchPath || "empty"})`
  return closed.length === 0
    ? { reason: `command ${command} is not on PATH`, remedy }
    : {
        reason: `command ${command} is not on PATH, of which ${closed.join(", ")} cannot be looked at`,
        remedy: `${remedy}, or let this user enter that folder`
      }
}

/**
 * The file that a command stands for, checked as far as can be told without running it: there, a regular
 * file, executable, its interpreter too. A bare name is looked up in `searchPath`, where only absolute
 * folders count: what lies in a working directory never runs by accident.
 */
export const findCommand = (command: string, searchPath: string): Effect.Effect<string, CannotStart> =>
  Effect.try({
    try: () => {
      if (command === "" || command.includes("\0"))
        return {
          reason: "the command is empty or holds a NUL character",
          remedy: "correct the adapter's command"
        }
      return command.includes("/") ? inspect(command, command) : onPath(command, searchPath)
    },
    catch: (cause) =>
      new CannotStart({
        reason: `command ${command} cannot be looked at (${codeOf(cause)})`,
        remedy: "make its folder readable for this user"
      })
  }).pipe(
    Effect.flatMap((look) =>
      "file" in look ? Effect.succeed(look.file) : Effect.fail(new CannotStart(look))
    )
  )
