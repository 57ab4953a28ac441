/// <reference lib="dom" />
// One call: its ladder as it grows, its entities with their versions, and its timers.

import { CallHistory, nameOf, stateOf } from './call-history.ts'
import type { Party, Step } from './call-history.ts'
import { byId, fillRows, make, setText } from './dom.ts'
import type { CallNews, CallView, EntityRow } from './shapes.ts'
import { exactClock, plural, replicaOfLife, soon } from './words.ts'

const NAMES: Readonly<Record<Party, string>> = { caller: 'the caller', set: 'the set', callee: 'the callee' }
const FRESH_MS = 1_500

export class CallPanel {
  #callId = ''
  #history = new CallHistory()
  #view: CallView | null = null
  /** It was up, and is not any more: nobody needs to be asked. */
  #isOver = false
  readonly #details = new Map<string, HTMLElement>()
  #steps = 0

  get callId(): string {
    return this.#callId
  }

  open(callId: string): void {
    this.#callId = callId
    this.#history = new CallHistory()
    this.#view = null
    this.#isOver = false
    this.#details.clear()
    this.#steps = 0
    byId('call').hidden = callId === ''
    byId('call-none').hidden = callId !== ''
    setText(byId('call-id'), callId)
    setText(byId('call-facts'), callId === '' ? '' : 'asking')
    for (const id of ['ladder', 'entity-rows', 'call-timer-rows']) byId(id).replaceChildren()
    if (callId !== '') void this.refresh()
  }

  heard(news: CallNews): void {
    if (news.callId !== this.#callId) return
    this.#history.event(news)
    if (news.event === 'call-ended') this.#end(news.at)
    else if (news.event === 'call-started') this.#isOver = false
    this.#drawLadder()
    void this.refresh()
  }

  async refresh(): Promise<void> {
    const callId = this.#callId
    if (callId === '' || this.#isOver) return
    const found = await fetchCall(callId)
    if (callId !== this.#callId || this.#isOver || found === undefined) return
    if (found === null) {
      if (this.#view !== null) this.#end(Date.now() * 1_000)
      else setText(byId('call-facts'), 'no such call is up')
      return
    }
    this.#view = found
    this.#history.look(found, Date.now() * 1_000)
    setText(byId('call-facts'), factsOf(found))
    this.#drawLadder()
    this.#drawEntities(found)
    this.#drawTimers(found)
  }

  /** What was seen last stays. */
  #end(at: number): void {
    this.#isOver = true
    this.#history.over(at)
    setText(byId('call-facts'), 'over')
    this.#drawLadder()
    this.#drawTimers(null)
  }

  #drawLadder(): void {
    const { steps } = this.#history
    if (steps.length === this.#steps) return
    this.#steps = steps.length
    const start = steps.find(({ at }) => at > 0)?.at ?? 0
    const ladder = byId('ladder')
    // Who reads further up stays there.
    const box = byId('ladder-box')
    const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 30
    ladder.replaceChildren(...steps.map((step) => drawStep(step, start)))
    if (atEnd) box.scrollTop = box.scrollHeight
  }

  #drawEntities({ entities }: CallView): void {
    byId('entities').hidden = entities.length === 0
    const now = Date.now()
    fillRows(
      byId('entity-rows'),
      entities.map((entity) => ({
        key: `${entity.tree} ${entity.id}`,
        className: now - entity.stamp / 1_000 < FRESH_MS ? 'fresh' : '',
        cells: [nameOf(entity), `v${entity.version}`, stateOf(entity) ?? '–', this.#detail(entity)],
      })),
    )
  }

  /** All that the log has of it, once it is opened. */
  #detail(entity: EntityRow): HTMLElement {
    const key = `${entity.tree} ${entity.id}`
    const known = this.#details.get(key)
    const detail = known ?? make('details', {}, make('summary', { 'aria-label': `all of ${nameOf(entity)}` }, 'all'))
    this.#details.set(key, detail)
    const text = known?.querySelector('pre') ?? detail.appendChild(make('pre', { tabindex: 0 }))
    setText(text, JSON.stringify(entity.value, null, 1).replaceAll(String.raw`\r\n`, '\n'))
    return detail
  }

  #drawTimers(view: CallView | null): void {
    const timers = view?.timers ?? []
    byId('call-timers').hidden = timers.length === 0
    const now = Date.now()
    fillRows(
      byId('call-timer-rows'),
      timers.map(({ id, deadline, action }) => ({
        key: id,
        cells: [id, soon(deadline / 1_000 - now), doing(action)],
      })),
    )
  }
}

export function doing(action: string): string {
  return action === 'delete' ? 'forget what is over' : 'ask its owner'
}

function factsOf({ owner, version, intents, calls }: CallView): string {
  const facts = [
    calls[0]?.state === 'early' ? 'rings' : 'answered',
    owner === null ? 'owned by nobody yet' : `owned by replica ${replicaOfLife(owner)}`,
    `group at version ${version}`,
    ...(intents.length > 0 ? [plural(intents.length, 'open intent', 'open intents')] : []),
  ]
  return facts.join(' · ')
}

function drawStep(step: Step, start: number): HTMLElement {
  const when = make('time', {}, step.at === 0 ? '' : `+${((step.at - start) / 1_000_000).toFixed(3)}`)
  if (step.at > 0) when.setAttribute('title', exactClock(step.at / 1_000))
  switch (step.kind) {
    case 'message': {
      const { from, to, label } = step
      const way = make(
        'span',
        { class: `way ${from}-${to} ${colourOf(label)}` },
        make('span', { class: 'label' }, label),
      )
      way.prepend(make('span', { class: 'unseen' }, `${NAMES[from]} to ${NAMES[to]}: `))
      return make('li', { class: 'message' }, when, way)
    }
    case 'change': {
      const detail = step.detail === '' ? [] : [make('span', { class: 'soft' }, ` ${step.detail.toLowerCase()}`)]
      return make('li', { class: 'change' }, when, make('span', { class: 'note' }, step.label, ...detail))
    }
    case 'owner': {
      const words = step.isFirst ? 'owns the call' : 'has taken the call over'
      const text = `replica ${replicaOfLife(step.life)} ${words}`
      return make('li', { class: 'owner' }, when, make('span', { class: 'note' }, text))
    }
  }
}

/** A class that gives the colour. */
function colourOf(label: string): string {
  if (label === 'ringing') return 'provisional'
  if (label.startsWith('2')) return 'success'
  return /^[3-6]/.test(label) ? 'refusal' : 'request'
}

/** Null: there is none; undefined: nobody answered. Not `local`: one that was just started knows of owners that are no more. */
async function fetchCall(callId: string): Promise<CallView | null | undefined> {
  try {
    const answer = await fetch(`calls/${encodeURIComponent(callId)}`)
    if (answer.status === 404) return null
    return answer.ok ? ((await answer.json()) as CallView) : undefined
  } catch {
    return undefined
  }
}
