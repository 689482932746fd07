import type { SensorEvent, Workflow } from "./Wire.ts"

// Pages of lists as they come over the wire; `next` is null on the last one.

export interface WorkflowPage {
  readonly workflows: ReadonlyArray<Workflow>
  readonly next: string | null
  /** How many there are in all. */
  readonly counts?:
    | { readonly active: number; readonly stalled: number; readonly completed: number }
    | undefined
}

export interface SensorEventPage {
  readonly events: ReadonlyArray<SensorEvent>
  readonly next: string | null
}
