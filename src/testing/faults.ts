/**
 * Faults to put in a call's way: failing before or after its effect, not answering, and another writer who comes first.
 *
 * A call is chosen by its number from now on (1 is the next), once, or by a predicate, each time until the rule is removed.
 */
import type { Call } from './calls.js'

/** Which calls a rule is for. */
export type CallMatch = number | ((call: Call) => boolean)

/** Takes a rule away again. */
export type Remove = () => void

/** How a double can be made to fail. */
export interface Faults {
  /**
   * The call fails and has no effect.
   *
   * @param error What it rejects with. Default: that of a lost connection, `14 UNAVAILABLE: read ECONNRESET` or ECONNRESET.
   */
  failBefore(match: CallMatch, error?: Error): Remove
  /** The call has its effect, and fails: the answer was lost. See {@link Faults.failBefore}. */
  failAfter(match: CallMatch, error?: Error): Remove
  /**
   * The call does not answer until its deadline, by the double's clock; without a deadline, never. A fetch waits for its `signal`.
   *
   * @param options.applied Whether it has its effect all the same. Default `false`.
   */
  timeOut(match: CallMatch, options?: { readonly applied?: boolean }): Remove
  /** Runs something before the call, such as a concurrent writer through `double.as('other')`. Its own calls do not set it off again. */
  beforeCall(match: CallMatch, run: (call: Call) => void | Promise<void>): Remove
  /** Takes all rules away. */
  clear(): void
}

/** What the rules make of one call. */
export interface Fate {
  readonly before: readonly (() => void | Promise<void>)[]
  readonly failsBefore?: { readonly error: Error | undefined }
  readonly failsAfter?: { readonly error: Error | undefined }
  readonly silent?: { readonly applied: boolean }
}

interface Rule {
  readonly kind: 'failBefore' | 'failAfter' | 'timeOut' | 'beforeCall'
  readonly match: CallMatch
  readonly error: Error | undefined
  readonly applied: boolean
  readonly run: (call: Call) => void | Promise<void>
  seen: number
  running: boolean
}

/** Rules, and the judge of each call. */
export function createFaults(): { readonly faults: Faults; readonly judge: (call: Call) => Fate } {
  let rules: readonly Rule[] = []
  const add = (kind: Rule['kind'], match: CallMatch, more: Partial<Rule> = {}): Remove => {
    const whole = typeof match === 'number' && Number.isInteger(match) && match > 0
    if (!whole && typeof match !== 'function') throw new TypeError('a fault is for the n-th call from now on (1 is the next) or for those a function picks')
    const rule: Rule = { kind, match, error: undefined, applied: false, run: () => undefined, seen: 0, running: false, ...more }
    rules = [...rules, rule]
    return () => {
      rules = rules.filter((other) => other !== rule)
    }
  }
  const judge = (call: Call): Fate => {
    const due = rules.filter((rule) => {
      if (rule.running) return false
      return typeof rule.match === 'number' ? ++rule.seen === rule.match : rule.match(call)
    })
    rules = rules.filter((rule) => typeof rule.match !== 'number' || rule.seen < rule.match)
    const first = (kind: Rule['kind']): Rule | undefined => due.find((rule) => rule.kind === kind)
    const [before, after, silent] = [first('failBefore'), first('failAfter'), first('timeOut')]
    return {
      before: due.filter(({ kind }) => kind === 'beforeCall').map((rule) => () => runAlone(rule, call)),
      ...(before ? { failsBefore: { error: before.error } } : {}),
      ...(after ? { failsAfter: { error: after.error } } : {}),
      ...(silent ? { silent: { applied: silent.applied } } : {}),
    }
  }
  const faults: Faults = {
    failBefore: (match, error) => add('failBefore', match, { error }),
    failAfter: (match, error) => add('failAfter', match, { error }),
    timeOut: (match, { applied = false } = {}) => add('timeOut', match, { applied }),
    beforeCall: (match, run) => add('beforeCall', match, { run }),
    clear: () => {
      rules = []
    },
  }
  return { faults, judge }
}

async function runAlone(rule: Rule, call: Call): Promise<void> {
  rule.running = true
  try {
    await rule.run(call)
  } finally {
    rule.running = false
  }
}
