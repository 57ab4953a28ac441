// What is played: for each row of the table the turns in which a replica dies, and where in them.

import type { Place } from './order.ts'

/** A turn of the applications: `tick` and `cutoff` are timeouts of timers of that name, `doHttp` is a page's. */
export type Turn = 'doInvite' | 'doSuccessResponse' | 'tick' | 'cutoff' | 'doHttp'

export interface Scenario {
  readonly turn: Turn
  readonly place: Place
}

export interface Row {
  readonly key: string
  readonly name: string
  /** One after another, wave by wave. */
  readonly scenarios: readonly Scenario[]
}

export type ApplicationName = 'proxied' | 'two-legs'

const callTurns: readonly Turn[] = ['doInvite', 'doSuccessResponse']

function each(place: Place): readonly Scenario[] {
  return callTurns.map((turn) => ({ turn, place }))
}

/** A tick of the proxy sends nothing, so nothing of it can be held back. */
export function rowsOf(application: ApplicationName): readonly Row[] {
  const sendingTurns: readonly Turn[] = application === 'proxied' ? ['cutoff'] : ['tick', 'cutoff']
  const timers: readonly Scenario[] = [
    { turn: 'tick', place: 'inside' },
    { turn: 'cutoff', place: 'inside' },
    { turn: 'tick', place: 'arrived' },
    { turn: 'cutoff', place: 'proposed' },
    { turn: 'tick', place: 'proposed' },
    ...sendingTurns.map((turn): Scenario => ({ turn, place: 'unsent' })),
  ]
  const places: readonly Place[] = ['inside', 'arrived', 'proposed']
  const pages = places.map((place): Scenario => ({ turn: 'doHttp', place }))
  return [
    { key: 'a', name: 'inside a handler', scenarios: each('inside') },
    { key: 'b', name: 'between handler and commit: its answer is there', scenarios: each('arrived') },
    { key: 'b', name: 'between handler and commit: proposed, outcome unknown', scenarios: each('proposed') },
    { key: 'c', name: 'between commit and send', scenarios: each('unsent') },
    { key: 'd', name: 'in a timer callback', scenarios: timers },
    { key: 'e', name: 'in the HTTP handler, and before its commit', scenarios: pages },
    {
      key: 'f',
      name: 'in the HTTP handler the replica that was asked, not the owner',
      scenarios: [{ turn: 'doHttp', place: 'asked' }],
    },
  ]
}
