// The part that src/host/sip-streams.ts has on a real machine: the connections of one life, named `life/serial`; messages
// framed by the product's own framer; what can't be sent comes back as `unsent`.

import type { Send } from '../src/replica/effect.ts'
import { StreamFramer } from '../src/sip/stream.ts'
import type { Flow } from '../src/wire/entry.ts'
import type { Agenda } from './agenda.ts'
import type { SipProcess, SocketAddress } from './sip-network.ts'

/** Sends that wait for one connection, as in src/host/limits.ts. */
const waitingMost = 1_000
/** A stopped process looks at its new connections when it goes on. */
const lookAgain = 10_000

/** The set's end of a connection. */
export interface SetEnd {
  readonly far: SocketAddress
  write(message: string): void
  /** This end resets it. */
  abort(): void
}

interface Held {
  readonly flow: Flow
  readonly end: SetEnd
  readonly framer: StreamFramer
  /** Not null until it is connected. */
  waiting: Send[] | null
}

export class StreamHost {
  readonly #agenda: Agenda
  readonly #listener: SipProcess
  readonly #connect: (to: SocketAddress, host: StreamHost) => SetEnd
  readonly #onRead: (text: string) => void
  readonly #byId = new Map<string, Held>()
  /** The newest connection with each far end. */
  readonly #byPlace = new Map<string, Held>()
  readonly #byEnd = new Map<SetEnd, Held>()
  #serial = 0

  constructor(
    agenda: Agenda,
    listener: SipProcess,
    connect: (to: SocketAddress, host: StreamHost) => SetEnd,
    onRead: (text: string) => void,
  ) {
    this.#agenda = agenda
    this.#listener = listener
    this.#connect = connect
    this.#onRead = onRead
  }

  get life(): string {
    return this.#listener.life
  }

  /** All its connections, in the order of their serials. */
  get ends(): readonly SetEnd[] {
    return [...this.#byEnd.keys()]
  }

  accepted(end: SetEnd): void {
    this.#add(end, null)
  }

  send(send: Send): void {
    const { flow } = send
    if (flow.stream !== '') {
      const held = this.#byId.get(flow.stream)
      if (held === undefined) this.#unsent(send, 'no-stream')
      else this.#sendOn(held, send)
      return
    }
    const open = this.#byPlace.get(place(flow)) ?? this.#add(this.#connect(flow, this), [])
    this.#sendOn(open, send)
  }

  connected(end: SetEnd): void {
    const held = this.#byEnd.get(end)
    if (held === undefined) return
    if (this.#listener.isAsleep) {
      this.#agenda.after(lookAgain, () => this.connected(end))
      return
    }
    const waiting = held.waiting ?? []
    held.waiting = null
    for (const send of waiting) this.#sendOn(held, send)
  }

  read(end: SetEnd, chunk: string): void {
    const held = this.#byEnd.get(end)
    if (held === undefined) return
    for (const event of held.framer.push(chunk)) {
      switch (event.kind) {
        case 'message':
          this.#onRead(event.text)
          this.#listener.deliver({ kind: 'sip', flow: held.flow, data: event.text })
          break
        case 'ping':
          end.write('\r\n')
          break
        case 'broken':
          this.#forget(held)
          end.abort()
          this.#listener.deliver({ kind: 'stream-closed', stream: held.flow.stream })
          return
      }
    }
  }

  /** The far end, or the network, ended it; or it was refused. */
  closed(end: SetEnd): void {
    const held = this.#byEnd.get(end)
    if (held === undefined) return
    this.#forget(held)
    for (const send of held.waiting ?? []) this.#unsent(send, 'unreachable')
    this.#listener.deliver({ kind: 'stream-closed', stream: held.flow.stream })
  }

  #add(end: SetEnd, waiting: Send[] | null): Held {
    const stream = `${this.#listener.life}/${++this.#serial}`
    const { host, port } = end.far
    const flow: Flow = { transport: 'tcp', host, port, stream }
    const held: Held = { flow, end, framer: new StreamFramer(), waiting }
    this.#byId.set(stream, held)
    this.#byPlace.set(place(flow), held)
    this.#byEnd.set(end, held)
    return held
  }

  #forget(held: Held): void {
    const { flow } = held
    this.#byId.delete(flow.stream)
    this.#byEnd.delete(held.end)
    if (this.#byPlace.get(place(flow)) === held) this.#byPlace.delete(place(flow))
  }

  #sendOn(held: Held, send: Send): void {
    if (this.#listener.now() > send.notAfter) return this.#unsent(send, 'late')
    if (held.waiting === null) held.end.write(send.data)
    else if (held.waiting.length < waitingMost) held.waiting.push(send)
    else this.#unsent(send, 'unreachable')
  }

  #unsent(send: Send, reason: 'late' | 'no-stream' | 'unreachable'): void {
    this.#listener.deliver({ kind: 'unsent', send, reason })
  }
}

function place({ host, port }: SocketAddress): string {
  return `${host} ${port}`
}
