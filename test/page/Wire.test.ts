import { expect, test } from "bun:test"
import type { Schema } from "effect"
import type { RecurringSchedule, ScheduleFate } from "../../src/domain/RecurringSchedule.ts"
import type { SensorEvent } from "../../src/domain/SensorEvent.ts"
import type { Report } from "../../src/domain/Snapshot.ts"
import type { AdapterList } from "../../src/operate/answers/Adapters.ts"
import type { StepList } from "../../src/operate/answers/Attempts.ts"
import type { BudgetList } from "../../src/operate/answers/Budgets.ts"
import type { SensorEventList } from "../../src/operate/answers/Sensors.ts"
import type { State } from "../../src/operate/answers/State.ts"
import type { EndedPage, QueueReasons, TaskPage, TaskStory } from "../../src/operate/answers/Tasks.ts"
import type { AttemptUsage, UsageList } from "../../src/operate/answers/Usage.ts"
import type { TemplateList, WorkflowList, WorkflowStory } from "../../src/operate/answers/Workflows.ts"
import type { Report as ShownReport } from "../../src/page/Report.ts"
import type * as Wire from "../../src/page/Wire.ts"
import type { SensorEventPage, WorkflowPage } from "../../src/page/WirePages.ts"
import type { Template } from "../../src/page/WireTemplates.ts"

type Encoded<S> = S extends Schema.Schema<infer _A, infer I, infer _R> ? I : never

/** Does not compile where what the API writes is not what the page reads. */
const reads = <_Read, _Written extends _Read>() => true

test("the page reads what the API writes", () => {
  const all = [
    reads<Wire.State, Encoded<typeof State>>(),
    reads<ReadonlyArray<Wire.Task>, Encoded<typeof TaskPage>["tasks"]>(),
    reads<ReadonlyArray<Wire.EndedTask>, Encoded<typeof EndedPage>["tasks"]>(),
    reads<ReadonlyArray<Wire.Reason>, Encoded<typeof QueueReasons>["reasons"]>(),
    reads<Wire.Story, Encoded<typeof TaskStory>>(),
    reads<Wire.Workflow, Encoded<typeof WorkflowStory>>(),
    reads<ReadonlyArray<Template>, Encoded<typeof TemplateList>["templates"]>(),
    reads<Wire.Schedule, Encoded<typeof RecurringSchedule>>(),
    reads<Wire.Fate, Encoded<typeof ScheduleFate>>(),
    reads<Wire.SensorEvent, Encoded<typeof SensorEvent>>(),
    reads<SensorEventPage, Encoded<typeof SensorEventList>>(),
    reads<WorkflowPage, Encoded<typeof WorkflowList>>(),
    reads<ReadonlyArray<Wire.Adapter>, Encoded<typeof AdapterList>["adapters"]>(),
    reads<ReadonlyArray<Wire.DayUse>, Encoded<typeof UsageList>["usage"]>(),
    reads<Wire.AttemptUsage, Encoded<typeof AttemptUsage>>(),
    reads<ReadonlyArray<Wire.Step>, Encoded<typeof StepList>["steps"]>(),
    reads<ReadonlyArray<Wire.Budget>, Encoded<typeof BudgetList>["budgets"]>(),
    reads<ShownReport, Encoded<typeof Report>>()
  ]
  expect(all).not.toContain(false)
})
