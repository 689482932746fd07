import { Context, DefaultServices, Effect, Tracer, Utils } from "effect"

/** What traces where nobody has installed a tracer: its spans are read by nobody. */
const nobody = Context.get(DefaultServices.liveServices, Tracer.Tracer)

// biome-ignore lint/suspicious/noExplicitAny: the overloads of Effect.fn say what goes in and comes out.
type Any = any

/**
 * `Effect.fn(name)`, a function whose calls are spans of that name, for a price that is paid only where a tracer is
 * installed: a span and its two stack traces cost a call 4 to 8 microseconds and some 10 KB, and an attempt makes 100.
 */
export const traced = ((name: string) =>
  (body: Any, ...then: Array<Any>) => {
    const spanned = (Effect.fn(name) as Any)(body, ...then)
    const plain = Utils.isGeneratorFunction(body)
      ? (Effect.fnUntraced as Any)(body, ...then)
      : piped(body, then)
    return (...args: Array<Any>) =>
      Effect.withFiberRuntime<Any, Any, Any>((fiber) =>
        (fiber.currentTracer === nobody ? plain : spanned)(...args)
      )
  }) as (name: string) => Effect.fn.Gen & Effect.fn.NonGen

const piped =
  (body: Any, then: ReadonlyArray<Any>) =>
  (...args: Array<Any>) =>
    then.reduce((effect, next) => next(effect, ...args), body(...args))
