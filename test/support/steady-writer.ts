/** A client that writes one key after the other, and reconnects and sends again as clients do: what was acknowledged to it must be there at the end. */
import { setTimeout as delay } from 'node:timers/promises'
import { Etcd3 } from 'etcd3'
import { etcd3Options } from '../../src/auth/index.js'

/** What a client shows and trusts. */
export interface Shown {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

export interface SteadyWriter {
  /** The keys whose writes were acknowledged, in order; each holds itself. */
  readonly acknowledged: readonly string[]
  /** How often a write failed and was sent again. */
  readonly sentAgain: number
  /** Resolves when one more write was acknowledged that was begun after this call. */
  progress(): Promise<void>
  /** Connects anew, with what is to be shown and trusted by then. */
  reconnect(): void
  end(): Promise<void>
}

export function startWriter(hosts: readonly string[], prefix: string, shown: () => Shown): SteadyWriter {
  const connect = (): Etcd3 => new Etcd3(etcd3Options({ hosts, ...shown() }))
  const acknowledged: string[] = []
  let [client, again, sentAgain, over] = [connect(), false, 0, false]
  const reopen = (): void => {
    client.close()
    client = connect()
    again = false
  }
  const write = async (key: string): Promise<void> => {
    while (!over) {
      if (again) reopen()
      try {
        await client.kv.put({ key: Buffer.from(key), value: Buffer.from(key) }, { deadline: Date.now() + 3_000 })
        acknowledged.push(key)
        return
      } catch {
        sentAgain++
        again = true
        // A member that is down refuses at once.
        await delay(10)
      }
    }
  }
  const work = (async () => {
    for (let number = 0; !over; number++) await write(`${prefix}${String(number).padStart(8, '0')}`)
  })()
  return {
    acknowledged,
    get sentAgain() {
      return sentAgain
    },
    progress: async () => {
      const wanted = acknowledged.length + 2
      while (acknowledged.length < wanted) await delay(5)
    },
    reconnect: () => {
      again = true
    },
    end: async () => {
      over = true
      await work
      client.close()
    },
  }
}
