import { expect } from "bun:test"
import { Effect } from "effect"
import { list } from "../../src/operate/Skills.ts"
import { DOOR, says, world } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const text = "# How"

it.effect("the skills that a task may name are the folders with a SKILL.md, each once", () =>
  Effect.gen(function* () {
    const { skills } = yield* list.run({}, DOOR.actor)
    expect(skills.map(({ id }) => id)).toEqual(["mend-pump", "weld"])
  }).pipe(
    Effect.provide(
      world({
        adapters: { local: says("x") },
        settings: {
          skillDirs: [
            { given: "skills", path: "/skills" },
            { given: "more", path: "/more" },
            { given: "gone", path: "/gone" }
          ]
        },
        workspace: {
          files: {
            "/skills/weld/SKILL.md": { text },
            "/skills/draft/README.md": { text },
            "/skills/README.md": { text },
            "/more/weld/SKILL.md": { text },
            "/more/mend-pump/SKILL.md": { text }
          }
        }
      })
    )
  )
)
