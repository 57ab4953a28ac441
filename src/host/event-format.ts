// Server-sent events (HTML standard, 9.2) as this program writes and reads them: blocks of lines, each block ended by an empty one.
//
//   id: 4711.1                 the place after this event; what a client that comes back gives as Last-Event-ID
//   event: call-ended
//   data: {"id":"4711.1","event":"call-ended",...}
//
//   : caught up                nothing more is committed so far; the id alone moves the place on
//   id: 4712.0

export interface EventBlock {
  /** Null: it moves no place. */
  readonly id: string | null
  /** Empty: nothing but the place, or a comment. */
  readonly event: string
  readonly data: string
  readonly comment: string
}

export const CAUGHT_UP = 'caught up'

export function printBlock({ id, event, data, comment }: EventBlock): string {
  const lines = [
    ...(comment === '' ? [] : [`: ${comment}`]),
    ...(id === null ? [] : [`id: ${id}`]),
    ...(event === '' ? [] : [`event: ${event}`, `data: ${data}`]),
  ]
  return `${lines.join('\n')}\n\n`
}

/** What a replica tells of one event, with its id in it. */
export function eventBlock(id: string, text: string): EventBlock {
  const { event } = JSON.parse(text) as { readonly event: string }
  return { id, event, data: `{"id":"${id}",${text.slice(1)}`, comment: '' }
}

export function caughtUp(id: string): EventBlock {
  return { id, event: '', data: '', comment: CAUGHT_UP }
}

/** Reads blocks of what comes in pieces. */
export class BlockReader {
  #text = ''
  readonly #most: number

  /** `most`: characters of one block. */
  constructor(most: number) {
    this.#most = most
  }

  /** The blocks that are whole by now. Throws if one is too long. */
  push(piece: string): readonly EventBlock[] {
    const texts = (this.#text + piece).split('\n\n')
    this.#text = texts.pop() ?? ''
    if (this.#text.length > this.#most) throw new Error(`an event of more than ${this.#most} characters`)
    return texts.map(readBlock)
  }
}

function readBlock(text: string): EventBlock {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const at = line.indexOf(': ')
    if (at >= 0) fields.set(line.slice(0, at), line.slice(at + 2))
  }
  return {
    id: fields.get('id') ?? null,
    event: fields.get('event') ?? '',
    data: fields.get('data') ?? '',
    comment: fields.get('') ?? '',
  }
}
