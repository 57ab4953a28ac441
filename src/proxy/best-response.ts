// RFC 3261 16.7 steps 6 and 7: of the failures of all branches, the one that goes upstream. The same whatever order they came in,
// so that it is the same at whatever replica is the owner when the last one comes.

import { edit } from '../sip/edit.ts'
import { headers, parseMessage, values } from '../sip/message.ts'
import type { SipResponse } from '../sip/message.ts'
import { parseNameAddr } from '../sip/name-addr.ts'
import { equalUris, parseUri } from '../sip/uri.ts'
import type { Uri } from '../sip/uri.ts'

/** A final response of 300 to 699, as it would go upstream; `status` is what the branch said (a 503 may go as 500). */
export interface Failure {
  readonly status: number
  readonly text: string
}

/** Step 6: within the class 4xx these help the caller to ask again. */
const HELPFUL: readonly number[] = [401, 407, 415, 420, 484]

const CHALLENGES = ['WWW-Authenticate', 'Proxy-Authenticate'] as const

/** The best of them, in the order of the targets: of equal ones the first target's. */
export function bestResponse(failures: readonly [Failure, ...Failure[]]): Failure {
  let best: Failure = failures[0]
  for (const failure of failures) if (isBefore(rankOf(failure.status), rankOf(best.status))) best = failure
  if (isRedirect(best.status)) return withContacts(best, failures)
  return isChallenge(best.status) ? withChallenges(best, failures) : best
}

/** 300, 301 and 302 name other places for what was asked; 305 and 380 say something else by their Contact (21.3). */
export function isRedirect(status: number): boolean {
  return status >= 300 && status <= 302
}

/** Step 5: nobody else is asked after this one. */
export function isGlobal(status: number): boolean {
  return status >= 600
}

/** 6xx, else the lowest class; in a class what helps most, and last what only says that a branch came to nothing. */
function rankOf(status: number): readonly [klass: number, place: number] {
  const klass = isGlobal(status) ? 0 : Math.floor(status / 100)
  if (HELPFUL.includes(status)) return [klass, 0]
  if (status === 408) return [klass, 2]
  // A branch that was cancelled says nothing of its target.
  if (status === 487) return [klass, 3]
  // Step 6: a 503 speaks of who sent it.
  return [klass, status === 503 ? 2 : 1]
}

function isBefore(
  [klass, place]: readonly [number, number],
  [otherKlass, otherPlace]: readonly [number, number],
): boolean {
  return klass === otherKlass ? place < otherPlace : klass < otherKlass
}

function isChallenge(status: number): boolean {
  return status === 401 || status === 407
}

/** Step 7: the caller answers the challenges of all branches at once. */
function withChallenges(best: Failure, failures: readonly Failure[]): Failure {
  const change = responseEdit(best)
  for (const other of failures) {
    if (other === best || !isChallenge(other.status)) continue
    const response = parsedResponse(other)
    for (const name of CHALLENGES) {
      for (const value of response === null ? [] : headers(response, name)) change?.append(name, value)
    }
  }
  return { status: best.status, text: change?.print() ?? best.text }
}

/** The caller gets the contacts of all redirections at once, each URI once. */
function withContacts(best: Failure, failures: readonly Failure[]): Failure {
  const change = responseEdit(best)
  const known = contactsOf(best).map(({ uri }) => uri)
  for (const other of failures) {
    if (other === best || !isRedirect(other.status)) continue
    for (const { text, uri } of contactsOf(other)) {
      if (uri !== null && known.some((one) => one !== null && equalUris(one, uri))) continue
      known.push(uri)
      change?.append('Contact', text)
    }
  }
  return { status: best.status, text: change?.print() ?? best.text }
}

interface ContactValue {
  readonly text: string
  /** null = one that can't be read. */
  readonly uri: Uri | null
}

function contactsOf(failure: Failure): readonly ContactValue[] {
  const response = parsedResponse(failure)
  const texts = response === null ? [] : values(response, 'Contact')
  return texts.map((text) => ({ text, uri: parseUri(parseNameAddr(text)?.uri ?? '') }))
}

function responseEdit(failure: Failure): ReturnType<typeof edit> | null {
  const response = parsedResponse(failure)
  return response === null ? null : edit(response)
}

function parsedResponse({ text }: Failure): SipResponse | null {
  const parsed = parseMessage(text)
  return parsed.ok && parsed.value.kind === 'response' ? parsed.value : null
}
