import { Effect, Layer, Option } from "effect"
import { HostFileFailed, HostFiles, type HostPlace, type Template } from "../../src/artifact/HostFiles.ts"

export interface FakeHost {
  readonly place?: Partial<HostPlace>
  /** What is on its disk, by path. */
  readonly files?: Readonly<Record<string, string>>
  readonly units?: ReadonlyArray<Template>
  readonly agentPackage?: ReadonlyArray<Template>
  readonly example?: ReadonlyArray<Template>
  /** Programs that are not there. */
  readonly without?: ReadonlyArray<string>
  /** A path that cannot be read. */
  readonly unreadable?: string
}

/** A host in memory; `disk` is what lies on it now. */
export const fakeHost = (host: FakeHost = {}) => {
  const disk = new Map(Object.entries(host.files ?? {}))
  const layer = Layer.succeed(
    HostFiles,
    HostFiles.of({
      place: {
        home: "/home/dev",
        cwd: "/home/dev/agent-runtime",
        configHome: "/home/dev/.config",
        program: Option.some("/home/dev/agent-runtime/dist/agent-runtime"),
        ...host.place
      },
      units: (scope) =>
        host.units ?? [
          {
            name: "agent-runtime-operator@.service",
            text: `# ${scope}\nExecStart=${scope === "user" ? "%h" : "/opt"}/agent-runtime/dist/agent-runtime serve\n`
          }
        ],
      agentPackage: host.agentPackage ?? [],
      example: host.example ?? [],
      read: (path) =>
        path === host.unreadable
          ? Effect.fail(new HostFileFailed({ path, reason: "EACCES" }))
          : Effect.sync(() => Option.fromNullable(disk.get(path))),
      isProgram: (path) => Effect.succeed(host.without?.includes(path) !== true),
      write: (files) =>
        Effect.sync(() => {
          for (const { path, text } of files) disk.set(path, text)
        })
    })
  )
  return { disk, layer }
}
