/**
 * An Aho-Corasick automaton over bytes. A state is a number and stands for the longest end of what was read
 * that a pattern begins with; 0 is the state in which no pattern has begun.
 */
export interface Automaton {
  readonly next: (state: number, byte: number) => number
  /** How many bytes the end that a state stands for has. */
  readonly depth: (state: number) => number
  /** The length of the longest pattern that ends in a state; 0 where none does. */
  readonly match: (state: number) => number
  /** The state of the longest end that a pattern goes on from: of what a whole pattern ended with, a shorter one. */
  readonly begun: (state: number) => number
  /** The length of the longest pattern of all. */
  readonly longest: number
}

interface Trie {
  /** The children of the root by byte; all others are chained: first child, next sibling. */
  readonly roots: Int32Array
  readonly child: Int32Array
  readonly sibling: Int32Array
  readonly label: Uint8Array
  readonly depth: Int32Array
  readonly match: Int32Array
  readonly fail: Int32Array
  readonly begun: Int32Array
}

/** Builds the automaton of these patterns; time and memory grow with their summed length. */
export const automatonOf = (patterns: ReadonlyArray<Uint8Array>): Automaton => {
  const trie = trieOf(patterns)
  link(trie)
  const { begun, depth, match, roots } = trie
  return {
    next: (state, byte) => (state === 0 ? (roots[byte] ?? 0) : step(trie, state, byte)),
    depth: (state) => depth[state] ?? 0,
    match: (state) => match[state] ?? 0,
    begun: (state) => begun[state] ?? 0,
    longest: patterns.reduce((most, { length }) => Math.max(most, length), 0)
  }
}

const trieOf = (patterns: ReadonlyArray<Uint8Array>): Trie => {
  const most = patterns.reduce((sum, { length }) => sum + length, 1)
  const numbers = () => new Int32Array(most)
  const trie: Trie = {
    roots: new Int32Array(256),
    child: numbers(),
    sibling: numbers(),
    label: new Uint8Array(most),
    depth: numbers(),
    match: numbers(),
    fail: numbers(),
    begun: numbers()
  }
  let size = 1
  for (const pattern of patterns) {
    let at = 0
    for (const byte of pattern) {
      const known = childOf(trie, at, byte)
      at = known === 0 ? grow(trie, at, byte, size++) : known
    }
    trie.match[at] = trie.depth[at] ?? 0
  }
  return trie
}

const grow = (trie: Trie, parent: number, byte: number, made: number): number => {
  trie.label[made] = byte
  trie.depth[made] = (trie.depth[parent] ?? 0) + 1
  if (parent === 0) trie.roots[byte] = made
  else {
    trie.sibling[made] = trie.child[parent] ?? 0
    trie.child[parent] = made
  }
  return made
}

const childOf = ({ child, label, roots, sibling }: Trie, state: number, byte: number): number => {
  if (state === 0) return roots[byte] ?? 0
  let found = child[state] ?? 0
  while (found !== 0 && label[found] !== byte) found = sibling[found] ?? 0
  return found
}

const step = (trie: Trie, from: number, byte: number): number => {
  for (let state = from; ; state = trie.fail[state] ?? 0) {
    const found = childOf(trie, state, byte)
    if (found !== 0 || state === 0) return found
  }
}

/** Sets where each state goes on when its pattern does not, nearest to the root first. */
const link = (trie: Trie): void => {
  const { begun, child, fail, label, match, roots, sibling } = trie
  const queue = Array.from(roots).filter((state) => state !== 0)
  for (const state of queue) {
    begun[state] = child[state] === 0 ? (begun[fail[state] ?? 0] ?? 0) : state
    for (let one = child[state] ?? 0; one !== 0; one = sibling[one] ?? 0) {
      const back = step(trie, fail[state] ?? 0, label[one] ?? 0)
      fail[one] = back
      if (match[one] === 0) match[one] = match[back] ?? 0
      queue.push(one)
    }
  }
}
