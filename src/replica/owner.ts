// The groups this replica owns: each input handled on the result of the group's uncommitted commits, each message held back
// until what it tells is committed (design.md 3 and 4). This is the group lock: one input at a time, in order, and nothing
// is held across a wait.
//
//   input --> stepGroup --> no commit: its messages leave (after the group's last open commit, if there is one)
//                       '-> commit: proposed; on *accepted* its messages leave
//                                             on *version*  it and all later ones fall; their inputs are handled again (if only
//                                                           timers have fired, they are proposed again as they are)
//                                             on *not owner* the group is dropped; the keepers pass their inputs on
//             '-> an application is to be asked: the input waits for its answer, later ones behind it, but for what ends a call
//                 (decision 0031); if the state it was asked on falls, it is asked again

import type { GroupKey } from '../base/brand.ts'
import { assert, must, unreachable } from '../base/assert.ts'
import { firstOf } from '../base/first-of.ts'
import { Heap } from '../base/heap.ts'
import { between } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { fold } from '../call/fold.ts'
import type { AppAnswer } from '../app/contract.ts'
import { emptyLocal, isIdle, isInLog, loadGroup, localOf, pass, passes, stepGroup, wakeAt } from '../app/group.ts'
import type { Ask, Failure, GroupInput, StepResult } from '../app/group.ts'
import { laneOf } from '../app/event.ts'
import { appLimits } from '../app/limits.ts'
import type { CommitBody, InputRef } from '../call/contract.ts'
import { refuseForNow } from '../call/refuse.ts'
import { toTag } from '../sip/message.ts'
import { placeName } from '../proxy/locate.ts'
import type { Place } from '../proxy/locate.ts'
import type { SipMessage, SipRequest } from '../sip/message.ts'
import type { CommitOutcome, FiredTimer, Serving } from '../store/view.ts'
import { encodeBody } from '../wire/codec.ts'
import type { Commit, Destination, Flow } from '../wire/entry.ts'
import type { FormatNumber } from '../wire/formats.ts'
import { Asks } from './asks.ts'
import { isUntouched, meetsFiring, newHeld } from './held.ts'
import type { Awaiting, Held, OpenCommit } from './held.ts'
import { IntentQueue } from './intent-queue.ts'
import { limits } from './limits.ts'
import type { OwnerPorts, UnsentSend } from './owner-ports.ts'
import { Takeovers } from './takeovers.ts'

export class Owner {
  readonly #ports: OwnerPorts
  readonly #groups = new Map<GroupKey, Held>()
  readonly #open = new Map<number, { readonly held: Held; readonly commit: OpenCommit }>()
  /** Those of them of which the log has nothing: relays outside of calls. */
  readonly #unlogged = new Set<GroupKey>()
  readonly #wakes = new Heap<GroupKey>()
  readonly #takeovers: Takeovers
  /** Intents to perform, oldest first, and those being performed. */
  readonly #intents: IntentQueue
  /** Groups with something to do in the next turn: in the order in which that arose. */
  readonly #due = new Set<GroupKey>()
  readonly #failed: UnsentSend[] = []
  /** Groups with inputs that wait for DNS. */
  readonly #lost = new Set<GroupKey>()
  readonly #asks = new Asks()
  #serial = 0
  #frozen = true

  constructor(ports: OwnerPorts) {
    this.#ports = ports
    this.#takeovers = new Takeovers(ports.store, ports.life)
    const most = (lane: string): number => (lane === '' ? limits.performances : limits.callbacks)
    this.#intents = new IntentQueue(most, ({ group, id }) => laneOf(id, (ref) => ports.store.entity(group, ref)))
  }

  /** Bodies of the commits whose outcome isn't known, in serial order: to be proposed again. */
  openBodies(): readonly Uint8Array[] {
    return [...this.#open.values()].map(({ commit }) => bytesOf(commit, this.#ports.store.format))
  }

  oldestOpen(): Instant | null {
    const oldest = this.#open.values().next()
    return oldest.done === true ? null : oldest.value.commit.at
  }

  get openCommits(): number {
    return this.#open.size
  }

  /** Groups in memory of which the log has nothing. */
  get unlogged(): number {
    return this.#unlogged.size
  }

  /** Whether the group became this replica's own and is not taken over yet. */
  isGained(key: GroupKey): boolean {
    return this.#takeovers.has(key)
  }

  /** While frozen (the replica is stale) nothing is handled and nothing leaves. */
  set frozen(frozen: boolean) {
    this.#frozen = frozen
    if (frozen) return
    for (const held of this.#groups.values())
      if (held.released.length + held.answered.length > 0) this.#due.add(held.key)
  }

  /** A message for a group that this replica owns. Never called while frozen. */
  message(key: GroupKey, message: SipMessage, flow: Flow, ref: InputRef, to: Destination | null = null): void {
    this.input(key, { kind: 'message', message, flow, ref, ...(to === null ? {} : { to }) })
  }

  /** The same with anything that somebody keeps until it is handled. */
  input(key: GroupKey, input: Extract<GroupInput, { ref: InputRef }>): void {
    assert(!this.#frozen, 'a stale replica handles nothing')
    const held = this.#hold(key)
    held.refs.add(input.ref)
    this.#redo(held)
    this.#handle(held, input)
    this.#settle(held)
  }

  /** What an application says of the input that it was asked about. */
  answered(id: number, answer: AppAnswer): void {
    const key = this.#asks.take(id)
    if (key === null) return this.#ports.outbox.count('answers_dropped')
    const held = must(this.#groups.get(key), 'an asked group is in memory')
    if (this.#frozen) {
      // Its commit is fenced as any other: it is kept until this replica is fresh again, unless the group goes elsewhere first.
      must(held.asking, 'what is answered was asked').answer = answer
      this.#due.add(key)
      return
    }
    this.#answer(held, answer)
    this.#settle(held)
  }

  /** A send that came back: the call decides whether those bytes still stand. */
  unsent(unsent: UnsentSend): void {
    if (this.#ports.store.ownerOf(unsent.origin.group) === this.#ports.life) this.#failed.push(unsent)
  }

  /** A commit of this life was applied, or was not. */
  outcome(commit: Commit, outcome: CommitOutcome): void {
    const entry = this.#open.get(commit.serial)
    if (entry === undefined) return
    const { held, commit: open } = entry
    switch (outcome) {
      case 'accepted':
        assert(held.open[0] === open, 'commits of a group are applied in order')
        held.open.shift()
        this.#open.delete(open.serial)
        this.#ports.outbox.committed(between(open.at, this.#ports.context().now))
        for (const id of commit.done) this.#intents.done({ group: held.key, id })
        for (const { id } of commit.opened) this.#intents.push({ group: held.key, id })
        held.released.push(...open.sends)
        held.answered.push(...open.handled)
        this.#due.add(held.key)
        return
      case 'duplicate':
        return
      case 'limit':
        // A counter is full (design.md 4, holds): there is no such call; what was built on it is handled again.
        this.#ports.outbox.count('commits_rejected_limit')
        this.#fall(held, open)
        this.#refuse(held, held.redo.splice(0, open.inputs.length))
        return
      case 'version':
      case 'not-owner':
        this.#ports.outbox.count(`commits_rejected_${outcome.replace('-', '_')}`)
        if (outcome === 'not-owner' || !this.#again(held, open)) this.#fall(held, open)
        return
      default:
        unreachable(outcome)
    }
  }

  /** A pulse fired timers: entities went, intents opened, versions rose. */
  fired(timers: readonly FiredTimer[]): void {
    for (const timer of timers) {
      if (this.#ports.store.ownerOf(timer.group) !== this.#ports.life) continue
      const held = this.#groups.get(timer.group)
      // Open commits were built on another version: they fall when their turn in the log comes.
      if (held !== undefined && held.open.length === 0) this.#rebase(held, localOf(held.group))
      // Its takeover would read the intent; but of a group that is in memory there may be none, though a sweep has it yet to pass.
      const isRead = held === undefined && this.#takeovers.has(timer.group)
      if (timer.action.kind === 'callback' && !isRead) {
        this.#intents.push({ group: timer.group, id: timer.id })
      }
    }
  }

  /** Owners were computed anew: what was lost is dropped, what was gained is taken over. */
  servingChanged(before: Serving, after: Serving): void {
    const { life, store } = this.#ports
    for (const key of [...this.#groups.keys()]) {
      if (store.ownerUnder(after, key) !== life) this.#drop(key)
    }
    this.#intents.keep(({ group }) => store.ownerUnder(after, group) === life)
    this.#takeovers.changed(before)
  }

  /** The store became another: nothing that is held here stands any more; what is owned is taken over. */
  storeReplaced(): void {
    for (const key of [...this.#groups.keys()]) this.#drop(key)
    this.#intents.clear()
    this.#takeovers.changed(null)
  }

  /** What is due: takeovers, intents, wakes (unless answers lie unread), what was released. Nothing while frozen. */
  turn(now: Instant, mayWake: boolean): void {
    if (this.#frozen) return
    this.#takeOver()
    this.#perform()
    if (mayWake) {
      this.#wakeSome(now)
      this.#giveUp(now)
    }
    for (const key of firstOf(this.#due, limits.inTurn)) {
      this.#due.delete(key)
      const held = this.#groups.get(key)
      if (held !== undefined) this.#flush(held)
    }
    if (this.#failed.length > 0) for (const unsent of this.#failed.splice(0, limits.inTurn)) this.#retract(unsent)
  }

  #retract(unsent: UnsentSend): void {
    const { origin, ...send } = unsent
    // It slept, and learned of its successor only after the send had come back.
    if (this.#ports.store.ownerOf(origin.group) !== this.#ports.life) return this.#ports.unsent(unsent)
    const held = this.#hold(origin.group)
    this.#handle(held, { kind: 'unsent', what: origin.what, ...send })
    this.#settle(held)
  }

  #takeOver(): void {
    if (!this.#takeovers.busy) return
    const { keys, found } = this.#takeovers.next(limits.takeoverBatch)
    if (found > 0) this.#ports.outbox.count('groups_taken_over', found)
    for (const key of keys) this.#settle(this.#hold(key))
  }

  /** DNS has answered: what waited for it is handled again, before anything that comes. */
  located(place: Place): void {
    const name = placeName(place)
    for (const key of [...this.#lost]) {
      const held = must(this.#groups.get(key), 'a group whose inputs wait is in memory')
      held.redo.push(...held.lost.filter((one) => one.place === name).map(({ input }) => input))
      held.lost = held.lost.filter((one) => one.place !== name)
      if (held.asking?.place === name) held.asking.place = ''
      if (held.lost.length === 0 && (held.asking?.place ?? '') === '') this.#lost.delete(key)
      this.#due.add(key)
    }
  }

  /** Whether `turn` has work now. */
  get busy(): boolean {
    if (this.#frozen) return false
    return this.#takeovers.busy || this.#due.size > 0 || this.#failed.length > 0 || this.#intents.busy
  }

  deadline(): Instant | null {
    if (this.#frozen) return null
    const wake = this.#wakes.peekPriority()
    const asked = this.#asks.deadline()
    return wake === undefined || asked === null
      ? ((wake as Instant | undefined) ?? asked)
      : (Math.min(wake, asked) as Instant)
  }

  /** The group in memory, loaded and taken over if that is still to be done. */
  #hold(key: GroupKey): Held {
    const isGained = this.#takeovers.take(key)
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const view = this.#ports.store.group(key)
    const held = newHeld(key, loadGroup(key, view, emptyLocal), view?.version ?? 0)
    this.#groups.set(key, held)
    if (isGained) {
      this.#handle(held, { kind: 'takeover' })
      for (const intent of view?.intents ?? []) this.#intents.push({ group: key, id: intent.id })
    }
    return held
  }

  #handle(held: Held, input: GroupInput): void {
    const context = this.#ports.context()
    const { group, asking } = held
    if (asking !== null) {
      if (passes(group, input, context)) this.#take(held, input, pass(group, input, context))
      else this.#queue(held, input)
      return
    }
    this.#take(held, input, stepGroup(group, input, context))
  }

  #queue(held: Held, input: GroupInput): void {
    if (input.kind === 'order' && held.queue.length >= appLimits.queuedOrders) {
      held.outcomes.set(input.ref, { kind: 'refused', reason: 'the session is busy: ask again', again: true })
      held.answered.push(input.ref)
      this.#due.add(held.key)
      return
    }
    held.queue.push(input)
    if (held.queue.length <= appLimits.queued) return
    this.#fail(held, `more than ${appLimits.queued} inputs wait for it`)
  }

  #ask(held: Held, input: GroupInput, ask: Ask): void {
    const { outbox } = this.#ports
    const id = this.#asks.begin(held.key, this.#ports.context().now)
    held.asking = { id, input, ask, answer: null, place: '' }
    outbox.count('handlers_asked')
    const view = { ...ask.call.view, groupVersion: held.version }
    outbox.push({ kind: 'ask', call: { ...ask.call, id, view } })
  }

  /** The input is handled with the answer, then those behind it, until there is one to be asked about. */
  #answer(held: Held, answer: AppAnswer): void {
    const asking = must(held.asking, 'what is answered was asked')
    const { event } = asking.ask
    const result = stepGroup(held.group, asking.input, this.#ports.context(), { event, answer })
    if (result.waitsFor !== null) {
      Object.assign(asking, { answer, place: placeName(result.waitsFor) })
      this.#lost.add(held.key)
      return
    }
    held.asking = null
    this.#take(held, asking.input, result)
    while (held.asking === null && held.queue.length > 0) {
      this.#handle(held, must(held.queue.shift(), 'an input waits'))
    }
  }

  #fail(held: Held, reason: string): void {
    this.#asks.take(must(held.asking, 'what fails was asked').id)
    this.#answer(held, { kind: 'failed', reason })
  }

  /** Handlers whose time is up. */
  #giveUp(now: Instant): void {
    for (let key = this.#asks.expired(now); key !== null; key = this.#asks.expired(now)) {
      const held = must(this.#groups.get(key), 'an asked group is in memory')
      this.#fail(held, `no answer within ${appLimits.handler / 1_000_000} s`)
      this.#settle(held)
    }
  }

  /** The state that it was asked on doesn't stand, or may not: what waits is handled again, after `first`. */
  #askAgain(held: Held, first: readonly GroupInput[] = []): void {
    const { asking } = held
    if (asking !== null) this.#asks.take(asking.id)
    held.asking = null
    held.redo = [...first, ...(asking === null ? [] : [asking.input]), ...held.queue, ...held.redo]
    held.queue = []
    this.#due.add(held.key)
  }

  #take(held: Held, input: GroupInput, result: StepResult): void {
    const before = held.group
    if ('ref' in input) held.elsewhere.delete(input.ref)
    if (result.outcome !== undefined && 'ref' in input) held.outcomes.set(input.ref, result.outcome)
    if (result.failure !== null) this.#tellFailure(held, result.failure)
    if (result.asks !== null) return this.#ask(held, input, result.asks)
    if (result.waitsFor !== null) {
      held.lost.push({ input, place: placeName(result.waitsFor) })
      this.#lost.add(held.key)
      return
    }
    held.group = result.group
    for (const { ref, to } of result.passedOn) held.elsewhere.set(ref, to)
    const last = held.open.at(-1)
    if (result.commit !== null && last !== undefined && this.#fold(held, last, result, input)) return
    if (last === undefined) {
      held.released.push(...result.sends)
      held.answered.push(...result.handled)
    } else {
      last.sends.push(...result.sends)
      if (result.sends.length > 0) this.#ports.hurry()
      last.handled.push(...result.handled)
      if (result.commit === null) last.inputs.push(input)
    }
    if (result.commit === null) {
      assert(result.after.length === 0 && result.handledAfter.length === 0, 'nothing waits for no commit')
    } else {
      const [sends, handled] = [[...result.after], [...result.handledAfter]]
      this.#propose(held, result.commit, { before, inputs: [input], sends, handled })
    }
    this.#release(held)
  }

  #propose(held: Held, body: CommitBody, what: Awaiting): void {
    const { life, store } = this.#ports
    const serial = ++this.#serial
    const commit: Commit = {
      ...body,
      kind: 'commit',
      group: held.key,
      expected: held.version,
      proposer: life,
      since: must(store.sinceOf(life), 'an owner serves'),
      judged: store.serving().version,
      serial,
      lowestOpen: this.#open.keys().next().value ?? serial,
      onto: held.open.at(-1)?.serial ?? 0,
    }
    const at = this.#ports.context().now
    const open: OpenCommit = { ...what, serial, at, commit, body: null }
    held.version++
    held.open.push(open)
    this.#open.set(serial, { held, commit: open })
    this.#ports.propose(() => bytesOf(open, this.#ports.store.format), what.sends.length > 0)
  }

  /** Makes the result part of the group's last open commit, if that has not left yet. */
  #fold(held: Held, last: OpenCommit, result: StepResult, input: GroupInput): boolean {
    if (last.body !== null || result.commit === null || last.inputs.length >= limits.folded) return false
    // What waits for it leaves as its bytes, and the later commit may supersede those (a CANCEL, then the 2xx).
    if (last.sends.length > 0) return false
    const folded = fold(result.group, last.commit, result.commit)
    if (folded === null) return false
    held.group = folded.group
    last.commit = { ...last.commit, ...folded.commit }
    last.inputs.push(input)
    last.sends.push(...result.sends, ...result.after)
    last.handled.push(...result.handled, ...result.handledAfter)
    if (last.sends.length > 0) this.#ports.hurry()
    return true
  }

  /** Nothing but timers came between: what it was made on stands, so that it goes again as it is, and so do later ones. */
  #again(held: Held, fallen: OpenCommit): boolean {
    const view = this.#ports.store.group(held.key)
    if (this.#frozen || held.open[0] !== fallen || view === null || !isUntouched(view, fallen)) return false
    if (held.open.some((open) => meetsFiring(view, open))) return false
    held.version = view.version
    const all = held.open.splice(0)
    for (const { serial } of all) this.#open.delete(serial)
    for (const open of all) this.#propose(held, open.commit, open)
    return true
  }

  /** That commit and all later ones of its group fall; their inputs are handled again, in order, on applied state. */
  #fall(held: Held, fallen: OpenCommit): void {
    const from = held.open.indexOf(fallen)
    assert(from >= 0, 'a fallen commit was open')
    const inputs: GroupInput[] = []
    const all = held.open.splice(from)
    for (const open of all) {
      this.#open.delete(open.serial)
      inputs.push(...open.inputs)
    }
    if (held.open.length === 0) this.#rebase(held, localOf(fallen.before))
    else {
      held.group = fallen.before
      held.version -= all.length
    }
    this.#askAgain(held, inputs)
  }

  /** The INVITE that would make one call too many gets 503; what else was part of its commit is handled again. So is what made an application
   * place that call: by now the counter is seen to be full, and its leg gets the 503. */
  #refuse(held: Held, inputs: readonly GroupInput[]): void {
    const others: GroupInput[] = []
    for (const input of inputs) {
      const invite = openingInvite(input)
      if (invite === null) others.push(input)
      else {
        held.released.push(refuseForNow(invite.message, invite.flow, this.#ports.context()))
        held.answered.push(invite.ref)
      }
    }
    held.redo.unshift(...others)
  }

  #rebase(held: Held, local: ReturnType<typeof localOf>): void {
    const view = this.#ports.store.group(held.key)
    held.group = loadGroup(held.key, view, local)
    held.version = view?.version ?? 0
    this.#due.add(held.key)
  }

  #flush(held: Held): void {
    this.#release(held)
    const { asking } = held
    if (asking !== null && asking.answer !== null && asking.place === '') this.#answer(held, asking.answer)
    this.#redo(held)
    this.#settle(held)
  }

  #tellFailure(held: Held, { application, handler, reason }: Failure): void {
    const { outbox } = this.#ports
    outbox.count('handlers_failed')
    const { now } = this.#ports.context()
    if (!this.#asks.isToBeTold(application, now)) return
    const said = `${handler} of application ${application} changes nothing: ${reason}`
    outbox.log('warn', 'handler-failed', said, { application, handler, reason, group: held.key })
  }

  #redo(held: Held): void {
    for (const input of held.redo.splice(0)) this.#handle(held, input)
  }

  #release(held: Held): void {
    if (this.#frozen) return
    for (const outgoing of held.released.splice(0)) {
      if (this.#ports.send(outgoing, held.key)) continue
      const { what, flow, data } = outgoing
      const lent = this.#ports.wasLent(outgoing, held.key) ? ({ mayHaveLeft: true } as const) : {}
      this.#failed.push({ origin: { group: held.key, what }, flow, data, reason: 'no-stream', ...lent })
    }
    for (const ref of held.answered.splice(0)) this.#handledRef(held, ref)
  }

  /** Arms the group's next wake, or lets go of a group that needs no memory. */
  #settle(held: Held): void {
    const at = wakeAt(held.group)
    if (at === null) this.#wakes.delete(held.key)
    else this.#wakes.set(held.key, Math.max(at, this.#ports.context().now + limits.grain))
    const left = held.released.length === 0 && held.answered.length === 0
    const waits = held.redo.length + held.lost.length + held.queue.length > 0 || held.asking !== null
    const quiet = held.open.length === 0 && !waits && left
    if (quiet && at === null && (isIdle(held.group) || (isInLog(held.group) && held.refs.size === 0))) {
      for (const ref of [...held.refs]) this.#handledRef(held, ref)
      this.#groups.delete(held.key)
      this.#unlogged.delete(held.key)
    } else if (held.group.entities.size === 0) this.#unlogged.add(held.key)
    else this.#unlogged.delete(held.key)
  }

  #dueWake(now: Instant): GroupKey | undefined {
    const at = this.#wakes.peekPriority()
    return at !== undefined && at <= now ? this.#wakes.peek() : undefined
  }

  #wakeSome(now: Instant): void {
    for (let left = limits.inTurn; left > 0; left--) {
      const key = this.#dueWake(now)
      if (key === undefined) return
      this.#wake(key)
    }
  }

  #wake(key: GroupKey): void {
    this.#wakes.delete(key)
    const held = must(this.#groups.get(key), 'a group with a wake is in memory')
    // Not before its commits: what a retransmission repeats must have been committed. `outcome` makes the group due.
    if (held.open.length > 0 || held.redo.length > 0) return
    this.#handle(held, { kind: 'wake' })
    this.#settle(held)
  }

  #perform(): void {
    for (let intent = this.#intents.take(); intent !== undefined; intent = this.#intents.take()) {
      const { group, id } = intent
      // Gone with its group, if a later timer of the same pulse took that.
      const open = this.#ports.store.intent(group, id)
      if (open === null) {
        this.#intents.done(intent)
        continue
      }
      const held = this.#hold(group)
      this.#handle(held, { kind: 'intent', ...open })
      this.#settle(held)
    }
  }

  #handledRef(held: Held, ref: InputRef): void {
    const outcome = held.outcomes.get(ref) ?? null
    const to = held.elsewhere.get(ref)
    held.outcomes.delete(ref)
    held.elsewhere.delete(ref)
    if (!held.refs.delete(ref)) return
    if (to === undefined) this.#ports.handled(ref, outcome)
    else this.#ports.passedOn(ref, to)
  }

  #drop(key: GroupKey): void {
    const held = must(this.#groups.get(key), 'a dropped group is in memory')
    for (const open of held.open) this.#open.delete(open.serial)
    if (held.asking !== null) this.#asks.take(held.asking.id)
    this.#intents.drop(key)
    this.#groups.delete(key)
    this.#unlogged.delete(key)
    this.#wakes.delete(key)
    this.#due.delete(key)
    this.#lost.delete(key)
    for (const ref of held.refs) this.#ports.dropped(ref)
  }
}

/** The input, if it may begin a call. */
function openingInvite(
  input: GroupInput,
): { readonly message: SipRequest; readonly flow: Flow; readonly ref: InputRef } | null {
  if (input.kind !== 'message' || input.message.kind !== 'request') return null
  const { message, flow, ref } = input
  return message.method === 'INVITE' && toTag(message) === null ? { message, flow, ref } : null
}

function bytesOf(open: OpenCommit, format: FormatNumber): Uint8Array {
  open.body ??= encodeBody(open.commit, format)
  return open.body
}
