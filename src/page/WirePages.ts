import type { SensorEvent, Workflow } from "./Wire.ts"

// Pages of lists as they come over the wire; `next` is null on the last one.

export interface WorkflowPage {
  readonly workflows: ReadonlyArray<Workflow>
  readonly next: string | null
}

export interface SensorEventPage {
  readonly events: ReadonlyArray<SensorEvent>
  readonly next: string | null
}
