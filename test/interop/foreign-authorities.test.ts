/**
 * Public key infrastructures that exist, in the shapes of kubeadm, cfssl, step and of openssl itself, made by openssl: opened, continued with the names that
 * they had, and judged by openssl and Go. What is no authority, or is not what it was passed for, is refused with its reason.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isCi } from '../../scripts/fetch-etcd.mjs'
import type { ErrorCode } from '../../src/errors.js'
import {
  checkMaterial, createCsr, days, generateKeyPair, inspectCertificate, issueClient, issuePeer, issueServer, openCa, openPrivateKey, recordOf, type Authority, type Issued, type Purpose,
} from '../../src/pki/index.js'
import { readPem, writePem } from '../../src/pki/pem.js'
import { definePolicy } from '../../src/policy/index.js'
import { goVersion } from '../support/go-build.js'
import { buildJudge, judge } from '../support/go-judge.js'
import { openOpenssl, opensslVersion, type Openssl } from '../support/openssl.js'
import { rejected } from '../support/pki.js'

const { crypto } = globalThis
const [version, go] = await Promise.all([opensslVersion(), goVersion()])
if (version === undefined) console.warn('foreign authorities: did not run, there is no openssl here')

test('openssl is here to make the authorities of others, where CI runs', () => {
  if (isCi()) expect(version).toBeDefined()
})

const policy = definePolicy({
  users: { root: 'certificate', 'kube-apiserver-etcd-client': 'certificate', 'kube-etcd-healthcheck-client': 'certificate' },
  members: ['node-1'],
  authorities: ['etcd-ca', 'etcd-root', 'etcd-below'],
  v3: { roles: {}, bindings: { root: ['root'] } },
})

const CONFIGURATION = `[req]
distinguished_name = none
[none]
# kubeadm (pkiutil.NewCertificateAuthority): the name as SAN, and uses of a leaf beside keyCertSign
[kubeadm]
basicConstraints = critical,CA:TRUE
keyUsage = critical,digitalSignature,keyEncipherment,keyCertSign
subjectKeyIdentifier = hash
subjectAltName = DNS:etcd-ca
[kubeadm-member]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth,clientAuth
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost,DNS:node-1,IP:192.168.0.10,IP:127.0.0.1,IP:::1
[kubeadm-client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
# cfssl gencert -initca
[cfssl]
keyUsage = critical,keyCertSign,cRLSign
basicConstraints = critical,CA:TRUE
subjectKeyIdentifier = hash
# openssl req -x509 with its own defaults, and the one extension without which nothing is an authority here
[openssl]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer
basicConstraints = critical,CA:TRUE
keyUsage = keyCertSign
# step ca init
[step-root]
keyUsage = critical,keyCertSign,cRLSign
basicConstraints = critical,CA:TRUE,pathlen:1
subjectKeyIdentifier = hash
[step-intermediate]
keyUsage = critical,keyCertSign,cRLSign
basicConstraints = critical,CA:TRUE,pathlen:0
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
# a chain whose issuer is named by name and serial number as well
[wordy]
keyUsage = critical,keyCertSign,cRLSign
basicConstraints = critical,CA:TRUE,pathlen:0
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer:always
[none-at-all]
`

let folder: Openssl
let binary: string
beforeAll(async () => {
  folder = await openOpenssl()
  await folder.write('shapes.cnf', CONFIGURATION)
  if (go !== undefined) binary = await buildJudge(go)
})
afterAll(() => folder.remove())

type KeyForm = 'PKCS#1' | 'SEC 1' | 'PKCS#8'
const algorithms: Readonly<Record<KeyForm, readonly string[]>> = {
  'PKCS#1': ['genrsa', '-traditional', '-out', 'KEY', '2048'],
  'SEC 1': ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'KEY'],
  'PKCS#8': ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'KEY'],
}
const newKey = (name: string, form: KeyForm): Promise<void> => folder.must(...algorithms[form].map((arg) => (arg === 'KEY' ? `${name}.key` : arg)))
const selfSign = (name: string, subject: string, section: string, ...args: readonly string[]): Promise<void> =>
  folder.must('req', '-x509', '-new', '-key', `${name}.key`, '-subj', subject, '-days', '3650', '-config', 'shapes.cnf', '-extensions', section, ...args, '-out', `${name}.pem`)
let serials = 0
async function sign(name: string, subject: string, by: string, section: string): Promise<void> {
  await folder.must('req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`)
  await folder.must('x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-set_serial', String(++serials), '-days', '365', '-extfile', 'shapes.cnf', '-extensions', section, '-out', `${name}.pem`)
}
const open = async (name: string, parents?: string): Promise<Authority<Purpose>> => {
  const { signer } = await openPrivateKey(crypto, await folder.read(`${name}.key`))
  return openCa(crypto, { certificate: await folder.read(`${name}.pem`), signer, issues: ['client', 'server', 'peer'], now: new Date(), ...(parents === undefined ? {} : { parents }) })
}
const csrOf = async (): Promise<string> => createCsr(crypto, { signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer })
const validityOf = ({ notBefore }: Authority) => ({ notBefore, notAfter: days(30).from(notBefore).notAfter })

/** That openssl and Go take a chain for both purposes, or for clients alone. */
async function judged({ certificate, chain }: Pick<Issued, 'certificate' | 'chain'>, root: string, usages: readonly string[]): Promise<void> {
  await folder.write('leaf', certificate)
  await folder.write('above', chain.slice(certificate.length))
  await folder.write('top', root)
  const untrusted = chain === certificate ? [] : ['-untrusted', 'above']
  for (const [purpose, usage] of [['sslserver', 'serverAuth'], ['sslclient', 'clientAuth']] as const) {
    const { leaf } = await folder.verify(['leaf'], '-purpose', purpose, '-CAfile', 'top', ...untrusted)
    expect(leaf === 'OK', `${purpose}: ${String(leaf)}`).toBe(usages.includes(usage))
  }
  if (go === undefined) return
  const [verdict] = await judge(binary, [{ certificate, authority: root, intermediates: chain.slice(certificate.length), hosts: [] }])
  expect(Object.entries(verdict!.chain).filter(([, reason]) => reason === '').map(([usage]) => usage).toSorted()).toEqual([...usages].toSorted())
}

if (version !== undefined) {
  test('what kubeadm made for etcd is opened, found good, and continued with its Common Names and hosts', async () => {
    await newKey('ca', 'PKCS#1')
    await selfSign('ca', '/CN=etcd-ca', 'kubeadm')
    const leaves = [
      ['server', '/CN=node-1', 'kubeadm-member'],
      ['peer', '/CN=node-1', 'kubeadm-member'],
      ['healthcheck-client', '/CN=kube-etcd-healthcheck-client', 'kubeadm-client'],
      ['apiserver-etcd-client', '/O=system:masters/CN=kube-apiserver-etcd-client', 'kubeadm-client'],
    ] as const
    for (const [name, subject, section] of leaves) {
      await newKey(name, 'PKCS#1')
      await sign(name, subject, 'ca', section)
    }
    const ca = await open('ca')
    const trusted = await folder.read('ca.pem')
    expect(ca.certificate).toBe(trusted)
    const common = { policy, now: new Date(Date.now() + 60_000), trusted }
    for (const [name] of leaves) {
      const certificate = await folder.read(`${name}.pem`)
      const key = await folder.read(`${name}.key`)
      const facts = await inspectCertificate(crypto, certificate)
      const request = { policy, csr: await csrOf(), validity: validityOf(ca) }
      if (name === 'server' || name === 'peer') {
        const urls = ['https://192.168.0.10:2379', 'https://127.0.0.1:2379', 'https://node-1:2379', 'https://[::1]:2379']
        expect(await checkMaterial(crypto, { ...common, purpose: name, member: 'node-1', certificate, key, urls })).toEqual([])
        const { hosts } = recordOf(facts, { purpose: name, member: 'node-1' }) as { readonly hosts: readonly string[] }
        const next = await (name === 'server' ? issueServer : issuePeer)(ca, { ...request, member: 'node-1', commonName: 'node-1', hosts })
        expect(await inspectCertificate(crypto, next.certificate)).toMatchObject({ commonName: 'node-1', hosts: facts.hosts, authority: 'etcd-ca', authorityKeyId: facts.authorityKeyId })
        await judged(next, trusted, ['clientAuth', 'serverAuth'])
      } else {
        const user = facts.commonName as 'kube-apiserver-etcd-client'
        expect(await checkMaterial(crypto, { ...common, purpose: 'client', user, certificate, key })).toEqual([])
        const next = await issueClient(ca, { ...request, user })
        expect(next.record).toMatchObject({ user, authority: 'etcd-ca', authorityKeyId: facts.authorityKeyId })
        await judged(next, trusted, ['clientAuth'])
      }
    }
  })

  test.each<[string, KeyForm, string, string]>([
    ['cfssl', 'SEC 1', '/C=US/L=San Francisco/O=etcd/OU=infrastructure/CN=etcd-ca', 'cfssl'],
    ['cfssl with RSA', 'PKCS#1', '/C=US/O=etcd/CN=etcd-ca', 'cfssl'],
    ['openssl', 'PKCS#8', '/O=etcd/CN=etcd-ca', 'openssl'],
  ])('a root as %s makes it, with a key in %s, is opened and issues what others take', async (_, form, subject, section) => {
    await newKey('ca', form)
    await selfSign('ca', subject, section)
    const ca = await open('ca')
    const request = { policy, csr: await csrOf(), validity: validityOf(ca) }
    await judged(await issueClient(ca, { ...request, user: 'root' }), ca.root, ['clientAuth'])
    await judged(await issueServer(ca, { ...request, member: 'node-1', hosts: ['node-1'] }), ca.root, ['clientAuth', 'serverAuth'])
  })

  test.each<[string, string]>([['step', 'step-intermediate'], ['a tool that names the issuer in full', 'wordy']])('an intermediate as %s makes it is opened with its root, and issues chains that others take', async (_, section) => {
    await newKey('top', 'SEC 1')
    await newKey('low', 'SEC 1')
    await selfSign('top', '/O=Smallstep/CN=etcd-root', 'step-root')
    await sign('low', '/O=Smallstep/CN=etcd-below', 'top', section)
    const root = await folder.read('top.pem')
    const ca = await open('low', root)
    expect([ca.root, ca.parents]).toEqual([root, root])
    const request = { policy, csr: await csrOf(), validity: validityOf(ca) }
    await judged(await issueClient(ca, { ...request, user: 'root' }), root, ['clientAuth'])
    const server = await issueServer(ca, { ...request, member: 'node-1', hosts: ['node-1'] })
    expect(server.chain).toBe(server.certificate + ca.certificate)
    await judged(server, root, ['clientAuth', 'serverAuth'])
  })

  describe('openCa refuses', () => {
    beforeAll(async () => {
      for (const name of ['ca', 'leaf-of-ca', 'stranger', 'young']) await newKey(name, 'PKCS#8')
      await selfSign('ca', '/CN=etcd-ca', 'cfssl')
      await selfSign('stranger', '/CN=etcd-ca', 'cfssl')
      await sign('leaf-of-ca', '/CN=etcd-below', 'ca', 'kubeadm-client')
    })
    const openWith = async (certificate: string, key = 'ca', more: { readonly now?: Date; readonly parents?: string } = {}) => {
      const { signer } = await openPrivateKey(crypto, await folder.read(`${key}.key`))
      return openCa(crypto, { certificate, signer, issues: ['client'], ...more })
    }
    const read = (name: string): Promise<string> => folder.read(`${name}.pem`)

    const cases: readonly (readonly [title: string, code: ErrorCode, reason: string, run: () => Promise<unknown>])[] = [
      ['a leaf', 'ERR_CERTIFICATE_INVALID', 'not an authority', async () => openWith(await read('leaf-of-ca'), 'leaf-of-ca', { parents: await read('ca') })],
      ['a self-signed certificate without extensions', 'ERR_CERTIFICATE_INVALID', 'not an authority', async () => {
        await folder.must('req', '-x509', '-new', '-key', 'young.key', '-subj', '/CN=etcd-ca', '-config', 'shapes.cnf', '-extensions', 'none-at-all', '-out', 'young.pem')
        return openWith(await read('young'), 'young')
      }],
      ['an expired authority', 'ERR_CERTIFICATE_INVALID', 'expired at', async () => openWith(await read('ca'), 'ca', { now: days(3651).from(new Date()).notAfter })],
      ['an authority that is not valid yet', 'ERR_CERTIFICATE_INVALID', 'not valid before', async () => openWith(await read('ca'), 'ca', { now: new Date(Date.now() - 86_400_000) })],
      ['the key of another', 'ERR_KEY_MISMATCH', 'two halves', async () => openWith(await read('ca'), 'stranger')],
      ['a trailing byte', 'ERR_DER_INVALID', 'trailing', async () => openWith(writePem('certificate', Uint8Array.of(...readPem('certificate', await read('ca')), 0)))],
      ["OpenSSL's own label", 'ERR_PEM_INVALID', 'TRUSTED CERTIFICATE', async () => {
        await folder.must('x509', '-in', 'ca.pem', '-trustout', '-out', 'labelled.pem')
        return openWith(await read('labelled'))
      }],
      ['text before the block', 'ERR_PEM_INVALID', 'does not begin', async () => {
        await folder.must('x509', '-in', 'ca.pem', '-text', '-out', 'text.pem')
        return openWith(await read('text'))
      }],
      ['two certificates where one is expected', 'ERR_PEM_INVALID', 'more than one', async () => openWith((await read('ca')) + (await read('stranger')))],
      ['no certificate', 'ERR_PEM_INVALID', 'no PEM block', async () => openWith('')],
      ['its key for its certificate', 'ERR_PEM_INVALID', 'labelled', async () => openWith(await folder.read('ca.key'))],
      ['another root of the same name above it', 'ERR_CERTIFICATE_INVALID', 'signature', async () => {
        await sign('young', '/CN=etcd-below', 'ca', 'step-intermediate')
        return openWith(await read('young'), 'young', { parents: await read('stranger') })
      }],
    ]
    test.each(cases)('%s (%s)', async (_, code, reason, run) => {
      expect((await rejected(code, run())).message).toContain(reason)
    })
  })
}
