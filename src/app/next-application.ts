// What the module of an application router answers (JSR 289 15). It is somebody else's code, asked in a worker as an application is, and
// what it says is checked whole before anything is done with it.

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { parseNameAddr } from '../sip/name-addr.ts'
import { parseUri } from '../sip/uri.ts'
import type { NextApplication } from './contract.ts'
import { appLimits } from './limits.ts'
import { packValue } from './packed.ts'

const REGIONS: readonly unknown[] = ['originating', 'terminating', 'neutral', null]
const MODIFIERS: readonly unknown[] = ['ROUTE', 'ROUTE_BACK', 'NO_ROUTE']
const MOST_ROUTES = 16

/** What a router's module answered, one for each question; or why it can't be used. */
export function readAnswers(result: unknown, count: number): Result<readonly (NextApplication | null)[], string> {
  if (!Array.isArray(result) || result.length !== count) return err(`it gives no answer for each of ${count} requests`)
  const answers: (NextApplication | null)[] = []
  for (const one of result as readonly unknown[]) {
    const fault = one === null || one === undefined ? null : faultOf(one)
    if (fault !== null) return err(fault)
    answers.push((one ?? null) as NextApplication | null)
  }
  return ok(answers)
}

function faultOf(answer: unknown): string | null {
  if (typeof answer !== 'object' || answer === null)
    return `${String(answer)} is no answer: an object, or null for none`
  const {
    application = null,
    region = null,
    subscriberURI = '',
    stateInfo = null,
    modifier = 'NO_ROUTE',
    routes = [],
  } = answer as Partial<NextApplication>
  if (application !== null && (typeof application !== 'string' || application === ''))
    return `application: ${String(application)} is the name of none`
  if (!REGIONS.includes(region)) return `region: ${String(region)} is not originating, terminating or neutral`
  if (typeof subscriberURI !== 'string' || subscriberURI.length > appLimits.routerBytes)
    return `subscriberURI: it is the text of a URI of at most ${appLimits.routerBytes} characters`
  const packed = packValue(stateInfo)
  if (!packed.ok) return `stateInfo: ${packed.error}`
  if (packed.value.length > appLimits.routerBytes)
    return `stateInfo: it has ${packed.value.length} bytes, and at most ${appLimits.routerBytes} go with the request: keep what is large elsewhere`
  if (!MODIFIERS.includes(modifier)) return `modifier: ${String(modifier)} is not ROUTE, ROUTE_BACK or NO_ROUTE`
  if (modifier === 'NO_ROUTE') return null
  const isList = Array.isArray(routes) && routes.length > 0 && routes.length <= MOST_ROUTES
  if (!isList || routes.some((route) => routeUri(route) === null))
    return `routes: with ${modifier} they are 1 to ${MOST_ROUTES} SIP URIs`
  return null
}

/** The URI of a route that a router names, as a URI or as a name-addr; null = it is none. */
export function routeUri(route: unknown): string | null {
  if (typeof route !== 'string' || route.length > appLimits.routerBytes) return null
  const text = route.startsWith('<') ? (parseNameAddr(route)?.uri ?? '') : route
  return /[\s<>",]/.test(text) || parseUri(text)?.kind !== 'sip' ? null : text
}
