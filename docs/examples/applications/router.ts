// An application router: who is on the list is screened, and everybody pays. docs/APPLICATIONS.md explains it.

import { defineRouter } from 'holdfast/servlet'
import type { NextApplication } from 'holdfast/servlet'

const screened = new Set(['callee', 'carol'])

/** The applications of a call, in their order; the state says how far it has come. */
function chainOf(called: string): readonly NextApplication[] {
  const screening = { application: 'screening', region: 'terminating' } as const
  const prepaid = { application: 'prepaid', region: 'originating' } as const
  return screened.has(called) ? [screening, prepaid] : [prepaid]
}

export const router = defineRouter({
  getNextApplication(request, _region, directive, stateInfo) {
    if (request.method !== 'INVITE') return null
    const place = directive === 'CONTINUE' && typeof stateInfo === 'number' ? stateInfo + 1 : 0
    const next = chainOf(request.to.uri.user ?? '')[place]
    return next === undefined ? null : { ...next, stateInfo: place, subscriberURI: String(request.from.uri) }
  },
})
