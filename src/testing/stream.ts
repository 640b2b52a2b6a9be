/** Streams in the shape of gRPC's. */
import { CANCELLED, DEADLINE_EXCEEDED, toStreamError } from './grpc-error.js'
import { callEnd, type Line } from './line.js'
import type { CallOptions } from './calls.js'

/** What a stream tells its listeners, by event. `status` is told at the end, whatever the end is. */
export interface StreamEvents<Reply> {
  readonly data: Reply
  readonly error: Error
  readonly end: undefined
  readonly status: { readonly code: number; readonly details: string }
}

/** etcd3's `IDuplexStream` by structure: a stream of gRPC that both sides write to. */
export interface MemoryStream<Request, Reply> {
  /** Whether it can still be written to. */
  readonly writable: boolean
  /** Has a listener told of an event, behind those that are there already. */
  on<Event extends keyof StreamEvents<Reply>>(event: Event, listener: (value: StreamEvents<Reply>[Event]) => void): this
  /** Sends a message, behind those that are under way. What is wrong with it, and what it is refused with, ends the stream with an `error`. */
  write(message: Request): void
  /** Says that nothing more will be sent. A stream of leases ends then; one of watches goes on, as in etcd, until it is cancelled. */
  end(): void
  /** Breaks it off, with the error `1 CANCELLED: Cancelled on client`. */
  cancel(): void
}

/** The other end of a stream. */
export interface Handler<Request, Reply> {
  /** Takes a message; what it resolves to is said at once. Rejects with what ends the stream. */
  readonly take: (message: Request) => Promise<readonly Reply[]>
  /** What there is to say by itself. */
  readonly news: () => readonly Reply[]
  /** Why it cannot go on. */
  readonly broken: () => Error | undefined
  /** Called when it is over. */
  readonly closed: () => void
  /** Whether it ends when nothing more will be sent. */
  readonly endsWithClient: boolean
}

/** Opens a stream. */
export function openStream<Request, Reply>(line: Line, handler: Handler<Request, Reply>, options: CallOptions | undefined): MemoryStream<Request, Reply> {
  const listeners: { readonly event: keyof StreamEvents<Reply>; readonly listener: (value: never) => void }[] = []
  let isWritable = true
  let isOver = false
  /** The messages that are under way. */
  let underWay: Promise<void> | undefined
  /** What is said is said in its turn, and not before its cause has gone on. */
  let turn: Promise<unknown> = Promise.resolve()
  const later = (run: () => void): void => {
    // What a listener throws is nobody's to catch, and keeps the others from nothing.
    turn = turn.then(run).catch((error: unknown) => void Promise.reject(error as Error))
  }
  const emit = <Event extends keyof StreamEvents<Reply>>(event: Event, value: StreamEvents<Reply>[Event]): void => {
    for (const { listener } of listeners.filter((one) => one.event === event)) listener(value as never)
  }
  const finish = (error: Error | undefined): void => {
    if (isOver) return
    isOver = true
    isWritable = false
    line.streams.delete(source)
    cancelDeadline()
    handler.closed()
    const { code = 2, details = '' } = (error ?? { code: 0 }) as { readonly code?: number; readonly details?: string }
    if (error) later(() => emit('error', error))
    later(() => emit('status', { code, details }))
    later(() => emit('end', undefined))
  }
  const say = (replies: readonly Reply[]): void => {
    if (!isOver) replies.forEach((reply) => later(() => emit('data', reply)))
  }
  const source = {
    pump: () => {
      const error = handler.broken()
      if (error) finish(error)
      else say(handler.news())
    },
  }
  line.streams.add(source)
  const cancelDeadline = callEnd(line, options, () => finish(toStreamError(DEADLINE_EXCEEDED))).cancel
  return {
    get writable() {
      return isWritable
    },
    on(event, listener) {
      listeners.push({ event, listener })
      return this
    },
    write: (message) => {
      if (!isWritable) {
        if (!isOver) later(() => emit('error', Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' })))
        return
      }
      const take = (): Promise<void> => handler.take(message).then(say, finish)
      const taken = (underWay ? underWay.then(take) : take()).then(() => {
        if (underWay === taken) underWay = undefined
      })
      underWay = taken
    },
    end: () => {
      isWritable = false
      if (handler.endsWithClient) void (underWay ?? Promise.resolve()).then(() => finish(undefined))
    },
    cancel: () => finish(toStreamError(CANCELLED)),
  }
}
