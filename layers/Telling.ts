import { Layer } from "effect"
import * as KnownSecrets from "./adapter/KnownSecrets.ts"
import { showing } from "./Showing.ts"

/** What tells what attempts printed: evidence, and what is masked in it. */
export const telling = (configPath: string) => Layer.provideMerge(KnownSecrets.layer, showing(configPath))
