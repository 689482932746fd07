import * as fs from "node:fs"
import { homedir } from "node:os"
import { dirname } from "node:path"
import { Effect, Layer, Option } from "effect"
import { type HostFile, HostFileFailed, HostFiles, type HostPlace } from "../../src/artifact/HostFiles.ts"
import { absolute } from "../../src/config/Paths.ts"
import { codeOf } from "../artifact/DiskFile.ts"
import * as Embedded from "./Embedded.ts"

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
    return fs.readFileSync(path, "utf8")
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined
    throw cause
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

const write = (files: ReadonlyArray<HostFile>) =>
  Effect.suspend(() => {
    const made: Array<string> = []
    return Effect.forEach(
      files,
      (file) =>
        Effect.try({
          try: () => {
            // Folders with private files are private.
            fs.mkdirSync(dirname(file.path), {
              recursive: true,
              mode: file.rights === "owner" ? 0o700 : 0o755
            })
            if (put(file)) made.push(file.path)
          },
          catch: failed(file.path)
        }),
      { discard: true }
    ).pipe(
      Effect.tapError(() =>
        Effect.sync(() => {
          for (const path of made) fs.rmSync(path, { force: true })
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
    write
  })
)
