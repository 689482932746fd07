import { Context, type DateTime, type Effect, type Either, type Option } from "effect"
import type { TokenFault, TokenMark } from "../config/TokenRules.ts"

/** What others than this user may do with a file or a folder, its place counted in: nothing in a folder of one's own. */
export interface Exposure {
  readonly kind: "file" | "folder" | "other"
  readonly readable: boolean
  readonly writable: boolean
}

/** A unit of a service manager, by its own words. */
export interface Unit {
  readonly name: string
  readonly manager: "user" | "system"
  /** `active`, `inactive`, `failed`, `activating`, ... */
  readonly active: string
  /** `running`, `waiting`, `dead`, `auto-restart`, ... */
  readonly sub: string
  /** `loaded`, `not-found`, `bad-setting`, ... */
  readonly load: string
}

/** A file of one of our services, with the program that it starts. */
export interface InstalledUnit {
  readonly path: string
  readonly program: string
  /** Whether there is a program that this user can run. */
  readonly isThere: boolean
}

/** What a doctor asks of this host. Asking changes nothing there. */
export class HostFacts extends Context.Tag("agent-runtime/HostFacts")<
  HostFacts,
  {
    /** None when nothing is there, or it cannot be asked. */
    readonly exposure: (path: string) => Effect.Effect<Option.Option<Exposure>>
    /** When a file, or the link in its place, was changed last; none when it cannot be asked. */
    readonly changedAt: (path: string) => Effect.Effect<Option.Option<DateTime.Utc>>
    /** The service of a service manager that a process belongs to; none when it belongs to none. */
    readonly serviceOf: (pid: number) => Effect.Effect<Option.Option<string>>
    /** What is known of the token in a file; else why a server could not use it. */
    readonly token: (path: string) => Effect.Effect<Either.Either<TokenMark, TokenFault>>
    /** Whether the kernel holds its clock for right, as a time service tells it; none when it does not say. */
    readonly clockIsKept: Effect.Effect<Option.Option<boolean>>
    /** Our units of every service manager that answers here. */
    readonly units: Effect.Effect<ReadonlyArray<Unit>>
    /** Our services in the folders in which `install-units` puts them. */
    readonly installed: Effect.Effect<ReadonlyArray<InstalledUnit>>
    /** The addresses of this host. */
    readonly addresses: Effect.Effect<ReadonlyArray<string>>
  }
>() {}
