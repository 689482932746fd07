import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { table } from "./Doc.ts"

const operations = () => import("../operate/Budgets.ts")

interface Shown {
  readonly id: string
  readonly subject: string | null
  readonly window: string
  readonly task_id: string | null
  readonly window_start: string | null
  readonly opens_at: string | null
  readonly unit: string
  readonly limit: number
  readonly spent: number
  readonly reserved: number
  readonly granted: number
  readonly exhausted_at: string | null
}

const accounts = (rows: ReadonlyArray<Shown>) =>
  table(
    [
      { title: "budget", keep: true },
      "of",
      { title: "spent", align: "right" },
      { title: "set aside", align: "right" },
      { title: "limit", align: "right" },
      { title: "granted", align: "right" },
      "unit",
      "window since",
      "opens"
    ],
    rows.map((one) => [
      one.id,
      [one.subject, one.task_id].filter((part) => part !== null).join(" ") || null,
      one.exhausted_at === null ? one.spent : { text: String(one.spent), tone: "bad" as const },
      one.reserved,
      one.limit,
      one.granted,
      one.unit,
      one.window_start,
      one.opens_at ?? (one.window === "task" ? "by grant" : null)
    ]),
    "none; budgets stand in the configuration"
  )

export const budgetShow = command({
  name: "budget-show",
  group: "Look",
  summary: "the budgets, and what is left of them",
  description:
    "A row for each account of the present window: what was spent, what running attempts have set aside, and what was granted on top of the limit. Days begin at midnight UTC. A budget by task shows the 50 accounts that were used last and those that hold a task up, at most 100.",
  example: "agent-runtime budget-show",
  arguments: [],
  options: [],
  run: () => ask(async () => (await operations()).list, {}),
  view: ({ budgets }) => [accounts(budgets)]
})

export const budgetGrant = command({
  name: "budget-grant",
  group: "Steer",
  summary: "add to a budget's present window",
  description:
    "What waits for a budget of the day may start at once; a task that its own budget blocked can be retried. Without --subject or --task it goes to every account that has turned a task away.",
  example: "agent-runtime budget-grant daily --usd 5",
  arguments: [{ name: "id", required: true, live: "budgets", description: "The budget's id." }],
  options: [
    { name: "usd", kind: "number", description: "So many US dollars more." },
    { name: "tokens", kind: "integer", min: 1, description: "So many tokens more." },
    { name: "attempts", kind: "integer", min: 1, description: "So many attempts more." },
    {
      name: "subject",
      kind: "text",
      value: "NAME",
      description: "The adapter, profile or workflow template, where each is counted on its own."
    },
    {
      name: "task",
      kind: "text",
      value: "TASK_ID",
      live: "tasks",
      description: "The task, by its id or its beginning, of a budget that counts by task."
    }
  ],
  run: (input) => ask(async () => (await operations()).grant, input),
  view: ({ budgets }) => [accounts(budgets)]
})
