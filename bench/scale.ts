/**
 * What many users cost: a plan and its apply on etcd 3.5 and 3.6, with mutual TLS, users by certificate and auth on, against other ways to make the same.
 *
 *   npm run bench:scale
 *   npm run bench:scale -- --large                                        3,000 users besides: one run, without a bar
 *   npm run bench:scale -- --users 100 --rounds 1 --shape own --etcd 3.6  less of it, for a look: nothing is judged
 *
 * Servers are those that `ETCD_35` and `ETCD_36` name, else those of `npm run fetch-etcd`; etcdctl is the one that `ETCDCTL` names, else the one on the PATH,
 * else built where Go is. Every run has a fresh server of one member. A round does all rows, each beginning with another one; a figure is the median of the
 * rounds, with the least and the most behind it. Writes `build/scale.json`, and ends with status 1 where a bar is not met.
 */
import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { barsOf, flat, ratio, times, type Bar } from './support/bars.js'
import { markdown, megabytes, seconds } from './support/figures.js'
import { laneOf, minors, type Lane } from './support/lanes.js'
import { roundOnDouble, type Round } from './support/memory.js'
import { againstTenants, everyRow, nothingYet, onFreshServer, withoutEtcdctl, type Measured } from './support/rows.js'
import { makeMaterial } from './support/server.js'
import { shapeOf, shapeNames, type Shape } from './support/shape.js'

const { values: given } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    shape: { type: 'string' },
    etcd: { type: 'string' },
    large: { type: 'boolean', default: false },
  },
})
const [users, rounds] = [Number(given.users), Number(given.rounds)]
const names = shapeNames.filter((name) => name === (given.shape ?? name))
const asked = minors.filter((minor) => minor === (given.etcd ?? minor))
if (!(users > 0 && rounds > 0 && names.length > 0 && asked.length > 0)) throw new Error(`wanted --users and --rounds above 0, --shape ${shapeNames.join(' or ')}, --etcd ${minors.join(' or ')}`)
/** The bars are for 1,000 users and medians of five. */
const judged = users === 1000 && rounds >= 5
const ROUNDS_ON_DOUBLE = 3
const WARM_UP = 100

const project = fileURLToPath(new URL('../..', import.meta.url))
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const progress = (text: string): void => void process.stderr.write(`${text}, load ${loadavg()[0]!.toFixed(1)}\n`)

async function onDouble(name: (typeof names)[number]): Promise<readonly { readonly shape: Shape; readonly rounds: readonly Round[] }[]> {
  await roundOnDouble(shapeOf(name, WARM_UP))
  const done: { readonly shape: Shape; readonly rounds: Round[] }[] = [users, 10 * users].map((many) => ({ shape: shapeOf(name, many), rounds: [] }))
  for (const { shape, rounds: each } of done) for (let round = 0; round < ROUNDS_ON_DOUBLE; round++) each.push(await roundOnDouble(shape))
  return done
}

say('## On the double\n')
const doubles = []
for (const name of names) doubles.push(await onDouble(name))
const PARTS = ['plan', 'apply', 'again'] as const
say(
  markdown(
    ['', 'plan', 'apply', 'second plan', 'most on the heap, MB', 'in use after each round, MB'],
    doubles.flatMap((pair) => [
      ...pair.map(({ shape, rounds: each }) => [
        shape.title,
        ...PARTS.map((part) => seconds(each.map((round) => round[part]))),
        each.map(({ peak }) => megabytes(peak)).join(', '),
        each.map(({ left }) => megabytes(left)).join(', '),
      ]),
      ['ten times as many', ...PARTS.map((part) => { const [few, many] = pair.map(({ rounds: each }) => each.map((round) => round[part])); return times(ratio(many!, few!)) }), '', ''],
    ]),
  ),
)

say('\n## On etcd\n')
const found = await Promise.all(asked.map((minor) => laneOf(minor, project, say)))
const lanes: readonly Lane[] = found.filter((lane) => lane !== undefined)
const material = await makeMaterial()
const measuredOf = (many: number): readonly Measured[] => lanes.flatMap((lane) => names.map((name) => nothingYet(lane, shapeOf(name, many))))

for (const measured of measuredOf(WARM_UP)) for (const row of withoutEtcdctl) await onFreshServer(row, measured, material)
const all = measuredOf(users)
for (let round = 0; round < rounds; round++) {
  for (const measured of all) {
    for (let at = 0; at < everyRow.length; at++) await onFreshServer(everyRow[(at + round) % everyRow.length]!, measured, material)
    progress(`round ${round + 1} of ${rounds}: etcd ${measured.lane.version}, ${measured.shape.title}`)
  }
}
const large = given.large ? measuredOf(3 * users) : []
for (const measured of large) {
  for (const row of againstTenants) await onFreshServer(row, measured, material)
  progress(`etcd ${measured.lane.version}, ${measured.shape.title}`)
}

say(
  markdown(
    ['etcd', '', 'plan and apply', 'per-tenant order', 'permissions first, bare', 'bindings first, bare', 'etcdctl in a loop, by its sample', 'state', 'the same, bare'],
    [...all, ...large].map(({ lane, shape, picked, apply, tenants, permissions, bindings, loop, state, bare }) => [
      lane.version,
      shape.title,
      `${seconds(apply)}, ${picked} first`,
      ...[tenants, permissions, bindings].map(seconds),
      loop[0] === undefined ? '' : `${seconds(loop.map(({ milliseconds }) => milliseconds))}, ${loop[0].calls} of ${loop[0].of} calls, etcdctl ${lane.etcdctl?.version}`,
      ...[state, bare].map(seconds),
    ]),
  ),
)
say('\nA second plan calls\n')
for (const { lane, shape, second } of all) say(`- etcd ${lane.version}, ${shape.title}: ${Object.entries(second).map(([method, count]) => `${method} ${count}`).join(', ')}`)

const bars: readonly Bar[] = [
  ...doubles.flat().map(({ shape, rounds: each }) => flat(`the double, ${shape.title}`, each.map(({ left }) => left))),
  ...all.flatMap(barsOf),
]
say(`\n## Bars${judged ? '' : ', which are for 1,000 users and five rounds: nothing is judged'}\n`)
say(markdown(['', 'found', 'wanted', ''], bars.map(({ what, found: figure, wanted, met }) => [what, figure, wanted, met ? 'met' : '**NOT met**'])))

const data = (each: Measured): object => ({ ...each, lane: { version: each.lane.version, etcdctl: each.lane.etcdctl?.version }, shape: each.shape.title })
await writeFile(
  join(project, 'build/scale.json'),
  `${JSON.stringify({ node: process.version, users, rounds, doubles: doubles.flat().map(({ shape, rounds: each }) => ({ shape: shape.title, rounds: each })), etcd: all.map(data), large: large.map(data), bars }, undefined, 2)}\n`,
)
// A bar that nobody could be held to is not met either.
const missing = [...(all.length === 0 ? ['etcd'] : []), ...(all.some(({ lane }) => lane.etcdctl === undefined) ? ['etcdctl'] : [])]
for (const what of missing) say(`DID NOT RUN for want of ${what}`)
if (judged && (missing.length > 0 || bars.some(({ met }) => !met))) process.exitCode = 1
