import { Context } from "effect"

/** A token as it is compared: by its SHA-256, in lower-case hex. */
export interface KnownToken {
  readonly name: string
  readonly role: "read" | "operate"
  readonly sha256: string
}

/** What proves who calls the LAN API. Files were read when it was made; none of it holds a token itself. */
export class AccessKeys extends Context.Tag("agent-runtime/AccessKeys")<
  AccessKeys,
  {
    readonly tokens: ReadonlyArray<KnownToken>
    /** What an operator should know of them, in sentences: those that may be guessed. */
    readonly remarks: ReadonlyArray<string>
    /** Signs the sessions of browsers; kept beside the state, so that they outlive a restart. */
    readonly sessionKey: Uint8Array<ArrayBuffer>
  }
>() {}
