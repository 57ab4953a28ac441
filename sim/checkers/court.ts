// All checkers, as the one listener of phones and machines. The first finding ends a run.

import { entityValue } from '../../src/call/entities.ts'
import { replicaId } from '../../src/base/brand.ts'
import type { ReplicaId } from '../../src/base/brand.ts'
import type { SnapshotMetadata } from '../../src/raft/message.ts'
import type { Effect, PeerSend } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Store } from '../../src/store/store.ts'
import { decodeFrame } from '../../src/wire/codec.ts'
import type { Agenda } from '../agenda.ts'
import type { Census } from '../census.ts'
import type { Certificate } from '../certificate.ts'
import type { Machine } from '../machine.ts'
import type { MachineWatch, Work } from '../machine-watch.ts'
import { LogMarks, Marks, PhoneMarks } from '../marks/coverage.ts'
import { FormatMarks } from '../marks/format-marks.ts'
import { MachineMarks } from '../marks/machine-marks.ts'
import { MemberMarks } from '../marks/member-marks.ts'
import { SnapshotMarks } from '../marks/snapshot-marks.ts'
import type { Message, RequestMessage, ResponseMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { PhoneWatch } from '../phones/surroundings.ts'
import { hasPlaces } from '../forks.ts'
import type { Own } from '../own/own.ts'
import { applicationOf, moduleOf } from '../plan.ts'
import type { Plan } from '../plan.ts'
import type { SocketAddress } from '../sip-network.ts'
import { Bounded } from './bounded.ts'
import { cutOffOf } from '../applications.ts'
import { isChain, proxiesOf } from '../chains.ts'
import { answersItself, dialogsOf } from '../end-applications.ts'
import { AppEffects } from './app-effects.ts'
import { AppKeys } from './app-keys.ts'
import { Handovers } from './handovers.ts'
import { AppTimers } from './app-timers.ts'
import { ByFlow } from './by-flow.ts'
import { Ends } from './app-ends.ts'
import { Askers } from './askers.ts'
import { Banned } from './bans.ts'
import { Established } from './c1-established.ts'
import { Ringing } from './c2-ringing.ts'
import { PassingOn } from './c2-passing.ts'
import { Provisional } from './c2-provisional.ts'
import { Takeovers } from './c2-takeover.ts'
import { ChainStates } from './chain-states.ts'
import { Events } from './c3-events.ts'
import { Once } from './c3-once.ts'
import { Compacted } from './compacted.ts'
import { Consistent } from './c4-consistent.ts'
import { SameBytes } from './c6-same-bytes.ts'
import { Counters } from './c7-counters.ts'
import { Ways } from './c7-ways.ts'
import { Detached } from './c8-detached.ts'
import { OneVoice } from './c8-one-voice.ts'
import { Lookups } from './c9-lookups.ts'
import { WebReads } from './c9-web.ts'
import type { Checker, Finding, Report } from './checker.ts'
import { Elections } from './l1-elections.ts'
import { Effects } from './l12-effects.ts'
import { Quorums } from './l4-quorums.ts'
import { Configurations } from './l8-configurations.ts'
import { Parting } from './l8-parting.ts'
import { Incarnations } from './l9-incarnations.ts'
import { Reads } from './l10-reads.ts'
import { Resources } from './resources.ts'
import { Ledger } from './ledger.ts'
import { FormatRules } from './formats.ts'
import { LogInvariants } from './log.ts'
import { Oracle } from './oracle.ts'
import { Orders } from './orders.ts'
import { OwnRequests } from './own-requests.ts'
import { Shed } from './shedding.ts'
import { SipRelay } from './sip-relay.ts'
import type { Witness } from '../witness.ts'
import type { TransportResets } from '../transport-resets.ts'

/** A call is excused if no quorum was there for this much of a phone's 32 s. */
const excusingOutage = 16_000_000
const phonesWait = 33_000_000
const noWayForAck = 'the ACK for its refusal had no way: the connection that its INVITE came on had ended'

export class Court implements PhoneWatch, MachineWatch {
  readonly oracle: Oracle
  readonly log: LogInvariants
  readonly marks = new Marks()
  readonly lookups: Lookups
  readonly banned: Banned
  readonly web: WebReads
  readonly orders: Orders
  readonly byFlow: ByFlow
  readonly #agenda: Agenda
  readonly #certificate: Certificate
  readonly #counters: Counters
  /** The set ends calls by itself. */
  readonly #isEnding: boolean
  readonly #takeovers: Takeovers
  readonly #passing: PassingOn
  readonly #ledger = new Ledger()
  readonly #checkers: readonly Checker[]
  /** Those that look at each step, effect and frame. */
  readonly #stepped: readonly Required<Checker>['stepped'][]
  readonly #leaving: readonly Required<Checker>['leaving'][]
  readonly #frames: readonly Required<Checker>['frameLeaving'][]
  readonly #excused = new Map<number, string>()
  readonly #transportResets: TransportResets
  readonly #resets = new Map<number, string>()
  readonly #pardoned = new Set<number>()
  /** By call, those that have said something. */
  readonly #phones = new Map<number, Set<Phone>>()
  /** A call has failed through a transport reset. */
  onReset: (call: number) => void = () => undefined
  readonly #census: Census | null
  /** Calls refused for want of disk. A refusal keeps no state (8.2.7): a copy of the INVITE that comes later is another call's
   * beginning to whoever owns its group then, and nobody answers for what comes of it. */
  readonly #refused = new Set<number>()
  #finding: Finding | null = null

  constructor(
    agenda: Agenda,
    plan: Plan,
    set: SocketAddress,
    certificate: Certificate,
    resets: TransportResets,
    census: Census | null,
    witness: Witness | null,
    own: Own | null,
  ) {
    this.#transportResets = resets
    this.#census = census
    this.#agenda = agenda
    this.#isEnding = (plan.lifetime ?? cutOffOf(applicationOf(plan))) !== null || isEnd(plan)
    this.#certificate = certificate
    const now = (): number => agenda.now
    const report: Report = (promise, text, phone) => this.#report(promise, text, phone?.options.call ?? null)
    const outage = (from: number, until: number): number => certificate.without(from, until)
    const effects = new Effects(report)
    const { appEffects, appTimers, appKeys, handovers, chains } = ofApplication(plan, report, now, outage)
    // They see what the others see, and judge no replica.
    const guests = [witness, own].filter((one) => one !== null)
    const passing = new PassingOn(report, now, outage, hasPlaces(plan.forks ?? ''))
    this.#passing = passing
    const shed = new Shed(report)
    const askers = new Askers()
    const takeovers = new Takeovers(report, now)
    this.#takeovers = takeovers
    this.lookups = new Lookups(report, now)
    this.web = new WebReads(report, this.marks)
    const logMarks = new LogMarks(this.marks, now)
    this.byFlow = new ByFlow(agenda, plan.edge, set, report, this.marks)
    this.banned = new Banned(report, now, () => this.oracle.store, this.marks)
    this.orders = new Orders(report, now)
    const dialogs = moduleOf(plan) === null ? dialogsOf(applicationOf(plan)) : null
    this.#counters = new Counters(report, plan.bounds ?? {}, dialogs)
    const told = [effects, appEffects, appKeys, chains, this.web, passing, shed, resets]
    this.oracle = new Oracle(
      report,
      now,
      outage,
      (commit) => told.forEach((one) => one?.accepted(commit)),
      (before, after) => {
        takeovers.reign(this.oracle.store, before, after)
        this.byFlow.reign(this.oracle.store, before, after)
        passing.reign(after)
      },
      (applied, store) => {
        logMarks.applied(applied, store)
        appTimers?.applied(applied, store)
        for (const one of guests) one.applied(applied, store)
        this.lookups.applied(applied, store)
        this.orders.applied(applied, store)
      },
    )
    const quorums = new Quorums(report, (id, at) => this.log.durableTerm(id, at))
    this.log = new LogInvariants(report, this.oracle, () => quorums.counted)
    this.#checkers = [
      ...guests,
      askers,
      quorums,
      this.log,
      new Elections(report),
      ...this.#ofPhones(plan, set, report, now),
      new SameBytes(report),
      effects,
      ...[appEffects, appTimers, handovers].filter((checker) => checker !== null),
      takeovers,
      passing,
      shed,
      new Bounded(report),
      ...(plan.compaction === undefined ? [] : [new Compacted(plan.compaction, report)]),
      new Resources(report, now, plan),
      new Configurations(report, (id) => this.log.durableEnd(id)),
      new Parting(report),
      new Incarnations(report),
      new FormatRules(report, now, (place) => isGivenUp(plan, place, agenda.now)),
      new Reads(report, () => this.log.committed),
      this.lookups,
      this.web,
      this.banned,
      this.orders,
      ...marksOf(this.marks, now, plan),
      new OneVoice(report, now, askers, (life, group) => this.oracle.takenSince(life, group)),
      new Detached(report, now, askers, this.marks, (replica) => certificate.cutSince(replica)),
    ]
    this.#stepped = this.#checkers.flatMap((checker) => checker.stepped?.bind(checker) ?? [])
    this.#leaving = this.#checkers.flatMap((checker) => checker.leaving?.bind(checker) ?? [])
    this.#frames = this.#checkers.flatMap((checker) => checker.frameLeaving?.bind(checker) ?? [])
  }

  /** What the phones hear. Where the set is an end of the calls, the other phone is no source of it. */
  #ofPhones(plan: Plan, set: SocketAddress, report: Report, now: () => number): readonly Checker[] {
    if (isEnd(plan))
      return [
        new Ends(report, isChain(applicationOf(plan)), moduleOf(plan) !== null),
        new Events(report, plan.udp.replay > 0, this),
      ]
    const lifetime = plan.lifetime ?? cutOffOf(applicationOf(plan))
    const { bounds } = plan
    const isLimited = mayRefuse(plan)
    return [
      new SipRelay(this.#ledger, set, report, now, lifetime !== null, proxiesOf(applicationOf(plan))),
      new OwnRequests(report, now, lifetime),
      new Established(this.#ledger, report),
      this.byFlow,
      new Ringing(
        this.#ledger,
        report,
        ({ options }) => this.#refused.add(options.call),
        isLimited,
        (phone, status) => this.byFlow.explains(phone, status),
      ),
      ...(bounds === undefined ? [] : [new Ways(this.#agenda, bounds, plan.forks ?? '', report)]),
      new Once(report, plan.udp.replay > 0),
      new Events(report, plan.udp.replay > 0, this),
      new Consistent(this.#ledger, report),
      ...(plan.udp.loss === 0 ? [new Provisional(report, now)] : []),
    ]
  }

  /** The first broken promise, or null. */
  get finding(): Finding | null {
    return this.#finding
  }

  /** Calls lost while no quorum could hold them, each with its certificate. */
  get excused(): ReadonlyMap<number, string> {
    return this.#excused
  }

  /** Calls that failed through what was lost with a stream, each with its certificate. */
  get resets(): ReadonlyMap<number, string> {
    return this.#resets
  }

  /** The Call-IDs of calls that failed with a certificate of either kind, or one of whose phones died: nobody repeats what the
   * other one's stream lost. */
  excusedCalls(phones: readonly Phone[]): ReadonlySet<string> {
    const sets = [this.#excused, this.#resets, this.#refused, this.#pardoned]
    const failed = phones.filter(({ options: { call } }) => sets.some((set) => set.has(call)))
    return new Set(failed.map(({ callId }) => callId))
  }

  /** One of the call's phones died, or is banned: what the other one misses is no fault of the set. */
  pardon(call: number): void {
    this.#pardoned.add(call)
  }

  /** Why a call's failure is nobody's fault; null = there is no reason. */
  excuseOf(call: number): string | null {
    if (this.#pardoned.has(call)) return 'one of its phones died'
    if (this.#refused.has(call)) return 'a replica had no room for it'
    return this.#excused.get(call) ?? this.#resets.get(call) ?? null
  }

  broken(promise: string, text: string): void {
    this.#report(promise, text, null)
  }

  sent(phone: Phone, message: Message): void {
    this.#ledger.add(phone, message)
    const { call } = phone.options
    this.#phones.set(call, (this.#phones.get(call) ?? new Set()).add(phone))
    for (const checker of this.#checkers) checker.sent?.(phone, message)
  }

  received(phone: Phone, message: Message, text: string): void {
    if (message.kind === 'response' && message.status === 408) this.#gaveUp(phone, message)
    for (const checker of this.#checkers) checker.received?.(phone, message, text)
  }

  malformed(phone: Phone, _text: string, problem: string): void {
    this.#report('sip', `${phone} received what is no SIP message: ${problem}`, phone.options.call)
  }

  rangAgain(phone: Phone, invite: RequestMessage): void {
    for (const checker of this.#checkers) checker.rangAgain?.(phone, invite)
  }

  timedOut(phone: Phone, request: RequestMessage): void {
    if (this.#isDeserted(phone)) return
    if (this.#isReset(phone, request, 'answer')) return
    for (const checker of this.#checkers) checker.timedOut?.(phone, request)
  }

  unacknowledged(phone: Phone, request: RequestMessage, status: number): void {
    if (this.#isDeserted(phone)) return
    const isRepeated = status < 300 && phone.options.oddity?.kind !== 'terse'
    if (status >= 300 && phone.options.line?.hasLost(phonesWait) === true) return this.#resetBy(phone, noWayForAck)
    if (!isRepeated && this.#isReset(phone, request, 'ack')) return
    for (const checker of this.#checkers) checker.unacknowledged?.(phone, request, status)
  }

  /** The other one has left the call without a word: what is missing then is its fault. */
  #isDeserted({ options }: Phone): boolean {
    return [...(this.#phones.get(options.call) ?? [])].some(({ isGone }) => isGone)
  }

  started(machine: Machine): void {
    for (const checker of this.#checkers) checker.started?.(machine)
  }

  died(machine: Machine): void {
    this.#census?.died(machine)
    this.#transportResets.died(machine.life)
    for (const checker of this.#checkers) checker.died?.(machine)
  }

  stepped(machine: Machine, input: Input, effects: readonly Effect[]): void {
    this.#census?.stepped(machine, input, effects)
    const raft = machine.replica?.raft
    if (raft !== undefined && raft.configurationIndex <= raft.commitIndex)
      this.#certificate.configured(raft.configurationIndex, raft.configuration.voters, this.#agenda.now)
    for (const stepped of this.#stepped) stepped(machine, input, effects)
  }

  leaving(machine: Machine, effect: Effect, work: Work): void {
    this.#census?.leaving(machine, effect)
    for (const leaving of this.#leaving) leaving(machine, effect, work)
    if (effect.kind === 'peer') this.#frameLeaving(machine, effect, work)
  }

  snapshotStands(machine: Machine, metadata: SnapshotMetadata, dropped: number): void {
    for (const checker of this.#checkers) checker.snapshotStands?.(machine, metadata, dropped)
  }

  tooOld(machine: Machine): void {
    for (const checker of this.#checkers) checker.tooOld?.(machine)
  }

  /** Read once for all checkers: reading costs more than checking. */
  #frameLeaving(machine: Machine, effect: PeerSend, work: Work): void {
    const frame = decodeFrame(effect.frame)
    if (!frame.ok) this.broken('L12', `replica ${machine.id} sends a frame that can't be read: ${frame.error}`)
    else for (const leaving of this.#frames) leaving(machine, frame.value, effect.to, work)
  }

  moment(machine: Machine, work: Work): void {
    this.#census?.moment(machine, work, this.#agenda.now)
  }

  /** To be called every now and then. */
  look(machines: readonly Machine[], phones: readonly Phone[]): void {
    // A call that is stuck, or ended on one side only, counts until its timers end it: C10 sees that they do. So does one that was
    // lost without a quorum, until who owns it is fresh again.
    const isOdd = this.#resets.size + this.#pardoned.size + this.#excused.size > 0
    if (!isOdd && !(this.#isEnding && isHangingUp(this.oracle.store, phones))) {
      const talking = this.#counters.look(machines, phones, this.log.committed)
      if (talking === 0) for (const checker of this.#checkers) checker.atRest?.()
    }
    this.#takeovers.look(this.oracle.store)
    this.#passing.look()
    this.oracle.look()
    this.banned.look()
  }

  quiet(machines: readonly Machine[], phones: readonly Phone[]): void {
    for (const checker of this.#checkers) checker.quiet?.(machines, phones)
  }

  /** The set's own 408, once the callee's answer was lost with its stream and did not come again. */
  #gaveUp(phone: Phone, message: ResponseMessage): void {
    const request = this.#ledger.own(phone, message)
    if (request === undefined || this.#ledger.response(phone, message) !== undefined) return
    this.#isReset(phone, request, 'answer')
  }

  /** Whether what a phone misses was lost with a stream. */
  #isReset(phone: Phone, request: RequestMessage, missing: 'answer' | 'ack'): boolean {
    const { call } = phone.options
    if (this.#resets.has(call)) return true
    if (this.#pardoned.has(call)) return false
    const certificate = this.#transportResets.certificate(request, missing)
    if (certificate === null) return false
    this.#resetBy(phone, certificate)
    return true
  }

  #resetBy(phone: Phone, certificate: string): void {
    const { call } = phone.options
    this.#resets.set(call, `${phone}: ${certificate}`)
    this.onReset(call)
  }

  #report(promise: string, text: string, call: number | null): void {
    const at = this.#agenda.now
    if (call !== null && (this.#excused.has(call) || this.#resets.has(call))) return
    if (call !== null && this.#pardoned.has(call) && (promise === 'C1' || promise === 'C2')) return
    if (call !== null && this.#refused.has(call)) return this.onReset(call)
    if (call !== null && (promise === 'C1' || promise === 'C2')) {
      const without = this.#certificate.without(at - phonesWait, at)
      if (without >= excusingOutage) {
        this.#excused.set(call, `${text}; no quorum for ${Math.round(without / 1_000)} ms of the 33 s before`)
        return
      }
    }
    this.#finding ??= { promise, at, text, call }
  }
}

/** Whether the phones talk to the set, or to whom an application chose, and not to each other. */
function isEnd(plan: Plan): boolean {
  return moduleOf(plan) !== null || answersItself(applicationOf(plan))
}

function founders({ replicas }: Plan): readonly ReplicaId[] {
  return Array.from({ length: replicas }, (_, i) => replicaId(i + 1))
}

/** While the set hangs up, or has still to see that a phone is gone, people and counters may differ. */
function isHangingUp(store: Store, phones: readonly Phone[]): boolean {
  const gone = new Set(phones.filter(({ isGone }) => isGone).map(({ callId }) => callId))
  for (const group of store.groups()) {
    for (const entity of store.group(group)?.entities ?? []) {
      const value = entityValue(entity)
      if (value?.kind === 'own' || (value?.kind === 'uac' && value.method === 'BYE')) return true
      if (value?.kind === 'dialog' && value.state === 'confirmed' && gone.has(value.callId)) return true
    }
  }
  return false
}

/** Whether there may be no room for a call. */
function mayRefuse({ bounds, faults }: Plan): boolean {
  return bounds !== undefined || faults.some(({ kind }) => kind === 'overload')
}

/** Its operator has told the set to go on without it: nobody waits for what it reads. */
function isGivenUp({ faults }: Plan, place: number, now: number): boolean {
  return faults.some((fault) => {
    return (fault.kind === 'remove' || fault.kind === 'replace') && fault.replica === place && fault.at <= now
  })
}

function ofApplication(
  plan: Plan,
  report: Report,
  now: () => number,
  outage: (from: number, until: number) => number,
): {
  appEffects: AppEffects | null
  appTimers: AppTimers | null
  appKeys: AppKeys | null
  handovers: Handovers | null
  chains: ChainStates | null
} {
  const application = applicationOf(plan)
  return {
    appEffects: application === undefined ? null : new AppEffects(report, application, now, outage),
    appTimers: application === 'keeps-time' ? new AppTimers(report) : null,
    appKeys: application === 'keyed' ? new AppKeys(report) : null,
    handovers: application === 'hands-over' ? new Handovers(report, now, outage) : null,
    chains: isChain(application) ? new ChainStates(report) : null,
  }
}

/** Those that count rare moments, and judge nothing. */
function marksOf(marks: Marks, now: () => number, plan: Plan): readonly Checker[] {
  return [
    new MachineMarks(marks, now),
    new PhoneMarks(marks),
    new SnapshotMarks(marks),
    new FormatMarks(marks),
    new MemberMarks(marks, founders(plan)),
  ]
}
