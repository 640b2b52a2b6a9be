/** What the members of a cluster say of themselves, and what may be relied on. */
import { describe, expect, test } from 'vitest'
import { observe, type MaintenanceClient } from '../../../src/auth/index.js'
import { manualClock, memoryEtcd } from '../../../src/testing/index.js'
import { settled } from '../../support/double.js'

const says = (version: string, more: object = {}): MaintenanceClient => ({ status: () => Promise.resolve({ version, header: { member_id: '7' }, leader: '9', errors: [], ...more }) })

describe('observing a cluster', () => {
  test('gives each member with its release, learners and the leader told apart, and the lowest release of all', async () => {
    const { members, lowestVersion, versions } = await observe({
      'https://a:2379': says('3.5.30', { leader: '7' }),
      'https://b:2379': says('3.5.35', { isLearner: true, errors: ['memberID:7 alarm:NOSPACE '] }),
      'https://c:2379': says('3.4.23'),
    })
    expect(members.map(({ endpoint, version, learner, leader }) => [endpoint, version, learner, leader])).toEqual([
      ['https://a:2379', '3.5.30', false, true],
      ['https://b:2379', '3.5.35', true, false],
      ['https://c:2379', '3.4.23', false, false],
    ])
    expect(members[1]?.alarms).toEqual(['memberID:7 alarm:NOSPACE '])
    expect([lowestVersion, versions]).toEqual(['3.4.23', ['3.5.30', '3.5.35', '3.4.23']])
  })

  test('relies on nothing where one member does not answer, and says why it did not', async () => {
    const broken: MaintenanceClient = { status: () => Promise.reject(new Error('14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1')) }
    const { members, lowestVersion, versions } = await observe({ a: says('3.5.30'), b: broken })
    expect([lowestVersion, versions]).toEqual([undefined, []])
    expect(members[1]).toMatchObject({ endpoint: 'b', version: undefined, learner: undefined, error: { code: 'ERR_UNREACHABLE' } })
  })

  test.each(['3.8.0', '3.2.9'])('lists a member of the unknown release %s with what it said and an error, and relies on nothing', async (version) => {
    const { members, lowestVersion, versions } = await observe({ a: says('3.5.30'), b: says(version, { isLearner: true }) })
    expect([lowestVersion, versions]).toEqual([undefined, []])
    expect(members[0]).toMatchObject({ version: '3.5.30', error: undefined })
    expect(members[1]).toMatchObject({ version, learner: true, leader: false, error: { code: 'ERR_VERSION_UNSUPPORTED' } })
  })

  test.each([
    ['nobody', undefined, {}],
    ['null', null, {}],
    ['a list', [says('3.5.30')], {}],
    ['an endpoint without a client', { a: undefined }, {}],
    ['a client without status', { a: {} }, {}],
    ['a misspelt option', { a: says('3.5.30') }, { deadline: 500 }],
    ['options that are none', { a: says('3.5.30') }, null],
  ])('of %s is a TypeError', async (_, endpoints, options) => {
    await expect(observe(endpoints as never, options as never)).rejects.toBeInstanceOf(TypeError)
  })

  test.each([{ version: 5 }, {}, 'text', null])('takes %j for no answer', async (reply) => {
    const { members, lowestVersion } = await observe({ a: { status: () => Promise.resolve(reply as never) } })
    expect([lowestVersion, members[0]?.version]).toEqual([undefined, undefined])
    expect(members[0]?.error).toBeDefined()
  })

  test('waits for no member longer than the deadline, and asks none after the signal', async () => {
    const clock = manualClock(new Date(0))
    const observing = observe({ a: { status: () => new Promise(() => undefined) } }, { clock, deadlineMilliseconds: 500 })
    await settled()
    clock.advance(500)
    expect((await observing).members[0]?.error?.code).toBe('ERR_DEADLINE')
    let asked = 0
    const counting: MaintenanceClient = { status: () => Promise.resolve({ version: String(asked++) }) }
    expect((await observe({ a: counting }, { signal: AbortSignal.abort() })).members[0]?.error).toBeDefined()
    expect(asked).toBe(0)
  })

  test('knows the double', async () => {
    const { members } = await observe({ a: memoryEtcd({ version: '3.6.16' }).maintenance, b: memoryEtcd({ version: '3.3.25' }).maintenance })
    expect(members.map(({ version, learner, leader, error }) => [version, learner, leader, error])).toEqual([
      ['3.6.16', false, true, undefined],
      ['3.3.25', false, true, undefined],
    ])
  })

  test('of nobody gives nothing to rely on', async () => {
    expect(await observe({})).toEqual({ members: [], lowestVersion: undefined, versions: [] })
  })
})
