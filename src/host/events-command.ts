// `holdfast events` and `holdfast cdr`: what was committed, and a record for each call that ended (decision 0032). Both follow a set
// over its replicas' deaths.

import { once } from 'node:events'
import type { CallEvent } from '../call/events.ts'
import { printAddress } from './address.ts'
import { follow } from './event-follower.ts'
import type { Followed } from './event-follower.ts'
import { operationError } from './operation.ts'
import { helpPage, readOptions, usageError } from './options.ts'
import type { Command } from './options.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { parsePlace } from '../replica/event-reads.ts'
import { readAdmin } from './settings.ts'

const OPTIONS = {
  admin: {
    takes: 'HOST:PORT[,HOST:PORT]',
    help: "up's admin address, or replicas': when one dies, the next is asked (127.0.0.1:8060)",
  },
  after: { takes: 'ID', help: 'go on after the event with that id (the oldest that is kept)' },
  follow: { takes: null, help: 'wait for what comes, until interrupted (ends with the newest)' },
} as const

const EVENTS: Command = {
  name: 'holdfast events',
  summary: 'what was committed: calls that start, ring, are answered and end, timers that fire; one JSON object a line',
  options: OPTIONS,
}

const CDR: Command = {
  name: 'holdfast cdr',
  summary: 'one record for each call that ended, once, whichever replicas die',
  options: { ...OPTIONS, json: { takes: null, help: 'one JSON object a line' } },
}

/** Null: nothing is printed of it. */
type Line = (event: Extract<Followed, { kind: 'event' }>) => string | null

export function eventsMain(args: readonly string[]): Promise<number> {
  return main(
    EVENTS,
    args,
    () =>
      ({ data }) =>
        data,
  )
}

export function cdrMain(args: readonly string[]): Promise<number> {
  return main(CDR, args, (isJson) => ({ id, event, data }) => {
    if (event !== 'call-ended') return null
    const record = recordOf(id, JSON.parse(data) as CallEnded)
    return isJson ? JSON.stringify(record) : recordLine(record)
  })
}

async function main(command: Command, args: readonly string[], lineOf: (isJson: boolean) => Line): Promise<number> {
  const given = readOptions(command, args)
  if (!given.ok) return usageError(command, given.error)
  if (given.value.has('help')) {
    process.stdout.write(helpPage(command))
    return 0
  }
  const urls = readUrls(given.value.get('admin') ?? '127.0.0.1:8060')
  if (!urls.ok) return usageError(command, urls.error)
  const after = given.value.get('after') ?? 'start'
  if (after !== 'start' && parsePlace(after) === null) {
    return usageError(command, `--after ${after}: give the id of an event, such as 4711.1`)
  }
  const line = lineOf(given.value.has('json'))
  const isFollowing = given.value.has('follow')
  let lost = 0
  try {
    for await (const followed of follow({ urls: () => urls.value, after })) {
      if (followed.kind === 'lost') {
        if (!isFollowing && ++lost >= urls.value.length) return operationError(command, nobody(followed))
        process.stderr.write(`${command.name}: ${followed.url}: ${followed.reason}; the next one is asked\n`)
      } else if (followed.kind === 'caught-up') {
        if (!isFollowing) return 0
      } else if (followed.event === 'gap') process.stderr.write(`${command.name}: ${followed.data}\n`)
      else {
        const text = line(followed)
        if (text !== null && !process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain')
      }
    }
    return 0
  } catch (error) {
    return operationError(command, (error as Error).message)
  }
}

function nobody({ url, reason }: Extract<Followed, { kind: 'lost' }>): string {
  return `nobody answers at ${url} (${reason}): does holdfast up run there? --admin HOST:PORT names another`
}

function readUrls(text: string): Result<readonly string[], string> {
  const urls: string[] = []
  for (const part of text.split(',')) {
    const address = readAdmin('admin', part.trim())
    if (!address.ok) return err(address.error)
    urls.push(`http://${printAddress(address.value)}`)
  }
  return ok(urls)
}

type CallEnded = Extract<CallEvent, { event: 'call-ended' }>

/** Cluster time is close to wall time. */
export interface CallRecord {
  /** Of the event; `--after` takes it. */
  readonly id: string
  readonly callId: string
  readonly from: string
  readonly to: string
  readonly started: string
  /** Null: it was not. */
  readonly answered: string | null
  readonly ended: string
  /** From its answer to its end; 0 if it was not answered. */
  readonly seconds: number
  readonly cause: CallEnded['cause']
  readonly by: CallEnded['by']
  readonly status: number | null
  /** An application is that end of it: it answered (`uas`) or placed (`uac`) the call. Absent = the call is relayed. */
  readonly leg?: NonNullable<CallEnded['leg']>
  /** The call's name in events, of a leg; and of a B2BUA that of its other leg. */
  readonly call?: string
  readonly linked?: string
}

export function recordOf(id: string, event: CallEnded): CallRecord {
  const { callId, from, to, started, answered, at, cause, by, status, leg, call, linked } = event
  const seconds = answered === null ? 0 : Math.max(0, at - answered) / 1_000_000
  return {
    id,
    callId,
    from,
    to,
    started: timeOf(started),
    answered: answered === null ? null : timeOf(answered),
    ended: timeOf(at),
    seconds,
    cause,
    by,
    status,
    ...(leg === undefined ? {} : { leg, call }),
    ...(linked === undefined ? {} : { linked }),
  }
}

function recordLine({ ended, from, to, seconds, cause, by, status, callId }: CallRecord): string {
  const who = by === null ? '' : ` by ${by}`
  const how = status === null ? '' : ` (${status})`
  return `${ended}  ${from} -> ${to}  ${seconds.toFixed(1)} s  ${cause}${who}${how}  ${callId}`
}

function timeOf(stamp: number): string {
  return new Date(stamp / 1_000).toISOString()
}
