import { Clock, Duration, Effect, type Fiber, type Scheduler } from "effect"
import { between } from "../Random.ts"

interface Alarm {
  readonly at: number
  readonly order: number
  readonly ring: () => void
}

/**
 * A machine whose time passes only when nobody can go on, and whose processes run one step at a time in an order
 * that the seed decides. Between TestClock's adjustments real time passes; here none does, so that a thousand
 * lives take seconds.
 */
export class Machine implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  private alarms: ReadonlyArray<Alarm> = []
  private ordered = 0

  constructor(private now: number) {}

  readonly currentTimeMillis = Effect.sync(() => this.unsafeCurrentTimeMillis())
  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())
  unsafeCurrentTimeMillis = (): number => this.now
  unsafeCurrentTimeNanos = (): bigint => BigInt(Math.round(this.now * 1_000)) * 1_000n

  sleep = (duration: Duration.Duration): Effect.Effect<void> =>
    Effect.async((resume) => {
      if (!Duration.isFinite(duration)) return
      const alarm: Alarm = {
        at: this.now + Duration.toMillis(duration),
        order: this.ordered++,
        ring: () => resume(Effect.void)
      }
      this.alarms = [...this.alarms, alarm]
      return Effect.sync(() => {
        this.alarms = this.alarms.filter((one) => one !== alarm)
      })
    })

  /** Lets time go on to the next alarm, `until` at most; false when there is none before. */
  passTime(until: number): boolean {
    const next = this.alarms.reduce<Alarm | undefined>(
      (first, one) =>
        first === undefined || one.at < first.at || (one.at === first.at && one.order < first.order)
          ? one
          : first,
      undefined
    )
    if (next === undefined || next.at > until) {
      this.now = Math.max(this.now, until)
      return false
    }
    this.now = Math.max(this.now, next.at)
    this.alarms = this.alarms.filter((one) => one !== next)
    next.ring()
    return true
  }

  /** What a dead process had set rings for nobody. */
  forget(): void {
    this.alarms = []
  }
}

/** One process of a machine: its fibers take turns as the seed says, and it may be killed between any two steps. */
export class Process implements Scheduler.Scheduler {
  private waiting: Array<Scheduler.Task> = []
  private dead = false
  private isReady = false
  /** Steps that it has made. */
  steps = 0

  constructor(
    private readonly random: () => number,
    /** It dies before the step of this number (from 1). */
    private readonly diesAt: number,
    /** How often a fiber is made to let others go first, beside where it waits. */
    private readonly restless: number
  ) {}

  get isDead(): boolean {
    return this.dead
  }

  shouldYield(_fiber: Fiber.RuntimeFiber<unknown, unknown>): number | false {
    return this.isReady && this.random() < this.restless ? 0 : false
  }

  /** Its layers are built: from now on fibers let others go first at any operation. */
  readonly ready = Effect.sync(() => {
    this.isReady = true
  })

  scheduleTask(task: Scheduler.Task): void {
    if (!this.dead) this.waiting.push(task)
  }

  /** Makes steps until nobody can go on, or it is dead; false when it still could after so many. */
  run(most: number): boolean {
    for (let made = 0; !this.dead && this.waiting.length > 0; made++) {
      if (made === most) return false
      this.steps++
      if (this.steps >= this.diesAt) this.kill()
      const [task] = this.waiting.splice(between(this.random, 0, this.waiting.length - 1), 1)
      task?.()
    }
    return true
  }

  /** What it had begun goes on no more; nothing of it is tidied up. */
  kill(): void {
    this.dead = true
    this.waiting = []
  }
}
