import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCsr, days, expiryReport, inspectCertificate, issueClient, issuePeer, planMaterial, renewalDue, selectRecords, type IssuanceRecord, type RecordSelection } from '../../../src/pki/index.js'
import { authority, keyOf, NOW, policy, validity } from '../../support/pki.js'
import { hostile, thrown } from '../../support/thrown.js'

const { crypto } = globalThis
const DAY = 86_400_000
const at = (day: number): Date => new Date(NOW.getTime() + day * DAY)
const { signer } = await keyOf(crypto)
const csr = await createCsr(crypto, { signer })
const clients = await authority(crypto, 'etcd-clients', ['client'])
const peers = await authority(crypto, 'etcd-peers', ['peer'])

describe('a report of expiry', () => {
  const dated = (begins: number, ends: number) => ({ notBefore: at(begins).toISOString(), notAfter: at(ends) })

  test('has what ends first first, each with its state and the days that are left', () => {
    const list = [dated(0, 90), dated(-60, 30), dated(-60.5, 30.5), dated(-90, -1), dated(1, 20), { notBefore: 'never', notAfter: 'ever' }]
    const rows = expiryReport(list, NOW)
    expect(rows.map(({ certificate, state, daysLeft }) => [list.indexOf(certificate), state, daysLeft])).toEqual([
      [5, 'expired', NaN], [3, 'expired', -1], [4, 'not-yet-valid', 20], [1, 'due', 30], [2, 'valid', 30.5], [0, 'valid', 90],
    ])
  })

  test('is due at a third of the life left, or within as many days as are asked for', () => {
    const stateOf = (day: number, options?: { daysLeft: number }) => expiryReport([dated(0, 90)], at(day), options)[0]?.state
    expect([stateOf(60 - 1 / DAY), stateOf(60)]).toEqual(['valid', 'due'])
    expect([stateOf(60, { daysLeft: 14 }), stateOf(75.9, { daysLeft: 14 }), stateOf(76, { daysLeft: 14 }), stateOf(90, { daysLeft: 0 }), stateOf(90.1, { daysLeft: 14 })]).toEqual(['valid', 'valid', 'due', 'due', 'expired'])
  })

  test('takes records, certificates that were issued or inspected, and authorities', async () => {
    const issued = await issueClient(clients, { policy, user: 'alice', csr, validity })
    const facts = await inspectCertificate(crypto, issued.certificate)
    const rows = expiryReport<{ notBefore: Date | string; notAfter: Date | string }>([clients, issued, issued.record, facts], NOW)
    expect(rows.map(({ daysLeft }) => Math.round(daysLeft))).toEqual([90, 90, 90, 3650])
  })

  test('takes nothing else', () => {
    for (const [, value] of hostile.filter(([name]) => !['a list', 'words', 'a map', 'a String object'].includes(name))) expect(() => expiryReport(value as never, NOW)).toThrow(TypeError)
    for (const [, value] of hostile) expect(() => expiryReport([value as never], NOW)).toThrow(TypeError)
    expect(() => expiryReport([], 'now' as never)).toThrow(TypeError)
    expect(() => expiryReport([], NOW, { dayLeft: 3 } as never)).toThrow(TypeError)
    for (const daysLeft of [-1, NaN, Infinity, '3']) thrown('ERR_VALIDITY_INVALID', () => expiryReport([], NOW, { daysLeft: daysLeft as number }))
  })
})

describe('renewal', () => {
  const record = { notBefore: at(0).toISOString(), notAfter: at(90).toISOString() }

  test.each([[0, 60], [0.5, 55.5], [1, 51]])('with a jitter of %d is due on day %d of 90', (jitter, day) => {
    const { at: when } = renewalDue(record, NOW, { jitter })
    expect(Math.abs((when?.getTime() ?? 0) - at(day).getTime())).toBeLessThan(2)
    expect([day - 0.001, day + 0.001].map((now) => renewalDue(record, at(now), { jitter }).due)).toEqual([false, true])
  })

  test('is due at two thirds at the latest, whatever the jitter, and not before half of the life', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 400 }), (jitter, length) => {
        const one = { notBefore: at(0), notAfter: at(length) }
        expect(renewalDue(one, at((length * 2) / 3 + 1e-6), { jitter }).due).toBe(true)
        expect(renewalDue(one, at(length / 2), { jitter }).due).toBe(false)
      }),
    )
  })

  test('is due where the dates cannot be read, and when it is too late; not before its beginning', () => {
    expect(renewalDue({ notBefore: '', notAfter: '' }, NOW)).toEqual({ due: true })
    expect([renewalDue(record, at(91)).due, renewalDue(record, at(-1)).due]).toEqual([true, false])
  })

  test('and the plan of material say the same', async () => {
    const one = (await issueClient(clients, { policy, user: 'alice', csr, validity: days(90).from(NOW) })).record
    for (const day of [0, 59.999, 60.001, 89]) {
      const plan = planMaterial({ ...policy, members: [] } as never, [one], at(day), { hosts: {}, authorities: { client: clients, server: clients, peer: peers } })
      const found = plan.certificates.find(({ existing }) => existing !== undefined)
      expect([day, found?.action === 'renew']).toEqual([day, renewalDue(one, at(day)).due])
    }
  })

  test('takes no jitter beyond 0 to 1, and no option that is none', () => {
    for (const jitter of [-0.1, 1.1, NaN, '0.5']) expect(() => renewalDue(record, NOW, { jitter: jitter as number })).toThrow(TypeError)
    expect(() => renewalDue(record, NOW, { jiter: 0.5 } as never)).toThrow(TypeError)
    for (const [, value] of hostile) expect(() => renewalDue(value as never, NOW)).toThrow(TypeError)
  })
})

describe('records are selected', async () => {
  const client = async (user: 'alice' | 'calico-node', label?: string, life = validity) => (await issueClient(clients, { policy, user, csr, validity: life, ...(label === undefined ? {} : { label }) })).record
  const records: readonly IssuanceRecord[] = [
    await client('calico-node', 'node-17'), await client('alice', 'node-17'), await client('calico-node', 'node-170'), await client('alice'), await client('calico-node', 'node-17', days(1).from(NOW)),
    (await issuePeer(peers, { policy, member: 'etcd-0', hosts: ['10.0.0.10'], csr, validity })).record,
  ]
  const found = (selection: RecordSelection) => selectRecords(records, selection).map((record) => records.indexOf(record))

  test.each<[string, RecordSelection, readonly number[]]>([
    ['what node 17 holds', { label: 'node-17' }, [0, 1, 4]],
    ['what node 17 holds and is not over', { label: 'node-17', aliveAt: at(2) }, [0, 1]],
    ['of one user on it', { label: 'node-17', user: 'alice' }, [1]],
    ['of a user', { user: 'alice' }, [1, 3]],
    ['of a member', { member: 'etcd-0' }, [5]],
    ['of a purpose', { purpose: 'peer' }, [5]],
    ['of an authority', { authorityKeyId: clients.keyId }, [0, 1, 2, 3, 4]],
    ['of a key', { keyHash: records[0]!.keyHash }, [0, 1, 2, 3, 4, 5]],
    ['by serial number', { serial: records[2]!.serial }, [2]],
    ['of a label that nobody has', { label: 'node' }, []],
    ['what begins later', { aliveAt: at(-1000) }, [0, 1, 2, 3, 4, 5]],
  ])('%s', (_, selection, wanted) => {
    expect(found(selection)).toEqual(wanted)
  })

  test('never all of them by mistake: a selection that says nothing, or nothing of certain meaning, is refused', () => {
    for (const selection of [{}, { label: undefined }, { label: '' }, { label: 7 }, { labels: 'node-17' }, { user: 'alice', label: undefined }, { aliveAt: '2026-01-01' }, { aliveAt: new Date(NaN) }, undefined, null, []])
      expect(() => selectRecords(records, selection as RecordSelection)).toThrow(TypeError)
  })

  test('from records alone', () => {
    thrown('ERR_RECORD_INVALID', () => selectRecords([{ ...records[0]!, serial: 7 } as never], { label: 'x' }))
    for (const [, value] of hostile.filter(([name]) => name !== 'a list')) expect(() => selectRecords(value as never, { label: 'x' })).toThrow(TypeError)
  })
})
