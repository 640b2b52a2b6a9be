/** TCP between a client and a member, which ends TLS itself: a wire that can be cut. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Which way the bytes go that are the last. */
export type Way = 'request' | 'answer'

export interface Forwarder {
  /** For the client, in place of the member's. */
  readonly url: string
  /** Cuts all connections in the middle of the next bytes that go this way. */
  cutAt(way: Way): void
  /** How often that has happened. */
  cuts(): number
  stop(): Promise<void>
}

/** Forwards to the member at this URL. */
export async function startForwarder(member: string): Promise<Forwarder> {
  const sockets = new Set<Socket>()
  let last: Way | undefined
  let cuts = 0
  const pass = (from: Socket, to: Socket, way: Way): void => {
    sockets.add(from)
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    // That a connection breaks is what this is for: its end is dealt with above.
    from.on('error', () => undefined)
    from.on('data', (bytes) => {
      if (way !== last) return void to.write(bytes)
      last = undefined
      cuts++
      to.write(bytes.subarray(0, bytes.length / 2), () => {
        for (const socket of sockets) socket.destroy()
      })
    })
  }
  const server = createServer((near) => {
    const far = connect(Number(new URL(member).port), '127.0.0.1')
    pass(near, far, 'request')
    pass(far, near, 'answer')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    cutAt: (way) => {
      last = way
    },
    cuts: () => cuts,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
