// One thread of a fuzzing run: takes a range of message numbers, says how they went. The first message of a range that breaks a
// property ends the range.

import { parentPort } from 'node:worker_threads'
import { makeInput } from './input.ts'
import { check } from './properties.ts'
import type { Fate } from './properties.ts'

export interface Range {
  readonly seed: number
  readonly from: number
  readonly to: number
}

export interface RangeResult {
  readonly checked: number
  /** How many of them are SIP messages. */
  readonly messages: number
  readonly fates: Readonly<Record<Fate, number>>
  readonly characters: number
  readonly failure: { readonly number: number; readonly text: string } | null
}

export function checkRange({ seed, from, to }: Range): RangeResult {
  const fates = { forwarded: 0, answered: 0, dropped: 0 }
  let messages = 0
  let characters = 0
  for (let number = from; number < to; number++) {
    const input = makeInput(seed, number)
    characters += input.text.length
    try {
      const { fate, isMessage } = check(input)
      fates[fate]++
      if (isMessage) messages++
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { checked: number - from, messages, fates, characters, failure: { number, text } }
    }
  }
  return { checked: to - from, messages, fates, characters, failure: null }
}

const port = parentPort
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
port?.on('message', (range: Range) => port.postMessage(checkRange(range)))
