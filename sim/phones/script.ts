// One side's part of a ladder: waits for what the other side does, then acts after its drawn wait.

import type { Agenda, Appointment } from '../agenda.ts'
import type { Draw } from '../draws.ts'
import type { Deed, Side, Step } from '../ladder.ts'
import type { PhoneOptions } from './surroundings.ts'

/** Provisional answers may be lost for good (RFC 3261 sends them once): nobody waits longer for one. */
const patience = 8_000_000

type Answer = Extract<Deed, { kind: 'answer' }>
type ScriptOptions = Pick<PhoneOptions, 'side' | 'flow' | 'isBrisk'>

export class Script {
  readonly #agenda: Agenda
  readonly #side: Side
  readonly #steps: readonly Step[]
  readonly #isBrisk: boolean
  readonly #draw: Draw
  readonly #act: (deed: Deed) => void
  readonly #hold: (deed: string, go: () => void) => void
  /** What the other side was seen to do, oldest first; the script has used those before #used. */
  readonly #seen: Deed[] = []
  #used = 0
  #next = 0
  #pending: Appointment | null = null
  #stopped = false

  /** `hold` is told each deed when its time has come, and lets it happen. */
  constructor(
    agenda: Agenda,
    options: ScriptOptions,
    drawn: Draw,
    act: (deed: Deed) => void,
    hold: (deed: string, go: () => void) => void,
  ) {
    this.#agenda = agenda
    this.#hold = hold
    this.#side = options.side
    this.#steps = options.flow.steps
    this.#isBrisk = options.isBrisk
    this.#draw = drawn
    this.#act = act
  }

  /** The step this side is at, if it is its own: what it is about to do. */
  get upcoming(): Deed | null {
    const step = this.#steps[this.#next]
    return step !== undefined && step.by === this.#side ? step.deed : null
  }

  start(): void {
    this.#advance()
  }

  saw(deed: Deed): void {
    this.#seen.push(deed)
    this.#advance()
  }

  /** The call is over: what is left of the ladder is moot. */
  stop(): void {
    this.#stopped = true
    this.#agenda.cancel(this.#pending)
  }

  #advance(): void {
    while (!this.#stopped) {
      const step = this.#steps[this.#next]
      if (step === undefined) return
      if (step.by === this.#side) {
        this.#pending ??= this.#agenda.after(this.#wait(step), () => this.#reach(step.deed))
        return
      }
      if (!step.crossing && step.deed.kind !== 'leave' && !this.#happened(step.deed)) {
        if (isProvisional(step.deed)) this.#pending ??= this.#agenda.after(patience, () => this.#skip())
        return
      }
      this.#agenda.cancel(this.#pending)
      this.#pending = null
      this.#next++
    }
  }

  #wait(step: Step): number {
    if (this.#isBrisk) return step.waitLeast
    return this.#draw.within(step.waitLeast, step.waitMost, this.#next, step.by === 'caller' ? 1 : 2)
  }

  #reach(deed: Deed): void {
    this.#hold(nameOf(deed), () => {
      if (!this.#stopped) this.#do(deed)
    })
  }

  #do(deed: Deed): void {
    this.#pending = null
    this.#next++
    this.#act(deed)
    this.#advance()
  }

  #skip(): void {
    this.#pending = null
    this.#next++
    this.#advance()
  }

  /** Whether the other side did it, or something that makes it moot: any later answer stands for a provisional one, any
   * final answer for another. */
  #happened(deed: Deed): boolean {
    for (let i = this.#used; i < this.#seen.length; i++) {
      const seen = this.#seen[i] as Deed
      if (sameRequest(seen, deed) || (seen.kind === 'answer' && deed.kind === 'answer' && answers(seen, deed))) {
        const overtaken = deed.kind === 'answer' && deed.status < 200 && seen.kind === 'answer' && seen.status >= 200
        if (!overtaken) this.#used = i + 1
        return true
      }
    }
    return false
  }
}

function nameOf(deed: Deed): string {
  if (deed.kind === 'answer') return String(deed.status)
  return deed.kind === 'request' ? deed.method : deed.how
}

function isProvisional(deed: Deed): boolean {
  return deed.kind === 'answer' && deed.status < 200
}

function sameRequest(seen: Deed, deed: Deed): boolean {
  return seen.kind === 'request' && deed.kind === 'request' && seen.method === deed.method
}

function answers({ status: seen }: Answer, { status: wanted }: Answer): boolean {
  return wanted < 200 ? seen === wanted || seen >= 200 : seen >= 200
}
