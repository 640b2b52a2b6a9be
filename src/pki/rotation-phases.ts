/** The phases of a change of authority: what is written, restarted and issued, what must be seen before going on, and what breaks otherwise. */
import { quoted } from '../errors.js'
import { someOf } from '../names.js'
import type { Purpose } from './authority.js'
import type { IssuanceRecord } from './record.js'
import { shownRecord, verifiersOf, type RotationBundle, type RotationPhase, type RotationPlan, type RotationStep } from './rotation-plan.js'

/** What all phases depend on. */
export type RotationFrame = Pick<RotationPlan, 'purposes' | 'members' | 'holders' | 'old' | 'new'>

const flagOf: Readonly<Record<Purpose, string | undefined>> = { client: '--trusted-ca-file', peer: '--peer-trusted-ca-file', server: undefined }

const refusals: Readonly<Record<Purpose, string>> = {
  client: 'members refuse clients with certificates of the new authority ("unknown ca" or "bad certificate")',
  server: 'clients refuse members with certificates of the new authority ("unable to verify the first certificate")',
  peer: 'members refuse each other: whoever has a certificate of the new authority leaves the cluster, and with the second one the quorum is gone',
}

/** The four phases, in order. */
export function phasesOf(frame: RotationFrame, both: RotationBundle, after: RotationBundle, replaced: readonly IssuanceRecord[], crossSigned: boolean): readonly RotationPhase[] {
  const { purposes, members, holders, old } = frame
  const verifiers = verifiersOf(frame)
  const verifying = members.filter((member) => verifiers.includes(member))
  const flags = purposes.flatMap((purpose) => flagOf[purpose] ?? [])
  const write = (what: string): readonly RotationStep[] => [
    ...verifying.map((at): RotationStep => ({ do: 'write', at, flags, text: `write ${what} into the file of ${flags.join(' and ')} of member ${quoted(at)}` })),
    ...holders.map((at): RotationStep => ({ do: 'write', at, flags: [], text: `write ${what} into the CA file of ${quoted(at)}` })),
  ]
  const load: readonly RotationStep[] = [
    ...verifying.map((at, index): RotationStep => ({
      do: 'restart',
      at,
      text: `restart member ${quoted(at)}${index === 0 ? '' : `, once ${quoted(verifying[index - 1] ?? '')} is healthy again`}: etcd reads this file at its start only, and SIGHUP ends it`,
    })),
    ...holders.map((at): RotationStep => ({ do: 'reload', at, text: `restart ${quoted(at)}, unless it reads its CA file by itself` })),
  ]
  const [n, m] = [verifiers.length, replaced.length]
  const refused = purposes.map((purpose) => refusals[purpose]).join('; ')
  const behind = crossSigned ? ', the cross-signed certificate behind it' : ''
  return [
    {
      name: 'trust both', bundle: both, steps: write('both authorities'), ifSkipped: `once certificates are issued again, ${refused}`,
      gate: { of: n, text: `${n} of ${n} report bundle ${both.sha256} in their CA file` },
    },
    {
      name: 'load both', bundle: both, steps: load, ifSkipped: `what was written is not trusted before a restart: once certificates are issued again, ${refused}`,
      gate: { of: n, text: `${n} of ${n} report that they trust bundle ${both.sha256}` },
    },
    {
      name: 'reissue', bundle: both, ifSkipped: `what is still of authority ${quoted(old.name)} is refused as soon as that is dropped`,
      steps: replaced.map((record) => ({ do: 'issue', replaces: record, text: `issue the certificate of ${shownRecord(record)} again, by ${quoted(frame.new.name)}${behind}` })),
      gate: { of: m, text: `${m} of ${m} report a certificate of authority ${quoted(frame.new.name)}, key ${frame.new.keyId}` },
    },
    {
      name: 'drop old', bundle: after, steps: [...write('the new authority alone'), ...load], ifSkipped: `whoever has the key of authority ${quoted(old.name)} still makes certificates that are accepted; issuing again revokes nothing`,
      gate: { of: n, text: `${n} of ${n} report that they trust bundle ${after.sha256}, and have it in their CA file` },
    },
  ]
}

/** What no plan avoids. `issued`: what is living of the old authority. */
export function warningsOf(frame: RotationFrame, crossSigned: boolean, issued: readonly IssuanceRecord[]): readonly string[] {
  const { purposes, members } = frame
  const restarts = verifiersOf(frame).some((name) => members.includes(name))
  return [
    ...(restarts && members.length < 3 ? [`${members.length === 1 ? 'one member' : 'two members'}: nobody can write while one of them (${someOf(members)}) restarts`] : []),
    ...(purposes.includes('client') ? ['connections that are open stay open: who has to go at once needs its user removed and the members restarted'] : []),
    ...gatewayWarning(purposes, issued),
    ...(crossSigned ? ['the cross-signed certificate expires by itself, and with it what it makes acceptable'] : []),
  ]
}

/** The gateway dials its member with the server's certificate, as a client (etcd `embed/serve.go`): one authority for both has to be changed for both. */
function gatewayWarning(purposes: readonly Purpose[], issued: readonly IssuanceRecord[]): readonly string[] {
  const [clients, servers] = [purposes.includes('client'), purposes.includes('server')]
  const forBoth = clients || issued.some(({ purpose }) => purpose === 'client' || purpose === 'gateway')
  const dialling = issued.flatMap((record) => (record.purpose === 'server' && record.usages.includes('clientAuth') ? [record.member] : []))
  if (clients === servers || !forBoth || dialling.length === 0) return []
  const when = clients ? 'stay with the old authority: once that is dropped' : 'come to the new authority, which members do not trust for clients: once they are issued again'
  return [
    `the server certificates of ${someOf([...new Set(dialling)])} ${when}, the HTTP gateway inside these members, which dials with them, answers 503; change the authority for 'client' and 'server' together, give the gateway a certificate of its own, or switch it off`,
  ]
}
