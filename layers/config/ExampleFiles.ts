import heartbeat from "../../config/adapters/heartbeat.sh" with { type: "text" }
import awk from "../../config/adapters/local.awk" with { type: "text" }
import local from "../../config/adapters/local.sh" with { type: "text" }
import emailHandler from "../../config/profiles/email-handler.json"
import forge from "../../config/profiles/forge.json"
import lumen from "../../config/profiles/lumen.json"
import provingClaude from "../../config/profiles/proving-claude.json"
import provingCodex from "../../config/profiles/proving-codex.json"
import spark from "../../config/profiles/spark.json"
import example from "../../config/runtime.example.json"

/** JSON as it stands in a file that people edit. */
export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** The example configuration with all that it names, by path below its folder. */
export const exampleFiles: Readonly<Record<string, string>> = {
  "runtime.json": jsonText(example),
  "adapters/heartbeat.sh": heartbeat,
  "adapters/local.awk": awk,
  "adapters/local.sh": local,
  "profiles/email-handler.json": jsonText(emailHandler),
  "profiles/forge.json": jsonText(forge),
  "profiles/lumen.json": jsonText(lumen),
  "profiles/proving-claude.json": jsonText(provingClaude),
  "profiles/proving-codex.json": jsonText(provingCodex),
  "profiles/spark.json": jsonText(spark)
}
