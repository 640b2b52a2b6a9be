/**
 * A fetch over `node:https` that presents a client certificate: the platform's own fetch takes none.
 */
import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'

/** What a client shows and trusts, as PEM; all of it may be absent for plain http. */
export interface HttpsFetchOptions {
  readonly ca?: string | readonly string[]
  readonly cert?: string
  readonly key?: string
}

export interface HttpsRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
}

export interface HttpsResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

export interface HttpsFetch {
  (url: string | URL, request?: HttpsRequest): Promise<HttpsResponse>
  /** Closes the kept connections. */
  close(): void
}

/**
 * Never follows a redirect. What breaks the connection rejects with Node's own error, its `code` kept; the abort of the signal
 * rejects with an `AbortError`.
 */
export function httpsFetch({ ca, cert, key }: HttpsFetchOptions = {}): HttpsFetch {
  const plain = new HttpAgent({ keepAlive: true })
  const secure = new HttpsAgent({
    keepAlive: true,
    ...(ca === undefined ? {} : { ca: [ca].flat() }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  })

  const fetch = (url: string | URL, { method = 'GET', headers = {}, body, signal }: HttpsRequest = {}): Promise<HttpsResponse> =>
    new Promise((resolve, reject) => {
      const target = new URL(url)
      // Stated, because Node states no length for the body of a DELETE, and the server would read it as the next request.
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
      const options = { method, headers: { ...length, ...headers } }
      const request =
        target.protocol === 'https:'
          ? requestHttps(target, { ...options, agent: secure })
          : requestHttp(target, { ...options, agent: plain })
      // Not by Node's own `signal`: it destroys a connection whose answer has arrived, too, and nobody hears the error that this makes.
      let answer: IncomingMessage | undefined
      const abort = (): void => {
        if (answer?.complete !== true) request.destroy(new DOMException('This operation was aborted', 'AbortError'))
      }
      request.on('response', (message) => {
        answer = message
        resolve(responseOf(message))
      })
      request.on('close', () => signal?.removeEventListener('abort', abort))
      request.on('error', reject)
      if (signal?.aborted) abort()
      else signal?.addEventListener('abort', abort)
      request.end(body)
    })
  const close = (): void => {
    plain.destroy()
    secure.destroy()
  }
  return Object.assign(fetch, { close })
}

function responseOf(message: IncomingMessage): HttpsResponse {
  // Read at once: a body that nobody asks for would keep its connection from the next request.
  const text = readAll(message)
  text.catch(() => {})
  return {
    status: message.statusCode ?? 0,
    headers: {
      get: (name) => {
        const value = message.headers[name.toLowerCase()]
        return value === undefined ? null : [value].flat().join(', ')
      },
    },
    text: () => text,
  }
}

async function readAll(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
