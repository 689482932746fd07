import canonicalize from "canonicalize"
import { json } from "./columns.ts"

/** Lower-case hex SHA-256 of a value's canonical JSON (RFC 8785), as it would be stored. */
export const canonicalHash = (value: unknown): string =>
  new Bun.CryptoHasher("sha256").update(canonicalize(JSON.parse(json(value))) ?? "").digest("hex")
