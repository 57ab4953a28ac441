// The application of the timers' benchmark: a MESSAGE brings times, one ServletTimer is made for each, and what each callback
// sees is written to a file of its worker. Each firing is also counted in the session, where only a commit counts.

import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../../src/base/assert.ts'
import { attribute, defineApplication } from 'holdfast/servlet'

const fired = attribute<readonly number[]>('fired')
const file = openSync(join(must(process.env['TIMERS_FOLDER'], 'a folder'), `ticks-${process.pid}.txt`), 'a')

function write(...words: readonly (string | number)[]): void {
  writeSync(file, `${words.join(' ')}\n`)
}

export const ticker = defineApplication({
  name: 'ticker',

  doMessage(request, { timers, now }) {
    const { applicationSession: session } = request
    session.setExpires(0)
    session.setAttribute(fired, [])
    const dues = JSON.parse(request.content) as readonly number[]
    for (const [nth, due] of dues.entries()) timers.createTimer(session, Math.max(0, due - now), true, nth)
    request.createResponse(200).send()
  },

  timeout(timer, { now }) {
    const { applicationSession: session } = timer
    const before = session.getAttribute(fired) ?? []
    const nth = Number(timer.info)
    const wall = performance.timeOrigin + performance.now()
    write('tick', session.id, nth, timer.scheduledExecutionTime, now, wall, before.includes(nth) ? 'again' : '')
    session.setAttribute(fired, [...before, nth])
  },

  sessionReadyToInvalidate(session) {
    const all = session.getAttribute(fired)
    // A call beside has none.
    if (all === undefined) return
    write('over', session.id, all.length, new Set(all).size)
  },
})
