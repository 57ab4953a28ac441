/// <reference lib="dom" />
// The replicas: what each is, how far it is, and in a set that is there to be tried a button that kills it.

import { byId, fillRows, make, setText } from './dom.ts'
import type { Row } from './dom.ts'
import type { ReplicaRow } from './shapes.ts'
import { grouped } from './words.ts'

const HEADS = ['Replica', 'Role', 'Serves', 'Term', 'Epoch', 'Applied', 'Lag', 'Life', 'Process']

export class ReplicasTable {
  readonly #kill: (replica: number) => void
  readonly #buttons = new Map<number, HTMLButtonElement>()
  readonly #badges = new Map<string, HTMLElement>()
  #mayKill = false

  constructor(kill: (replica: number) => void) {
    this.#kill = kill
  }

  /** Whether there are buttons. */
  set mayKill(mayKill: boolean) {
    this.#mayKill = mayKill
    const heads = [...HEADS, ...(mayKill ? ['Try it'] : [])]
    byId('replica-heads').replaceChildren(...heads.map((head) => make('th', { scope: 'col' }, head)))
  }

  draw(replicas: readonly ReplicaRow[]): void {
    fillRows(
      byId('replica-rows'),
      replicas.map((replica) => this.#row(replica)),
    )
  }

  #row(replica: ReplicaRow): Row {
    const { id, pid, trouble, term, epoch, applied, lag, life } = replica
    const known = trouble === null
    const number = (value: number): string => (known ? grouped(value) : '–')
    const cells = [
      String(id),
      this.#badge(`role ${id}`, ...roleOf(replica)),
      this.#badge(`serves ${id}`, ...servesOf(replica)),
      number(term),
      number(epoch),
      number(applied),
      number(lag),
      known ? life : '–',
      pid === null ? '–' : `pid ${pid}`,
      ...(this.#mayKill ? [this.#button(replica)] : []),
    ]
    return { key: String(id), className: known ? '' : 'away', cells }
  }

  #badge(key: string, className: string, text: string): HTMLElement {
    const badge = this.#badges.get(key) ?? make('span')
    this.#badges.set(key, badge)
    if (badge.className !== `badge ${className}`) badge.className = `badge ${className}`
    setText(badge, text)
    return badge
  }

  #button({ id, pid }: ReplicaRow): HTMLElement {
    const known = this.#buttons.get(id)
    const button = known ?? (make('button', { type: 'button', class: 'kill' }, 'Kill') as HTMLButtonElement)
    if (known === undefined) {
      this.#buttons.set(id, button)
      button.addEventListener('click', () => {
        if (button.getAttribute('aria-disabled') !== 'true') this.#kill(id)
      })
    }
    button.setAttribute('aria-label', `Kill replica ${id} (kill -9)`)
    // Not `disabled`, which would take the focus away from who has just pressed it.
    button.setAttribute('aria-disabled', pid === null ? 'true' : 'false')
    return button
  }
}

function roleOf({ trouble, role, detached, draining }: ReplicaRow): readonly [string, string] {
  if (trouble !== null) return ['dead', trouble]
  if (draining) return ['candidate', 'draining']
  if (detached) return ['candidate', `${role}, without a quorum`]
  return [role === 'leader' || role === 'follower' ? role : 'candidate', role]
}

function servesOf({ serves, trouble }: ReplicaRow): readonly [string, string] {
  if (serves) return trouble === null ? ['yes', 'owns calls'] : ['candidate', 'is still an owner']
  return trouble === null ? ['candidate', 'not yet'] : ['no', 'no: others own its calls']
}

/** The set in one sentence. */
export function sentenceOf(replicas: readonly ReplicaRow[], calls: number | null): string {
  const alive = replicas.filter(({ trouble }) => trouble === null)
  if (alive.length === 0) return 'No replica answers.'
  const leader = alive.find(({ role, detached }) => role === 'leader' && !detached)
  const serving = alive.filter(({ serves }) => serves).length
  const who = leader === undefined ? 'an election is under way' : `replica ${leader.id} leads in term ${leader.term}`
  const up = calls === null ? '' : ` ${grouped(calls)} ${calls === 1 ? 'call is' : 'calls are'} up.`
  return `${serving} of ${replicas.length} replicas serve, ${who}.${up}`
}
