/** Shares of the time of an attempt, which make one; found in a trace of the dispatcher's system calls. */
export interface Shares {
  /** From a fork to the end of that child. */
  readonly spawn: number
  /** Waiting for the disk on behalf of the database. */
  readonly commits: number
  /** Evidence: made, written down for good, renamed. */
  readonly files: number
  /** Reading /proc: whom a child has left behind. */
  readonly processes: number
  /** All else: our own code, SQL, the network of streams between us and the child. */
  readonly rest: number
}

interface Span {
  readonly from: number
  readonly to: number
}

const CALL = /^(\d+)\s+(\d+\.\d+) (\w+)\((.*)$/
const RESUMED = /^(\d+)\s+(\d+\.\d+) <\.\.\. (\w+) resumed>.*<(\d+\.\d+)>$/
const EXITED = /^(\d+)\s+(\d+\.\d+) \+\+\+ (exited|killed)/
const FORKS = new Set(["vfork", "fork", "clone", "clone3"])

const kindOf = (name: string, rest: string): "commits" | "files" | "processes" | undefined => {
  if (/\.db(-wal|-shm)?[">]/.test(rest)) return "commits"
  if (/"\/proc(\/|")/.test(rest)) return "processes"
  return name === "openat" && /"\/(usr|lib|etc|dev)\//.test(rest) ? undefined : "files"
}

/** How long the spans last together, what is in several of them once; without what `taken` has already. */
const union = (spans: ReadonlyArray<Span>, taken: ReadonlyArray<Span>): number => {
  const total = (all: ReadonlyArray<Span>) => {
    let [length, end] = [0, Number.NEGATIVE_INFINITY]
    for (const { from, to } of [...all].sort((a, b) => a.from - b.from)) {
      length += Math.max(0, to - Math.max(from, end))
      end = Math.max(end, to)
    }
    return length
  }
  return total([...taken, ...spans]) - total(taken)
}

/**
 * Reads `strace -f -ttt -T -y` of fork, fsync, openat, rename, mkdir and unlink calls: what each second between `from`
 * and `to` went to. What runs beside a child counts as the child's.
 */
export const shares = (trace: string, from: number, to: number): Shares => {
  const spans: Record<"spawn" | "commits" | "files" | "processes", Array<Span>> = {
    spawn: [],
    commits: [],
    files: [],
    processes: []
  }
  const forked = new Map<string, number>()
  const forking = new Map<string, { readonly at: number; readonly isThread: boolean }>()
  const open = new Map<string, string>()
  const add = (kind: keyof typeof spans, began: number, ended: number) => {
    const [low, high] = [Math.max(began, from), Math.min(ended, to)]
    if (high > low) spans[kind].push({ from: low, to: high })
  }
  for (const line of trace.split("\n")) {
    const exited = EXITED.exec(line)
    const began = forked.get(exited?.[1] ?? "")
    if (exited !== null && began !== undefined) add("spawn", began, Number(exited[2]))
    const resumed = RESUMED.exec(line)
    const call = CALL.exec(line)
    const [, thread = "", at = "0", name = "", rest = ""] = call ?? resumed ?? []
    // What children call is part of their span already.
    if (name === "" || forked.has(thread)) continue
    if (FORKS.has(name)) {
      if (call !== null) forking.set(thread, { at: Number(at), isThread: rest.includes("CLONE_THREAD") })
      const begin = forking.get(thread)
      const child = / = (\d+)/.exec(line)?.[1]
      if (child !== undefined && begin !== undefined && !begin.isThread) forked.set(child, begin.at)
      continue
    }
    if (call !== null) open.set(thread, rest)
    const took = /<(\d+\.\d+)>$/.exec(line)?.[1]
    if (took === undefined) continue
    const kind = kindOf(name, open.get(thread) ?? rest)
    const ended = call === null ? Number(at) : Number(at) + Number(took)
    if (kind !== undefined) add(kind, ended - Number(took), ended)
  }
  const all = to - from
  const spawn = union(spans.spawn, []) / all
  const commits = union(spans.commits, spans.spawn) / all
  const files = union(spans.files, [...spans.spawn, ...spans.commits]) / all
  const processes = union(spans.processes, [...spans.spawn, ...spans.commits, ...spans.files]) / all
  return { spawn, commits, files, processes, rest: 1 - spawn - commits - files - processes }
}

/** `spawn 41 %, files 20 %, ...`. */
export const told = (of: Shares): string =>
  [
    `spawn ${(of.spawn * 100).toFixed(0)} %`,
    `files ${(of.files * 100).toFixed(0)} %`,
    `commits ${(of.commits * 100).toFixed(0)} %`,
    `/proc ${(of.processes * 100).toFixed(0)} %`,
    `the rest ${(of.rest * 100).toFixed(0)} %`
  ].join(", ")
