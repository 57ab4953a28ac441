// SipApplicationRouter (JSR 289 15): a function that says which application a request is for. It keeps nothing, and what it says of one
// request it says again when it is asked again.

import type { AttributeValue, NextApplication, NextQuestion, Region, RoutingDirective } from '../app/contract.ts'
import { must } from '../base/assert.ts'
import { longName } from '../sip/header-name.ts'
import { callId, from, headerLines, parseMessage, to } from '../sip/message.ts'
import { nameAddrText } from '../sip/name-addr.ts'
import { partyOf } from './address.ts'
import type { Address, URI } from './api.ts'
import { checkNames } from './application.ts'
import type { Application } from './application.ts'
import { fromWire } from './utf8.ts'

export type { NextApplication, Region, RoutingDirective }

/** The request that is to be routed: as it came, or as an application is about to send it. */
export interface RoutedRequest {
  readonly method: string
  readonly requestURI: URI
  readonly from: Address
  readonly to: Address
  readonly callId: string
  /** The first line of that header; null = none. */
  getHeader(name: string): string | null
  getHeaders(name: string): readonly string[]
}

/** The next application for the request; null = none: it goes where it would go without any.
 * `region`, `stateInfo`: what was said of the application that sends it, with CONTINUE and REVERSE; null for a NEW one. */
export type GetNextApplication = (
  request: RoutedRequest,
  region: Region | null,
  directive: RoutingDirective,
  stateInfo: AttributeValue,
) => NextApplication | null | undefined

export interface RouterDefinition {
  /** As an application's; `router` if it is left out. */
  readonly name?: string
  readonly version?: string
  getNextApplication: GetNextApplication
}

/** Throws a TypeError that says what is wrong with the definition. */
export function defineRouter(definition: RouterDefinition): Application {
  const { name = 'router', version, getNextApplication, ...others } = definition
  checkNames(name, version)
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw new TypeError(`router ${name}: "${other}" is nothing of a router's: it has getNextApplication`)
  if (typeof getNextApplication !== 'function')
    throw new TypeError(`router ${name}: getNextApplication should be a function, not ${String(getNextApplication)}`)
  return {
    kind: 'holdfast-application',
    name,
    version: version ?? null,
    handlers: ['getNextApplication'],
    servlets: new Map([['', {}]]),
    listeners: {},
    getNextApplication,
  }
}

/** An answer for each question. */
export function nextApplications(
  { name, getNextApplication }: Application,
  questions: readonly NextQuestion[],
): readonly (NextApplication | null)[] {
  return questions.map(({ text, region, directive, stateInfo }) => {
    const answer = getNextApplication?.(routed(text), region, directive, stateInfo) ?? null
    if (answer !== null && 'then' in answer)
      throw new TypeError(
        `getNextApplication of ${name} gives a promise: a router may not be async, for it waits for nothing`,
      )
    return answer
  })
}

function routed(text: string): RoutedRequest {
  const parsed = parseMessage(text)
  const request = must(
    parsed.ok && parsed.value.kind === 'request' ? parsed.value : null,
    'a request that the owner has read',
  )
  const addressOf = (party: ReturnType<typeof from>): Address => partyOf(nameAddrText(party))
  const getHeaders = (name: string): readonly string[] =>
    headerLines(request)
      .filter(([line]) => longName(line) === longName(name))
      .map(([, value]) => fromWire(value))
  return {
    method: request.method,
    requestURI: partyOf(request.requestUri).uri,
    from: addressOf(from(request)),
    to: addressOf(to(request)),
    callId: callId(request),
    getHeaders,
    getHeader: (name) => getHeaders(name)[0] ?? null,
  }
}
