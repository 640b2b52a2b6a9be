/** The identity of health probes. */
import { expect, test } from 'vitest'
import { prefix } from '../../../src/keys/index.js'
import { can, definePolicy, get, put, watch } from '../../../src/policy/index.js'
import { healthProbe } from '../../../src/presets/index.js'

test('a health probe reads its one key, and nothing else', () => {
  const policy = definePolicy({ users: { probe: 'certificate' }, v3: { roles: { health: healthProbe().permissions }, bindings: { probe: ['health'] } } })
  expect(can(policy, 'probe', get('health'))).toBe(true)
  for (const operation of [put('health'), get('health2'), get(prefix('health', { siblings: 'include' })), get('/registry/x'), watch('/registry/x')]) expect(can(policy, 'probe', operation)).toBe(false)
  for (const { evidence } of healthProbe().grants) expect(evidence.length).toBeGreaterThan(0)
})
