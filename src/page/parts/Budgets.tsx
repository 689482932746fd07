import { amount, budgetWords } from "../BudgetWords.ts"
import type { Touches } from "../Records.ts"
import { taskHref } from "../Route.ts"
import { useRecord } from "../UseRecord.ts"
import type { Budget } from "../Wire.ts"
import { useWorld, type World } from "../World.ts"
import { Act } from "./Act.tsx"
import { Link } from "./Link.tsx"
import { Mark } from "./Mark.tsx"
import { Ago } from "./Moments.tsx"
import { Loaded, Nothing } from "./Said.tsx"
import { Section } from "./Section.tsx"

const touches: Touches = ({ event_type }) =>
  event_type === "task_attempt_finished" || event_type === "task_claimed" || event_type.startsWith("budget_")

const UNITS: Readonly<Record<Budget["unit"], string>> = {
  usd: "US dollars",
  tokens: "tokens",
  attempts: "attempts"
}

const grant = (world: World, { id, subject, task_id, unit }: Budget): void =>
  world.ask.set({
    verb: "Grant more",
    heading: `Add to 1 budget: ${id}?`,
    body: ["It is added to the present window alone. What waits for this budget may then start."],
    danger: false,
    reason: `How much more, in ${UNITS[unit]}`,
    run: async (given) => {
      await world.api.post(`/api/budgets/${encodeURIComponent(id)}/grant`, {
        [unit]: Number(given.replaceAll(",", "")),
        ...(subject === null ? {} : { subject }),
        ...(task_id === null ? {} : { task: task_id })
      })
      world.records.again("/api/budgets")
      world.notice.set({ tone: "done", text: `Added ${amount(unit, Number(given))} to budget ${id}.` })
    }
  })

const Row = ({ budget }: { readonly budget: Budget }) => {
  const world = useWorld()
  const { exhausted_at, granted, limit, opens_at, reserved, spent } = budget
  const all = Math.max(Number.MIN_VALUE, limit + granted)
  const share = (value: number) => Math.max(0, Math.min(100, (value / all) * 100))
  return (
    <li class="adapter">
      <div class="workflow-head">
        {exhausted_at === null ? (
          <Mark tone="completed" word="not spent" />
        ) : (
          <Mark tone="blocked" word="spent" />
        )}
        <strong>{budget.id}</strong>
        <span class="muted">
          {budget.subject ?? "all"} · by {budget.window}
          {budget.task_id === null ? null : (
            <>
              {" · "}
              <Link href={taskHref(budget.task_id)}>{`task ${budget.task_id.slice(0, 13)}`}</Link>
            </>
          )}
          {opens_at === null ? null : (
            <>
              {" · begins anew "}
              <Ago at={opens_at} />
            </>
          )}
        </span>
        <span class="moves when">
          <Act onClick={() => grant(world, budget)}>Grant more</Act>
        </span>
      </div>
      <svg class="thin budget" viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="2" />
        <rect class={exhausted_at === null ? "fill" : "fill late"} width={share(spent)} height="2" />
        <rect
          class="reserved"
          x={share(spent)}
          width={Math.min(share(reserved), 100 - share(spent))}
          height="2"
        />
      </svg>
      <p class="line num">{budgetWords(budget)}</p>
    </li>
  )
}

/** What may be spent, what was, and how much is set aside for what runs. */
export const Budgets = () => {
  const found = useRecord<{ readonly budgets: ReadonlyArray<Budget> }>("/api/budgets", touches)
  if (found.error?.status === 404) return null
  return (
    <Section name="Budgets">
      <Loaded of={found}>
        {({ budgets }) =>
          budgets.length === 0 ? (
            <Nothing>
              No budget is set. <code>budgets</code> in the configuration holds them.
            </Nothing>
          ) : (
            <ul class="workflows">
              {budgets.map((budget) => (
                <Row key={`${budget.id} ${budget.subject} ${budget.task_id}`} budget={budget} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  )
}
