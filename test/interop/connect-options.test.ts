/** Clients of Node and of gRPC, connected by what is told to them, are on a real etcd whoever their certificate names. */
import { createRequire } from 'node:module'
import { Agent, request } from 'node:https'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { grpcChannels, httpsAgentOptions, undiciConnectOptions } from '../../src/auth/index.js'
import { definePolicy } from '../../src/policy/index.js'
import { testLanes } from '../support/cluster.js'
import { startMember } from '../support/one-member.js'

interface GrpcClient {
  makeUnaryRequest(path: string, serialize: (bytes: Buffer) => Buffer, parse: (bytes: Buffer) => Buffer, message: Buffer, options: object, done: (error: Error | null, answer?: Buffer) => void): void
  close(): void
}
/** The one that etcd3 brings along. */
const grpc = createRequire(createRequire(import.meta.url).resolve('etcd3'))('@grpc/grpc-js') as {
  readonly Client: new (target: string, credentials: object, options: object) => GrpcClient
  readonly credentials: { createSsl(...ssl: readonly unknown[]): object }
}

const policy = definePolicy({ users: { root: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'], v3: { roles: {}, bindings: { root: ['root'] } } })

function answered(url: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => response.resume().on('end', () => resolve(response.statusCode))).on('error', reject).end()
  })
}

function handshake(port: number, options: object): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ...options }, () => socket.write('GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'))
    socket.on('data', (bytes: Buffer) => resolve(bytes.toString('latin1').startsWith('HTTP/1.1 200'))).on('error', reject).on('end', () => reject(new Error('ended without an answer')))
  })
}

function call(channel: ReturnType<typeof grpcChannels>[number] | undefined, path: string): Promise<Buffer> {
  if (channel === undefined) throw new Error('no channel')
  const client = new grpc.Client(channel.target, grpc.credentials.createSsl(...(channel.ssl as readonly unknown[])), channel.options)
  const same = (bytes: Buffer): Buffer => bytes
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, Buffer.alloc(0), { deadline: Date.now() + 10_000 }, (error, answer) => (error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error)))
  }).finally(() => client.close())
}

test.each((await testLanes()).slice(-1))('https, TLS as undici opens it, and gRPC reach etcd $version with the certificate, and not without, nor where another CA is trusted', { timeout: 60_000 }, async (lane) => {
  const member = await startMember({ lane, policy, user: 'root' })
  try {
    const own = { ca: member.material.servers.certificate, certificate: member.user.certificate, key: member.user.key }
    const nobody = { ca: own.ca }
    const foreign = { ...own, ca: member.material.peers.certificate }
    const port = Number(new URL(member.client).port)
    const agents = [own, nobody, foreign].map((material) => new Agent(httpsAgentOptions(material)))
    expect(await answered(`${member.client}/health`, agents[0]!)).toBe(200)
    await expect(answered(`${member.client}/health`, agents[1]!)).rejects.toThrow(/alert|ECONNRESET|socket hang up/i)
    await expect(answered(`${member.client}/health`, agents[2]!)).rejects.toThrow(/certificate/)
    for (const agent of agents) agent.destroy()

    expect(await handshake(port, undiciConnectOptions(own))).toBe(true)
    await expect(handshake(port, undiciConnectOptions(nobody))).rejects.toThrow(/alert|ECONNRESET|ended/i)
    await expect(handshake(port, undiciConnectOptions(foreign))).rejects.toThrow(/certificate/)

    const status = '/etcdserverpb.Maintenance/Status'
    expect((await call(grpcChannels({ hosts: member.client, ...own })[0], status)).toString('latin1')).toContain(lane.version)
    await expect(call(grpcChannels({ hosts: member.client, ...nobody })[0], status)).rejects.toThrow(/UNAVAILABLE/)
    await expect(call(grpcChannels({ hosts: member.client, ...foreign })[0], status)).rejects.toThrow(/UNAVAILABLE/)
  } finally {
    await member.stop()
  }
})
