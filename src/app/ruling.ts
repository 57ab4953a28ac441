// What an answer of the application router comes to (JSR 289 15.2; decision 0037): whose the request is, and which way it goes.
//
//   NO_ROUTE    the application, in this group if the request has arrived, else in a group of its own; without one it goes where it would go
//   ROUTE       to the routes, and that ends the chain
//   ROUTE_BACK  to the routes, and then to a group of ours where the router is asked again

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { Turn } from '../call/turn.ts'
import { chainGroup, chainUri } from '../proxy/chain.ts'
import type { Chain } from '../proxy/chain.ts'
import { callId } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import type { AppContext } from './context.ts'
import type { NextApplication, NextQuestion } from './contract.ts'
import { appLimits } from './limits.ts'
import { routeUri } from './next-application.ts'
import { packValue, packedNull, unpackValue } from './packed.ts'

/** Of the router's answer. */
export interface Ruling {
  /** '' = nobody's. */
  readonly application: string
  readonly chain: Chain
  /** What it visits first. */
  readonly uris: readonly string[]
}

/** Where in a chain the answer is about, and of which request. */
export interface Place {
  readonly position: number
  readonly callId: string
  readonly requestUri: string
  readonly isAimed: boolean
}

/** Whether anybody is asked which application is the next. */
export function hasRouter({ settings, router }: AppContext): boolean {
  return settings.router !== undefined || (router ?? null) !== null
}

/** Why it can't be followed, or what it comes to. `arrived`: the request is to be handled here; else it leaves. */
export function rule(
  turn: Turn,
  { applications, keys, settings }: AppContext,
  answer: NextApplication | null,
  { position, callId: id, requestUri, isAimed }: Place,
  arrived: boolean,
): Result<Ruling, string> {
  const { application, region = null, subscriberURI = '', stateInfo = null, modifier = 'NO_ROUTE' } = answer ?? {}
  const packed = packValue(stateInfo)
  const state = packed.ok ? packed.value : packedNull()
  const isRouted = modifier !== 'NO_ROUTE'
  const name = isRouted ? '' : (application ?? '')
  const chain: Chain = { position, application: name, isAimed, region, subscriber: subscriberURI, state }
  if (position > appLimits.chain)
    return err(`a chain has at most ${appLimits.chain} applications: the router leads in a circle`)
  if (name !== '' && !applications.some((one) => one.name === name))
    return err(`it names "${name}", and this set runs no application of that name`)
  const group = chainGroup(keys, turn.key, id, requestUri)
  const there = (next: Chain): string => chainUri(keys, settings.sip, group, id, next)
  const out = isRouted ? (answer?.routes ?? []).flatMap((route) => routeUri(route) ?? []) : []
  const back = modifier === 'ROUTE_BACK' ? [there({ ...chain, position: position + 1 })] : []
  const next = name === '' || arrived ? [] : [there(chain)]
  return ok({ application: name, chain, uris: [...out, ...back, ...next] })
}

/** About a request that has arrived. `chain`: what it says of itself. */
export function placeOf(request: SipRequest, chain: Chain | null): Place {
  const { position = 1, isAimed = false } = chain ?? {}
  return { position, callId: callId(request), requestUri: request.requestUri, isAimed }
}

export function questionOf({ text }: SipRequest, chain: Chain | null): NextQuestion {
  if (chain === null) return { text, directive: 'NEW', region: null, stateInfo: null }
  return { text, directive: 'CONTINUE', region: chain.region, stateInfo: unpackValue(chain.state) }
}
