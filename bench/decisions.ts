/**
 * What questions about access cost: decisions on an index, building it, and the isolation of tenants.
 *
 *   npm run bench:decisions
 *
 * Windows of all rows are interleaved in one process; a row's figure is the median of its windows. Every question is distinct, they come in
 * shuffled order, and half of them are refused.
 */
import { can, definePolicy, get, indexPolicy, isolation, prefix, range, readwrite, type KeyOperation, type Permission, type KeyRange, type Policy, type PolicyIndex } from 'etcd-rbac/policy'

const WINDOWS = 9
const QUESTIONS = 20_000

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const padded = (place: number): string => String(place).padStart(8, '0')

/** Ranges that touch no other: `/k/00000000` to `/k/00000000~`, and so on. */
function ranges(count: number): readonly Permission<KeyRange>[] {
  return Array.from({ length: count }, (_, place) => readwrite(range(`/k/${padded(place)}`, `/k/${padded(place)}~`)))
}

function policyOf(count: number): Policy {
  return definePolicy({ users: { user: 'certificate' }, v3: { roles: { role: ranges(count) }, bindings: { user: ['role'] } } })
}

/** Distinct questions in an order that no cache can follow: a fixed stride through a shuffled list. */
function questions(count: number): readonly KeyOperation[] {
  const made = Array.from({ length: QUESTIONS }, (_, at) => {
    const place = padded((at * 7919) % count)
    // Inside a range, or in the gap behind it.
    return get(at % 2 === 0 ? `/k/${place}!${at}` : `/k/${place}~${at}`)
  })
  let seed = 1
  for (let at = made.length - 1; at > 0; at--) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    const other = seed % (at + 1)
    const [one, two] = [made[at], made[other]]
    if (one !== undefined && two !== undefined) [made[at], made[other]] = [two, one]
  }
  return made
}

interface Row {
  readonly name: string
  readonly unit: string
  /** One window: how many units it did. */
  readonly run: () => number
}

function decisions(count: number): Row {
  const index: PolicyIndex = indexPolicy(policyOf(count))
  const asked = questions(count)
  return {
    name: `decision, ${count} ranges`,
    unit: 'decisions/s',
    run: () => {
      let allowed = 0
      for (const question of asked) if (can(index, 'user', question)) allowed++
      if (allowed !== QUESTIONS / 2) throw new Error(`${allowed} of ${QUESTIONS} allowed, wanted half`)
      return QUESTIONS
    },
  }
}

function building(count: number): Row {
  const policy = policyOf(count)
  return {
    name: `index of ${count} ranges and its first answer`,
    unit: 'ranges/s',
    run: () => {
      can(indexPolicy(policy), 'user', get('/k/x'))
      return count
    },
  }
}

function tenants(count: number): Row {
  const names = Array.from({ length: count }, (_, place) => `t${padded(place)}`)
  const policy = definePolicy({
    users: Object.fromEntries(names.map((name) => [name, 'certificate' as const])),
    v3: {
      roles: Object.fromEntries(names.map((name) => [name, [readwrite(prefix(`/tenants/${name}/`)), readwrite(prefix(`/locks/${name}/`))]])),
      bindings: Object.fromEntries(names.map((name) => [name, [name]])),
    },
  })
  return {
    name: `isolation of ${count} tenants, one call`,
    unit: 'tenants/s',
    run: () => {
      if (!isolation(policy, { api: 'v3' }).isolated) throw new Error('the tenants meet')
      return count
    },
  }
}

const rows = [...[10, 1_000, 100_000].map(decisions), ...[1_000, 100_000].map(building), ...[1_000, 10_000].map(tenants)]
for (const { run } of rows) run()
const rates = rows.map((): number[] => [])
for (let window = 0; window < WINDOWS; window++) {
  for (const [at, { run }] of rows.entries()) {
    const began = performance.now()
    const done = run()
    rates[at]?.push(done / ((performance.now() - began) / 1000))
  }
}
const medians = rates.map(median)
for (const [at, { name, unit }] of rows.entries()) {
  const all = rates[at] ?? []
  const rounded = (rate: number): string => Math.round(rate).toLocaleString('en')
  console.log(`${name.padEnd(46)} ${rounded(medians[at] ?? 0).padStart(12)} ${unit} (${rounded(Math.min(...all))} to ${rounded(Math.max(...all))})`)
}
const [, thousand = 0, hundredThousand = 0] = medians
console.log(`a decision over 100000 ranges takes ${(thousand / hundredThousand).toFixed(2)} times one over 1000`)
console.log(`10000 tenants take ${(10_000 / (medians[6] ?? 0)).toFixed(3)} s`)
