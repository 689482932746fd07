import { Schema } from "effect"

/** The skills that a task may name, by id. */
export const SkillList = Schema.Struct({
  skills: Schema.Array(Schema.Struct({ id: Schema.String }))
}).annotations({ identifier: "SkillList" })
