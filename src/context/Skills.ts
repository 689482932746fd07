import { Option } from "effect"
import { join } from "../artifact/FilePath.ts"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import type { Placed } from "../config/RuntimeConfig.ts"
import { abridged } from "../domain/Abridged.ts"
import { counted } from "../domain/Figure.ts"
import type { Profile } from "../domain/Profile.ts"
import type { Task } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { literally, skillDirPlace } from "./HandOver.ts"
import { oneLine, stringsIn } from "./Plain.ts"
import { Workspace } from "./Workspace.ts"

/** A skill as an attempt gets it. `path` is as the configuration names it; `text` stands in the prompt. */
export interface Skill {
  readonly id: string
  readonly path: Option.Option<string>
  readonly sha256: Option.Option<string>
  readonly delivery: "text" | "path" | "missing"
  readonly text: string
}

/** Bytes of a SKILL.md that enter a prompt; the rest is left out with a mark. */
export const MOST_SKILL_BYTES = 256 * 1024

/** Skills of one attempt at most; a task that names more gets the first. */
export const MOST_SKILLS = 50

/**
 * The skills of an attempt: the profile's, then those that a trusted task names in `phase_skills` and
 * `skill_refs`, each once. What comes from outside chooses no instructions.
 */
export const skillIds = (
  profile: Pick<Profile, "skills">,
  task: Pick<Task, "payload" | "untrusted">
): ReadonlyArray<string> => {
  const named = task.untrusted
    ? []
    : [...stringsIn(task.payload.phase_skills), ...stringsIn(task.payload.skill_refs)]
  return [...new Set([...profile.skills, ...named])].slice(0, MOST_SKILLS)
}

/**
 * Resolves a skill to the first `<id>/SKILL.md` of the skill folders; never fails: an id that is no plain name
 * or that leads nowhere is `missing`. A driver that reads skill folders itself gets the path, everyone else the
 * text.
 */
export const resolveSkill = traced("Skills.resolve")(function* (
  id: string,
  dirs: ReadonlyArray<Placed>,
  adapter: AdapterSettings
) {
  const workspace = yield* Workspace
  if (!isPlainName(id)) return missing(id)
  for (const [index, dir] of dirs.entries()) {
    const path = join(dir.path, `${id}/SKILL.md`)
    const seen = yield* workspace.observe(path)
    if (!Option.exists(seen, ({ kind }) => kind === "file")) continue
    const hash = yield* workspace.hash(path)
    const body = yield* workspace.read(path, MOST_SKILL_BYTES)
    if (Option.isNone(hash) || Option.isNone(body)) continue
    const size = Option.match(seen, { onNone: () => 0, onSome: (file) => file.size })
    const byPath = readsSkillFolders(adapter)
    return {
      id,
      path: Option.some(`${dir.given.replace(/\/+$/, "")}/${id}/SKILL.md`),
      sha256: hash,
      delivery: byPath ? "path" : "text",
      text: byPath
        ? `### ${id}\nBefore you start, read ${skillDirPlace(index)}/${id}/SKILL.md and follow it.`
        : `### ${id}\n${body.value.trim()}${tooLong(size)}`
    } satisfies Skill
  }
  return missing(id)
})

// In restricted autonomy claude-code is denied what lies outside its working directory, and a denial blocks.
const readsSkillFolders = (adapter: AdapterSettings): boolean =>
  adapter.mode === "agent-cli" && adapter.driver === "claude-code" && adapter.autonomy === "trusted-vm"

/** Whether an id can be the name of a folder in `skillDirs`; another one leads nowhere. */
export const isPlainName = (id: string): boolean =>
  /^[^/\\\p{Cc}]{1,200}$/u.test(id) && id.trim() !== "" && !id.includes("..") && id !== "."

const missing = (id: string): Skill => ({
  id,
  path: Option.none(),
  sha256: Option.none(),
  delivery: "missing",
  text: `### ${literally(abridged(oneLine(id), 80))}\n[skill not found: work without it]`
})

const tooLong = (size: number): string =>
  size > MOST_SKILL_BYTES ? `\n[skill shortened: ${counted(MOST_SKILL_BYTES)} of ${counted(size)} bytes]` : ""
