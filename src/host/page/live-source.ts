/// <reference lib="dom" />
// The stream that the page lives on. A browser comes back by itself when a stream breaks; but not after an answer that is no stream
// (503: too many pages), nor when nothing comes and nothing breaks (a stopped process). Both are looked after here.

export interface LiveEvents {
  /** One server-sent event, its data read. */
  heard(event: string, data: unknown): void
  /** Whether it hears the set. */
  connected(isConnected: boolean): void
}

/** Ticks come each second. */
const SILENCE_MS = 6_000
const AGAIN_MS = 2_000

const EVENTS = ['hello', 'tick', 'failovers', 'call']

export class LiveSource {
  readonly #events: LiveEvents
  #source: EventSource | null = null
  #call = ''
  #heardAt = 0

  constructor(events: LiveEvents) {
    this.#events = events
    setInterval(() => this.#check(), 1_000)
  }

  /** Follows that call, too; empty = none. */
  open(call: string): void {
    this.#call = call
    this.#source?.close()
    const source = new EventSource(call === '' ? 'live' : `live?call=${encodeURIComponent(call)}`)
    this.#source = source
    this.#heardAt = performance.now()
    for (const event of EVENTS) {
      source.addEventListener(event, (message) => {
        if (this.#source !== source) return
        this.#heardAt = performance.now()
        this.#events.connected(true)
        this.#events.heard(event, JSON.parse((message as MessageEvent<string>).data))
      })
    }
    source.addEventListener('error', () => {
      if (this.#source !== source) return
      this.#events.connected(false)
    })
  }

  #check(): void {
    const silence = performance.now() - this.#heardAt
    const isClosed = this.#source?.readyState === EventSource.CLOSED
    if (silence < (isClosed ? AGAIN_MS : SILENCE_MS)) return
    this.#events.connected(false)
    this.open(this.#call)
  }
}
