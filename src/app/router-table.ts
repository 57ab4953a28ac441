// The default application router (JSR 289, appendix C): a list of applications for each method, read one after another.

import { must } from '../base/assert.ts'
import type { Region, RouterLink, RouterTable } from '../proxy/chain.ts'
import { from, parseMessage, to } from '../sip/message.ts'
import type { NextApplication, NextQuestion } from './contract.ts'

/** The default router: the list of the request's method, the next one in it, or none. What its state says is the place in that list. */
export function readTable(
  table: RouterTable,
  { text, directive, region, stateInfo }: NextQuestion,
): NextApplication | null {
  const parsed = parseMessage(text)
  const request = must(
    parsed.ok && parsed.value.kind === 'request' ? parsed.value : null,
    'a request that was read before',
  )
  const links = table[request.method] ?? table['*'] ?? []
  const after = directive === 'NEW' || typeof stateInfo !== 'number' ? -1 : stateInfo
  const place = directive === 'REVERSE' ? opposite(links, region) : after + 1
  const link = links[place]
  if (link === undefined) return null
  const party = link.subscriber === 'from' ? from(request).uri : link.subscriber === 'to' ? to(request).uri : ''
  return { application: link.application, region: link.region, subscriberURI: party, stateInfo: place }
}

/** Where the other side's applications begin; without a side, all of them. */
function opposite(links: readonly RouterLink[], region: Region | null): number {
  if (region !== 'originating' && region !== 'terminating') return 0
  const place = links.findIndex((link) => link.region !== region && link.region !== 'neutral')
  return place < 0 ? links.length : place
}
