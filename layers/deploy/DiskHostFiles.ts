import * as fs from "node:fs"
import { homedir } from "node:os"
import { dirname } from "node:path"
import { Effect, Layer, Option } from "effect"
import { type HostFile, HostFileFailed, HostFiles, type HostPlace } from "../../src/artifact/HostFiles.ts"
import { absolute } from "../../src/config/Paths.ts"
import { readPlainText } from "../config/PlainFile.ts"
import { codeOf } from "../SystemWord.ts"
import * as Embedded from "./Embedded.ts"
import { isProgram } from "./Program.ts"

const RIGHTS = { owner: 0o600, everybody: 0o644, program: 0o755 } as const

const place = (): HostPlace => {
  const home = homedir()
  const cwd = process.cwd()
  const xdg = process.env.XDG_CONFIG_HOME
  return {
    home,
    cwd,
    // The XDG specification: a relative path is to be ignored.
    configHome: xdg?.startsWith("/") ? absolute("/", home, xdg) : `${home}/.config`,
    // Compiled sources lie below this folder, which no disk has.
    program: Bun.main.startsWith("/$bunfs/") ? Option.some(process.execPath) : Option.none()
  }
}

const failed = (path: string) => (cause: unknown) => new HostFileFailed({ path, reason: codeOf(cause) })

const read = (path: string) =>
  Effect.try({ try: () => textOf(path), catch: failed(path) }).pipe(Effect.map(Option.fromNullable))

const textOf = (path: string): string | undefined => {
  try {
    return readPlainText(path)
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
    if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined
    throw Object.assign(new Error(), { code: "it is a symbolic link to a file that is not there" })
  }
}

/** Puts one file in its place; answers whether nothing was there before. */
const put = ({ path, rights, text }: HostFile): boolean => {
  const isNew = !fs.existsSync(path)
  const work = `${path}.new-${process.pid}`
  try {
    fs.writeFileSync(work, text, { flag: "wx", mode: RIGHTS[rights] })
    // A new name must not take the place of what somebody else has made meanwhile.
    if (isNew) fs.linkSync(work, path)
    else fs.renameSync(work, path)
  } finally {
    fs.rmSync(work, { force: true })
  }
  return isNew
}

/** Makes a folder with those above it; answers what was made, the outermost first. */
const makeFolder = (folder: string, mode: number): ReadonlyArray<string> => {
  if (fs.existsSync(folder)) return []
  const above = makeFolder(dirname(folder), mode)
  try {
    fs.mkdirSync(folder, { mode })
  } catch (cause) {
    // Another process was quicker, and the folder is that one's.
    if (codeOf(cause) === "EEXIST" && fs.existsSync(folder)) return above
    for (const made of [...above].reverse()) removeEmpty(made)
    throw cause
  }
  return [...above, folder]
}

const removeEmpty = (folder: string): void => {
  try {
    fs.rmdirSync(folder)
  } catch {
    // Somebody has put something into it meanwhile.
  }
}

const write = (files: ReadonlyArray<HostFile>) =>
  Effect.suspend(() => {
    const made: Array<string> = []
    const folders: Array<string> = []
    return Effect.forEach(
      files,
      (file) =>
        Effect.try({
          try: () => {
            // Folders with private files are private.
            const mode = file.rights === "owner" ? 0o700 : 0o755
            folders.push(...makeFolder(dirname(file.path), mode))
            if (put(file)) made.push(file.path)
          },
          catch: failed(file.path)
        }),
      { discard: true }
    ).pipe(
      Effect.tapError(() =>
        Effect.sync(() => {
          for (const path of made) fs.rmSync(path, { force: true })
          for (const folder of folders.reverse()) removeEmpty(folder)
        })
      )
    )
  })

/** This host's disk, and the templates that are built in. */
export const layer: Layer.Layer<HostFiles> = Layer.sync(HostFiles, () =>
  HostFiles.of({
    place: place(),
    units: (scope) => Embedded.units[scope],
    agentPackage: Embedded.agentPackage,
    example: Embedded.example,
    read,
    isProgram: (path) => Effect.sync(() => isProgram(path)),
    write
  })
)
