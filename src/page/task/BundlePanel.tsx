import { useState } from "preact/hooks"
import { Copy } from "../parts/Copy.tsx"
import { Pre } from "../parts/Pre.tsx"
import { Fact, Loaded, Nothing } from "../parts/Said.tsx"
import { Section } from "../parts/Section.tsx"
import { useRecord } from "../UseRecord.ts"
import type { Attempt, JsonObject, Story } from "../Wire.ts"
import { detailLine, plural, shortened } from "../Words.ts"

/** A bundle as its route answers it; what it holds beside these is shown as it is. */
interface Bundle {
  readonly bundle_id: string
  readonly bundle_hash: string
  readonly replay_grade: string
  readonly prompt: { readonly rendered_text: string }
  readonly skills?: ReadonlyArray<{
    readonly id: string
    readonly path?: string | null
    readonly sha256?: string | null
  }>
  readonly artifacts?: ReadonlyArray<{
    readonly role: string
    readonly path: string
    readonly exists: boolean
    readonly sha256: string | null
  }>
  readonly workspace?: JsonObject
  readonly adapter?: JsonObject
}

interface Hunk {
  readonly before_line: number
  readonly after_line: number
  readonly removed: ReadonlyArray<string>
  readonly added: ReadonlyArray<string>
}

interface Diff {
  readonly same: boolean
  readonly changes: ReadonlyArray<{
    readonly path: string
    readonly change: string
    readonly before: unknown
    readonly after: unknown
  }>
  readonly prompt: ReadonlyArray<Hunk>
}

const GRADES: Readonly<Record<string, string>> = {
  inputs_frozen: "Inputs frozen: it can be run again as it was.",
  best_effort: "Best effort: the workspace was dirty or an input was not cached.",
  non_replayable_model: "Hosted model: the same inputs may give another answer."
}

const isRecord = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What an input was or is, in a line; nothing where there was none. */
const shown = (value: unknown): string =>
  value === undefined || value === null
    ? ""
    : typeof value === "string"
      ? value
      : isRecord(value)
        ? detailLine(value)
        : shortened(JSON.stringify(value))

const Changes = ({ a, b }: { readonly a: string; readonly b: string }) => {
  const found = useRecord<Diff>(`/api/bundles/diff?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`)
  return (
    <Loaded of={found}>
      {({ changes, prompt, same }) =>
        same ? (
          <Nothing>Nothing changed: both attempts were given the same bytes.</Nothing>
        ) : (
          <>
            {/* What it was told first: an answer stands there. */}
            {prompt.length === 0 ? null : (
              <Pre label="Changed lines of the prompt" class="diff">
                {prompt.map(({ added, after_line, removed }) => (
                  <>
                    <span class="at muted">{`line ${after_line}\n`}</span>
                    {removed.map((line) => (
                      <del>{`- ${line}\n`}</del>
                    ))}
                    {added.map((line) => (
                      <ins>{`+ ${line}\n`}</ins>
                    ))}
                  </>
                ))}
              </Pre>
            )}
            <ul class="changes">
              {changes.map(({ after, before, change, path }) => (
                <li key={path}>
                  <code>{shortened(path)}</code> {change}
                  <del>{shown(before)}</del>
                  <ins>{shown(after)}</ins>
                </li>
              ))}
            </ul>
          </>
        )
      }
    </Loaded>
  )
}

const Inputs = ({ bundle }: { readonly bundle: Bundle }) => {
  const inputs = [
    ...(bundle.skills ?? []).map(({ id, sha256 }) => ({ what: "skill", name: id, hash: sha256 ?? null })),
    ...(bundle.artifacts ?? []).map(({ exists, path, role, sha256 }) => ({
      what: role,
      name: path,
      hash: exists ? sha256 : null
    }))
  ]
  return inputs.length === 0 ? (
    <p class="muted">Its prompt is all that it was given: no skill, no artifact.</p>
  ) : (
    <table class="inputs">
      <caption class="hidden">Inputs and their hashes</caption>
      <thead>
        <tr>
          <th scope="col">input</th>
          <th scope="col">name</th>
          <th scope="col">sha256</th>
        </tr>
      </thead>
      <tbody>
        {inputs.map(({ hash, name, what }) => (
          <tr key={`${what} ${name}`}>
            <td>{what}</td>
            <td>{name}</td>
            <td class="mono">{hash === null ? "not there" : hash.slice(0, 12)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const Held = ({ id }: { readonly id: string }) => {
  const found = useRecord<Bundle>(`/api/bundles/${encodeURIComponent(id)}`)
  const [open, setOpen] = useState(false)
  return (
    <Loaded of={found}>
      {(bundle) => (
        <>
          <Inputs bundle={bundle} />
          <p class="buttons">
            <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
              {open ? "Hide prompt" : "Show prompt"}
            </button>
            <span class="muted">{plural(bundle.prompt.rendered_text.length, "character")}</span>
          </p>
          {open ? <Pre label="Prompt">{bundle.prompt.rendered_text}</Pre> : null}
        </>
      )}
    </Loaded>
  )
}

/** What an attempt was given: its prompt, its inputs, and what is other than in the attempt before. */
export const BundlePanel = ({
  attempt,
  story
}: {
  readonly attempt: Attempt | undefined
  readonly story: Story
}) => {
  const [compared, setCompared] = useState(false)
  const first = story.attempts.find(({ bundle_id }) => bundle_id !== null)
  const other = first?.attempt_id === attempt?.attempt_id ? undefined : first
  const id = attempt?.bundle_id ?? null
  return (
    <Section name="Bundle" count={attempt === undefined ? undefined : `attempt ${attempt.number}`}>
      {attempt === undefined || id === null ? (
        <Nothing>
          {attempt === undefined || attempt.status === "running"
            ? "The bundle is frozen when an attempt begins."
            : `This attempt ended before its bundle was made${attempt.reason === null ? "" : `: ${attempt.reason}`}.`}
        </Nothing>
      ) : (
        <>
          <dl class="facts">
            <Fact name="hash">
              <code>{(attempt.bundle_hash ?? "").slice(0, 16)}</code>{" "}
              <Copy text={attempt.bundle_hash ?? ""} what="bundle hash" />
            </Fact>
          </dl>
          <p class="muted">{GRADES[attempt.replay_grade ?? ""] ?? attempt.replay_grade}</p>
          <Held id={id} />
          {other === undefined ? null : (
            <>
              <p class="buttons">
                <button type="button" aria-expanded={compared} onClick={() => setCompared(!compared)}>
                  What changed since attempt {other.number}
                </button>
              </p>
              {compared && other.bundle_id !== null ? <Changes a={other.bundle_id} b={id} /> : null}
            </>
          )}
        </>
      )}
    </Section>
  )
}
