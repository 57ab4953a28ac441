// What both applications do in each of their turns: note it in the session, with the version that it found, and come to the gate.

import { must } from '../../src/base/assert.ts'
import { attribute } from 'holdfast/servlet'
import type { HttpContext, SipApplicationSession } from 'holdfast/servlet'
import { GATE, ORDER_HEADER } from './order.ts'
import type { Order } from './order.ts'

export const call = attribute<string>('call')
/** The turns that were committed, and the session's version before each. */
const turns = attribute<readonly (readonly [turn: string, version: number])[]>('turns')

export const TICK_MS = 500
/** Its end takes the timer along: it never fires. */
export const PATIENCE_MS = 3_600_000

export function note(session: SipApplicationSession, turn: string): void {
  session.setAttribute(turns, [...(session.getAttribute(turns) ?? []), [turn, session.version]])
}

export function isDone(session: SipApplicationSession, turn: string): boolean {
  return (session.getAttribute(turns) ?? []).some(([done]) => done === turn)
}

/** The last thing that a handler does; what comes back is what it returns. */
export async function atGate(session: SipApplicationSession, handler: string): Promise<Order> {
  const gate = must(process.env[GATE], 'the address of the gate')
  const here = `replica=${process.ppid}&session=${encodeURIComponent(session.id)}`
  const asked = await fetch(`${gate}/${handler}/${session.getAttribute(call)}?${here}`)
  const order = (await asked.json()) as Order
  if (order.kind === 'die' && order.at === 'inside') {
    process.kill(process.ppid, 'SIGKILL')
    // This process ends with its replica.
    await new Promise(() => {})
  }
  return order
}

/** A page that shows the turns, and one that is a turn itself. */
export async function onHttp(
  request: Request,
  context: HttpContext,
  change: (session: SipApplicationSession, turn: string) => void,
): Promise<Response> {
  const session = context.getSession(false)?.applicationSession
  if (session === undefined) return new Response('no such call', { status: 404 })
  if (request.method === 'GET') return Response.json(session.getAttribute(turns) ?? [])
  change(session, 'doHttp')
  const order = await atGate(session, 'doHttp')
  return new Response('done', { headers: { [ORDER_HEADER]: JSON.stringify(order) } })
}
