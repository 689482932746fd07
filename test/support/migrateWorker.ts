import { Effect, Schema } from "effect"
import { MIGRATIONS } from "../../layers/store/Migrations.ts"
import { prepare } from "../../layers/store/SqlStore.ts"

const Migration = Schema.parseJson(
  Schema.Struct({ id: Schema.Number, name: Schema.String, sql: Schema.String })
)

/** Brings the store at its first argument to a schema that has one more migration, its second. */
const [path = "", migration = ""] = process.argv.slice(2)
await Effect.runPromise(prepare(path, [...MIGRATIONS, Schema.decodeSync(Migration)(migration)]))
