import { describe, expect, it } from 'vitest'
import { fromBase64, fromUtf8 } from '../../../src/bytes.js'
import { renderCalico, renderClient, renderKubeApiserver, toCommand, toJson, type ClientProgram } from '../../../src/render/index.js'
import { distinctPaths } from '../../../src/render/distinct-paths.js'
import { publicFile } from '../../../src/render/material.js'
import { certificate, clientsAuthority, codeOf, keyed, privateKey, serversAuthority } from './fixture.js'

const endpoints = ['https://10.0.0.10:2379', 'https://10.0.0.11:2379']
const client = keyed({ issuer: 'etcd-clients', subject: 'calico-node', key: 'node' })
const onHost = { endpoints, client, serverAuthority: serversAuthority, certificatesDirectory: '/etc/calico/tls' }

describe('kube-apiserver', () => {
  const named = ['--etcd-servers=https://10.0.0.10:2379,https://10.0.0.11:2379', '--etcd-cafile=/etc/calico/tls/etcd-ca.crt', '--etcd-certfile=/etc/calico/tls/apiserver-etcd-client.crt', '--etcd-keyfile=/etc/calico/tls/apiserver-etcd-client.key']

  it('is told its members, authority, certificate and key', () => {
    const { arguments: args, files } = renderKubeApiserver({ ...onHost, compaction: 'apiserver' })
    expect(toCommand(args)).toEqual(named)
    expect(files.map(({ path, mode }) => [path, mode])).toEqual([
      ['/etc/calico/tls/etcd-ca.crt', 0o644], ['/etc/calico/tls/apiserver-etcd-client.crt', 0o644], ['/etc/calico/tls/apiserver-etcd-client.key', 0o600],
    ])
  })
  it('leaves compaction to etcd where it has no role root', () => {
    expect(toCommand(renderKubeApiserver({ ...onHost, compaction: 'etcd' }).arguments)).toEqual([...named, '--etcd-compaction-interval=0'])
  })
  it('has another prefix where told', () => {
    expect(toCommand(renderKubeApiserver({ ...onHost, compaction: 'apiserver', keyPrefix: '/clusters/a/' }).arguments)).toEqual([...named, '--etcd-prefix=/clusters/a'])
  })
  it.each(['/', '', '/registry', 'registry/', '/a b/', '/a\n/', '//', '/./', '/../', '/a/../', '/a/./b/', '/registry//'])('is refused with prefix %j', (keyPrefix) => {
    expect(codeOf(() => renderKubeApiserver({ ...onHost, compaction: 'etcd', keyPrefix }))).toBe('ERR_RENDER_REFUSED')
  })
  it('has no default for who compacts', () => {
    expect(() => renderKubeApiserver(onHost as never)).toThrow(TypeError)
  })
})

describe('a client on a host', () => {
  const paths = ['/etc/calico/tls/etcd-ca.crt', '/etc/calico/tls/support.crt', '/etc/calico/tls/support.key']
  it.each<[ClientProgram, readonly string[], Record<string, string>]>([
    ['etcdctl', ['ETCDCTL_ENDPOINTS', 'ETCDCTL_CACERT', 'ETCDCTL_CERT', 'ETCDCTL_KEY'], {}],
    ['etcdctl 3.3', ['ETCDCTL_ENDPOINTS', 'ETCDCTL_CACERT', 'ETCDCTL_CERT', 'ETCDCTL_KEY'], { ETCDCTL_API: '3' }],
    ['etcdctl v2', ['ETCDCTL_ENDPOINTS', 'ETCDCTL_CA_FILE', 'ETCDCTL_CERT_FILE', 'ETCDCTL_KEY_FILE'], { ETCDCTL_API: '2' }],
    ['calico', ['ETCD_ENDPOINTS', 'ETCD_CA_CERT_FILE', 'ETCD_CERT_FILE', 'ETCD_KEY_FILE'], { DATASTORE_TYPE: 'etcdv3' }],
    ['felix', ['FELIX_ETCDENDPOINTS', 'FELIX_ETCDCAFILE', 'FELIX_ETCDCERTFILE', 'FELIX_ETCDKEYFILE'], { FELIX_DATASTORETYPE: 'etcdv3' }],
    ['typha', ['TYPHA_ETCDENDPOINTS', 'TYPHA_ETCDCAFILE', 'TYPHA_ETCDCERTFILE', 'TYPHA_ETCDKEYFILE'], { TYPHA_DATASTORETYPE: 'etcdv3' }],
  ])('runs %s with its own names of the variables', (program, names, fixed) => {
    const { environment, files, directories } = renderClient({ ...onHost, program, name: 'support' })
    const values = [endpoints.join(), ...paths]
    expect(environment).toEqual({ ...fixed, ...Object.fromEntries(names.map((name, index) => [name, values[index]])) })
    expect(files.map(({ path }) => path)).toEqual(paths)
    expect(directories).toEqual([{ path: '/etc/calico/tls', mode: 0o700 }])
  })

  it.each(['../root', 'a/b', '', '-x', 'a b', 'a\n'])('has no file named %j', (name) => {
    expect(codeOf(() => renderClient({ ...onHost, program: 'calico', name }))).toBe('ERR_RENDER_REFUSED')
  })
  it('writes no file over another: its certificate would take the place of the authority', () => {
    expect(() => renderClient({ ...onHost, program: 'calico', name: 'etcd-ca' })).toThrow('/etc/calico/tls/etcd-ca.crt')
    expect(codeOf(() => renderClient({ ...onHost, program: 'calico', name: 'etcd-ca' }))).toBe('ERR_RENDER_REFUSED')
    expect(renderClient({ ...onHost, program: 'calico', name: 'etcd-ca.crt' }).files).toHaveLength(3)
  })
  it.each(['bash', '__proto__', 'constructor', undefined])('is a TypeError for program %j', (program) => {
    expect(() => renderClient({ ...onHost, program: program as 'calico', name: 'x' })).toThrow(TypeError)
  })
})

describe('Calico on Kubernetes', () => {
  const options = { endpoints, serverAuthority: serversAuthority, clients: { node: client }, sharedEtcd: true }
  const decoded = (data: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(data).map(([name, text]) => [name, fromUtf8(fromBase64(text) ?? new Uint8Array())]))

  it('has the keys about etcd of calico-config', () => {
    expect(renderCalico(options).configMap).toEqual({
      apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'calico-config', namespace: 'kube-system' },
      data: { etcd_endpoints: endpoints.join(), etcd_ca: '/calico-secrets/etcd-ca', etcd_cert: '/calico-secrets/etcd-cert', etcd_key: '/calico-secrets/etcd-key' },
    })
  })

  it('has calico-etcd-secrets with the PEM in base64', () => {
    const [secret] = renderCalico(options).secrets
    expect(secret).toMatchObject({ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name: 'calico-etcd-secrets', namespace: 'kube-system' } })
    expect(decoded(secret?.data ?? ({}))).toEqual({ 'etcd-ca': serversAuthority, 'etcd-cert': client.certificate, 'etcd-key': client.key })
  })

  it('gives each component its own Secret where it has its own certificate', () => {
    const controllers = keyed({ issuer: 'etcd-clients', subject: 'kube-controllers', key: 'controllers' })
    const { secrets, volumes, notes } = renderCalico({ ...options, clients: { node: client, kubeControllers: controllers, cniPlugin: keyed({ issuer: 'etcd-clients', subject: 'cni', key: 'cni' }) } })
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual(['calico-etcd-secrets', 'calico-kube-controllers-etcd-secrets', 'calico-cni-etcd-secrets'])
    expect(decoded(secrets[1]?.data ?? ({}))['etcd-key']).toBe(controllers.key)
    expect(Object.values(volumes).map(({ secret }) => secret)).toEqual([
      { secretName: 'calico-etcd-secrets', defaultMode: 0o400 }, { secretName: 'calico-kube-controllers-etcd-secrets', defaultMode: 0o440 }, { secretName: 'calico-cni-etcd-secrets', defaultMode: 0o400 },
    ])
    expect(notes.join()).not.toContain('has its rights')
  })

  it('says whose rights a component has that borrows a certificate, and lets kube-controllers read it', () => {
    const { volumes, notes } = renderCalico(options)
    expect(volumes.kubeControllers.secret).toEqual({ secretName: 'calico-etcd-secrets', defaultMode: 0o440 })
    expect(notes.filter((note) => note.includes('has its rights'))).toHaveLength(2)
  })

  it('does not compact an etcd that it shares', () => {
    expect(renderCalico(options).kubeControllersEnvironment).toEqual({ COMPACTION_PERIOD: '0' })
    expect(renderCalico({ ...options, sharedEtcd: false }).kubeControllersEnvironment).toEqual({})
  })

  it('is JSON that kubectl takes, the same each time, with the mode as a number', () => {
    expect(toJson(renderCalico(options).configMap)).toBe(toJson(renderCalico(options).configMap))
    expect(JSON.parse(toJson(renderCalico(options).volumes.node))).toEqual({ name: 'etcd-certs', secret: { secretName: 'calico-etcd-secrets', defaultMode: 256 } })
    expect(toJson({ a: 1 })).toBe('{\n  "a": 1\n}\n')
  })

  it.each([
    ['an endpoint over http', { endpoints: ['http://10.0.0.10:2379'] }, 'ERR_RENDER_REFUSED'], ['no endpoints', { endpoints: [] }, 'ERR_RENDER_REFUSED'],
    ['a server certificate', { clients: { node: keyed({ issuer: 'etcd-servers', key: 'x', usages: ['serverAuth'] }) } }, 'ERR_RENDER_REFUSED'],
    ['an unknown component', { clients: { node: client, nodes: client } }, 'ERR_RENDER_REFUSED'],
    ['a key for an authority', { serverAuthority: privateKey('x') as never }, 'ERR_PEM_INVALID'], ['a certificate for a key', { clients: { node: { ...client, key: clientsAuthority as never } } }, 'ERR_PEM_INVALID'],
    ['text before the certificate', { clients: { node: { ...client, certificate: `x\n${certificate({ issuer: 'a', key: 'b' })}` } } }, 'ERR_PEM_INVALID'],
  ])('is refused with %s', (_, change, code) => {
    expect(codeOf(() => renderCalico({ ...options, ...change }))).toBe(code)
  })
  it('has no default for whether etcd is shared', () => {
    expect(() => renderCalico({ ...options, sharedEtcd: undefined } as never)).toThrow(TypeError)
  })
})

describe('what any renderer gives', () => {
  const result = (directories: readonly string[], files: readonly string[]) => ({ directories: directories.map((path) => ({ path, mode: 0o700 as const })), files: files.map((path) => publicFile(path, '')) })

  it.each([[[], []], [['/a'], ['/a/b', '/a/c']], [['/a', '/b'], ['/a/x', '/b/x']], [['/a', '/a/b'], ['/a/bc', '/a/b/c']], [[], ['/a/b', '/a/bc', '/a/B']]])('may be directories %j with files %j', (directories, files) => {
    const rendered = result(directories, files)
    expect(distinctPaths(rendered)).toBe(rendered)
  })
  it.each([[[], ['/a/b', '/a/b']], [['/a', '/a'], []], [['/a', '/a/b'], ['/a/b']], [['/a/b/c'], ['/a/b']], [[], ['/a/b/c', '/a/b']]])('is refused as directories %j with files %j: one would be in the place of another', (directories, files) => {
    expect(codeOf(() => distinctPaths(result(directories, files)))).toBe('ERR_RENDER_REFUSED')
  })
})
