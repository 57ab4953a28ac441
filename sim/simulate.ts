// One run: a plan in, what happened out. The world is made here and nowhere else.
//
//   safety phase:   calls start, faults strike; every promise but C10 is checked all the time
//   liveness phase: faults have stopped, the dead are back; C10 must come true within a bounded true time

import { must } from '../src/base/assert.ts'
import { seconds } from '../src/base/instant.ts'
import type { CallSettings } from '../src/call/contract.ts'
import type { HttpReply, Reply } from '../src/replica/effect.ts'
import { Agenda } from './agenda.ts'
import { BanOrders, firstBanQuestion } from './ban-orders.ts'
import { OrderClients, firstOrderQuestion } from './order-clients.ts'
import type { Census } from './census.ts'
import { Certificate } from './certificate.ts'
import { covers, listOf } from './checkers/bans.ts'
import { unconverged, unsettled } from './checkers/c10-converged.ts'
import type { Finding, Report } from './checkers/checker.ts'
import { Court } from './checkers/court.ts'
import { Doors } from './doors.ts'
import { drawHex } from './draws.ts'
import { Edge } from './edge.ts'
import type { Spell } from './fault.ts'
import { flowNamed } from './flows.ts'
import { calledOn, contactsOf, doorOf, hasPlaces, nameOfDoor, nextHopsOf, redirects } from './forks.ts'
import type { Flow, Side, Transport } from './ladder.ts'
import { lifetimeOf } from './lifetime.ts'
import { Machine } from './machine.ts'
import type { MarkCounts } from './marks/list.ts'
import { Operator } from './operator.ts'
import type { Own } from './own/own.ts'
import { PeerNetwork, placesOf } from './peer-network.ts'
import type { Line } from './phones/line.ts'
import { Phone } from './phones/phone.ts'
import type { Oddity } from './phone-faults.ts'
import type { PhoneNetwork, PhoneOptions } from './phones/surroundings.ts'
import { describePlan } from './plan.ts'
import { OTHER_LEG } from './b2bua.ts'
import { hasLegs } from './end-applications.ts'
import { applicationOf, moduleOf } from './plan.ts'
import type { Plan, PlannedCall, PlannedLookup } from './plan.ts'
import { SetAddress } from './set-address.ts'
import { SipNetwork } from './sip-network.ts'
import type { SocketAddress } from './sip-network.ts'
import { StreamNetwork } from './stream-network.ts'
import { Strikes } from './strikes.ts'
import { Trace, formatTime } from './trace.ts'
import { TransportResets } from './transport-resets.ts'
import type { Listener } from './trace.ts'
import { WebClients } from './web-clients.ts'
import type { Witness } from './witness.ts'
import { header } from './phones/message.ts'
import type { HeaderLine } from './phones/message.ts'

export interface RunResult {
  readonly seed: number
  readonly calls: number
  readonly kills: number
  readonly faults: number
  readonly lost: number
  readonly excused: number
  readonly transportResets: number
  readonly events: number
  readonly simulatedSeconds: number
  readonly traceHash: string
  /** The hash after each thousand events. */
  readonly hashes: readonly string[]
  /** How often each rare moment was reached (marks/list.ts). */
  readonly marks: MarkCounts
  readonly failure: Failure | null
}

export interface Failure extends Finding {
  readonly seed: number
  /** `safety`: a promise was broken; `liveness`: no convergence. */
  readonly kind: 'safety' | 'liveness'
}

const second = 1_000_000
/** The longest flow, which timer C ends, and what its phones' retransmissions may add. */
const callsEndWithin = 240 * second
/** After the last call: 64*T1 for INVITE transactions and BYEs, their timers' slack, an election. */
const forgottenWithin = 75 * second
/** A session that a browser's request began, and whose handler then never ran, expires by itself. */
const sessionsExpireWithin = 200 * second
/** ...and an alias goes 128*T1 after what it leads to (src/call/alias.ts). */
const aliasesForgottenWithin = 70 * second
/** How often counters are compared with the calls that are alive. */
const lookEvery = second / 5
/** Of people in a call that is stuck. */
const patience = 12 * second
const setAddress: SocketAddress = { host: '127.0.0.10', port: 5060 }
const doorAddress: SocketAddress = doorOf(1)

type Steps<T> = Generator<undefined, T, undefined>

/** Throws if the plan names what there isn't. */
export function simulate(
  plan: Plan,
  listen: Listener | null = null,
  census: Census | null = null,
  witness: Witness | null = null,
): RunResult {
  const steps = simulateInSteps(plan, null, listen, census, witness)
  const { value } = steps.next()
  return must(value ?? null, "nothing waits where all applications are the simulator's")
}

/** The same with a user's applications (sim/own/): a step ends when a handler waits for what is outside of the simulated world. */
export function simulateInSteps(
  plan: Plan,
  own: Own | null,
  listen: Listener | null,
  census: Census | null,
  witness: Witness | null,
): Generator<undefined, RunResult, undefined> {
  if (own === null && moduleOf(plan) !== null)
    throw new Error("the plan's calls are of a user's applications: simulateApplications() runs it")
  return new Run(plan, own, listen, census, witness).run()
}

class Run {
  readonly #plan: Plan
  readonly #agenda = new Agenda()
  readonly #trace: Trace
  readonly #peers: PeerNetwork
  readonly #sip: SipNetwork
  readonly #streams: StreamNetwork
  readonly #certificate: Certificate
  readonly #court: Court
  readonly #machines: readonly Machine[]
  readonly #phones: Phone[] = []
  /** Calls whose phones repeat for longer than their source is banned. */
  readonly #outlasting = new Set<number>()
  readonly #doors: Doors
  readonly #witness: Witness | null
  readonly #strikes: Strikes
  readonly #operator: Operator
  readonly #bans: BanOrders
  readonly #browsers: WebClients
  readonly #clients: OrderClients
  readonly #edge: Edge | null
  readonly #own: Own | null

  constructor(plan: Plan, own: Own | null, listen: Listener | null, census: Census | null, witness: Witness | null) {
    this.#plan = plan
    this.#own = own
    this.#witness = witness
    const agenda = this.#agenda
    if (witness !== null) witness.now = () => agenda.now
    const trace = new Trace(() => agenda.now, listen)
    this.#trace = trace
    this.#peers = new PeerNetwork(agenda, plan)
    const resets = new TransportResets(() => agenda.now)
    const address = new SetAddress(agenda, plan)
    this.#streams = new StreamNetwork(agenda, plan, trace, setAddress, address, resets)
    this.#sip = new SipNetwork(agenda, plan, trace, setAddress, address, this.#streams)
    this.#certificate = new Certificate(this.#peers, plan.replicas)
    this.#court = new Court(agenda, plan, setAddress, this.#certificate, resets, census, witness, own)
    const nextHops = plan.forks === undefined ? undefined : nextHopsOf(plan.forks)
    const settings: CallSettings = {
      sip: setAddress,
      nextHop: plan.nextHop ? (nextHops?.[0]?.[0] ?? { ...doorAddress, transport: null }) : null,
      ...(plan.bounds === undefined ? {} : { bounds: plan.bounds }),
      nextHops,
      names: hasPlaces(plan.forks ?? ''),
      followsRedirects: redirects(plan.forks ?? ''),
      ...(plan.keyAge === undefined ? {} : { keyAge: seconds(plan.keyAge) }),
      ...(plan.lifetime === undefined ? {} : { lifetime: lifetimeOf(plan.lifetime) }),
      ...(own === null || own.table === null ? {} : { router: own.table }),
    }
    const answered = (reply: Reply): void => {
      if (own?.answered(reply) === true) return
      if (reply.id >= firstOrderQuestion) this.#clients.answered(reply)
      else if (reply.id >= firstBanQuestion) this.#bans.answered(reply)
      else this.#operator.answered(reply)
    }
    const answeredWeb = (reply: HttpReply): void => (own ?? this.#browsers).answeredWeb(reply)
    const [peerNetwork, sip] = [this.#peers, this.#sip]
    const told = { answered, answeredWeb, watch: this.#court }
    const parts = { agenda, plan, trace, peers: peerNetwork, sip, settings, own, ...told }
    const machines = Array.from({ length: placesOf(plan) }, (_, i) => new Machine(i + 1, parts))
    this.#machines = machines
    this.#browsers = new WebClients(agenda, plan, trace, machines, this.#court.web, (call) => this.#callId(call))
    this.#operator = new Operator(agenda, plan.seed, trace, machines, {
      came: () => this.#certificate.update(agenda.now),
      listed: (place, is) => address.list(place, is),
    })
    this.#bans = new BanOrders(agenda, trace, machines, this.#court.banned)
    this.#clients = new OrderClients(agenda, plan.seed, trace, machines, this.#court.orders)
    this.#edge = this.#makeEdge(plan)
    const [streams, edge, phones, broken] = [
      this.#streams,
      this.#edge,
      this.#phones,
      this.#court.broken.bind(this.#court),
    ]
    this.#doors = new Doors({
      sip: this.#sip,
      streams,
      edge,
      set: setAddress,
      forks: plan.forks ?? '',
      isOwn: own !== null,
      phones,
      broken,
    })
    const onBan = (fault: Spell & { kind: 'ban' }): void => this.#ban(fault)
    const [operator, bans] = [this.#operator, this.#bans]
    const [peers, certificate, until] = [this.#peers, this.#certificate, plan.safetyUntil]
    this.#strikes = new Strikes({ agenda, trace, peers, certificate, machines, operator, bans, onBan, until })
  }

  /** A step ends when a user's handler waits for the outside. */
  *run(): Steps<RunResult> {
    const { safetyUntil } = this.#plan
    let failure: Failure | null
    try {
      this.#prepare()
      const stop = (): boolean => this.#court.finding !== null
      yield* this.#runUntil(safetyUntil, stop)
      failure = this.#safety() ?? (yield* this.#converge())
    } catch (error) {
      // A replica's assertion: its own word that something can't go on.
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      failure = { promise: 'assertion', at: this.#agenda.now, text, call: null, seed: this.#plan.seed, kind: 'safety' }
    }
    return this.#result(failure)
  }

  *#runUntil(end: number, stop: () => boolean): Steps<void> {
    const own = this.#own
    if (own === null) return this.#agenda.runUntil(end, stop)
    for (;;) {
      this.#agenda.runUntil(end, () => own.isWaiting || stop())
      if (!own.isWaiting) return
      yield
    }
  }

  #prepare(): void {
    for (const line of describePlan(this.#plan)) this.#trace.tell(line)
    for (const machine of this.#machines) {
      this.#agenda.at(machine.place * 1_000, () => this.#strikes.start(machine, 0))
    }
    for (const fault of this.#plan.faults) this.#strikes.schedule(fault)
    this.#plan.calls.forEach((call, i) => this.#scheduleCall(call, call.number ?? i + 1))
    this.#plan.lookups?.forEach((lookup, i) => this.#scheduleLookup(lookup, i + 1))
    this.#clients.schedule(this.#plan.races ?? [])
    this.#lookAround()
    this.#beginOwn()
    const { calls, forks } = this.#plan
    for (const i of (forks === undefined ? ['udp'] : calledOn(forks, 'udp')).keys()) this.#doors.open(i + 1)
    // One door for all callees: it refuses connections if each of them does.
    const refuses = calls.length > 0 && calls.every((call) => this.#flowOf(call)?.takesStreams === false)
    if (!refuses) this.#doors.takeStreams(1)
    this.#court.onReset = (call) => this.#giveUp(call)
    this.#streams.onWritten = (from, text) => this.#witness?.datagram(from, text)
  }

  #beginOwn(): void {
    const [agenda, trace, machines, court] = [this.#agenda, this.#trace, this.#machines, this.#court]
    const { seed } = this.#plan
    const outage = (from: number, until: number): number => this.#certificate.without(from, until)
    const report: Report = (promise, text) => court.broken(promise, text)
    this.#own?.begin({ agenda, trace, seed, machines, report, excuseOf: (call) => court.excuseOf(call), outage })
  }

  #lookAround(): void {
    this.#court.look(this.#machines, this.#phones)
    this.#agenda.after(lookEvery, () => this.#lookAround())
  }

  #scheduleLookup({ at, replica, call }: PlannedLookup, id: number): void {
    const callId = this.#callId(call)
    this.#court.lookups.follow(callId)
    this.#agenda.at(at, () => {
      this.#court.lookups.asked(id, callId)
      this.#machines[replica - 1]?.host?.deliver({ kind: 'admin', id, query: { kind: 'call', callId } })
    })
  }

  #callId(call: number): string {
    return `${drawHex(this.#plan.seed, `call ${call}`, 16)}@sim`
  }

  #flowOf({ flow }: PlannedCall): Flow | undefined {
    return this.#own === null ? flowNamed(flow) : this.#own.call(flow)?.flow
  }

  #scheduleCall(planned: PlannedCall, call: number): void {
    const flow = this.#flowOf(planned)
    if (flow === undefined) throw new Error(`no flow is named ${planned.flow}`)
    const { seed, redrawn, nextHop, forks } = this.#plan
    const [callerSpeaks, calleeSpeaks] = transportsOf(planned, flow, nextHop)
    const called = this.#own?.call(planned.flow)
    const callId = this.#callId(call)
    const line = this.#lineOf(planned, call)
    const callerAt = { host: `10.0.${call >> 8}.${call & 255}`, port: 5060 }
    const calleeAt = line?.options.address ?? calleeAddress(call)
    const requestUri =
      line !== null
        ? line.contact
        : nextHop
          ? `sip:${called?.to ?? `callee${call}`}@${setAddress.host}`
          : `sip:callee${call}@${calleeAt.host}:${calleeAt.port}${callerSpeaks === calleeSpeaks ? '' : `;transport=${calleeSpeaks}`}`
    const common = {
      seed,
      redrawn,
      call,
      callId,
      flow,
      isBrisk: planned.isBrisk ?? false,
      proxy: setAddress,
      requestUri,
    }
    const oddity = (side: Side): Oddity | null => (planned.odd?.side === side ? planned.odd.oddity : null)
    const [calleeIs, callerIs] = [oddity('callee'), oddity('caller')]
    const calleesId = hasLegs(applicationOf(this.#plan)) ? OTHER_LEG + callId : callId
    const callee = this.#phone({
      ...common,
      callId: calleesId,
      ...userOf(called?.to),
      takesCallId: called !== undefined,
      ...routingOf(forks, 1),
      ...(line === null ? {} : { line }),
      side: 'callee',
      ordinal: 1,
      address: calleeAt,
      transport: line?.options.edge.transport ?? calleeSpeaks,
      // Whoever speaks UDP somewhere on the way needs its repetitions.
      oddity: calleeIs?.kind === 'terse' && callerSpeaks === 'udp' ? null : calleeIs,
    })
    const routes = (): readonly string[] =>
      line === null ? [] : (this.#edge?.routesTo(line, callId, planned.isForged === true) ?? [])
    const caller = this.#phone({
      ...common,
      ...userOf(called?.from),
      routes,
      side: 'caller',
      ordinal: 1,
      address: callerAt,
      transport: callerSpeaks,
      oddity: callerIs,
      ...(planned.flow === 'replaces' ? { more: () => this.#replaces(call - 1) } : {}),
    })
    const isCalled = called?.from === null
    const phones = isCalled ? [callee] : [caller, callee]
    for (const phone of phones) this.#goWrong(phone, planned.at)
    this.#phones.push(...phones)
    if (!isCalled) this.#attach(caller)
    if (flow.calleePresent && line === null) {
      this.#attach(callee)
      this.#doors.leadTo(callee, calleesId, 1)
    }
    if (isCalled) return
    if (forks !== undefined) this.#addCallees(common, calledOn(forks, callerSpeaks))
    const begin = (): void => this.#begin(caller, callee)
    this.#agenda.at(planned.at, line === null ? begin : () => this.#edge?.whenRegistered(line, begin))
  }

  /** The registered phone that a call goes to, where they do. */
  #lineOf({ line }: PlannedCall, call: number): Line | null {
    return this.#edge?.line(line ?? call, calleeAddress(line ?? call)) ?? null
  }

  #makeEdge({ seed, redrawn, edge }: Plan): Edge | null {
    if (edge === undefined) return null
    const [agenda, network, rules] = [this.#agenda, this.#phoneNetwork, this.#court.byFlow]
    const attach = (line: Line): void => {
      const at = line.options.address
      this.#sip.attachPhone(at, (data, from) => line.receive(data, { from, at, end: null }))
      if (!edge.outbound) this.#streams.listen(at, (end) => line.accept(end))
    }
    return new Edge({ agenda, seed, redrawn, edge, proxy: setAddress, network, rules, attach })
  }

  /** RFC 3891: the dialog of that call's caller, if it is in one. */
  #replaces(call: number): readonly HeaderLine[] {
    const caller = this.#phones.find(({ side, options }) => side === 'caller' && options.call === call)
    const dialog = caller?.replaceable ?? null
    return dialog === null ? [] : [header('Replaces', dialog)]
  }

  /** Those of a fork, besides the first one. */
  #addCallees(
    common: Omit<PhoneOptions, 'side' | 'ordinal' | 'address' | 'transport' | 'oddity' | 'contacts' | 'name'>,
    on: readonly Transport[],
  ): void {
    const { call, callId, flow } = common
    for (const [i, transport] of on.entries()) {
      const steps = i === 0 ? null : (flow.fork?.others[i - 1] ?? null)
      if (steps === null) continue
      const address = { host: `10.${10 + i}.${call >> 8}.${call & 255}`, port: 5062 }
      const options = {
        ...common,
        ...routingOf(this.#plan.forks, i + 1),
        flow: { ...flow, steps },
        side: 'callee',
        ordinal: i + 1,
        address,
        transport,
      } as const
      const callee = this.#phone({ ...options, oddity: null })
      this.#phones.push(callee)
      this.#attach(callee)
      this.#doors.leadTo(callee, callId, i + 1)
    }
  }

  /** Calls of that source that are up fail through no fault of the set, unless their phones repeat for longer; so do those that begin
   * while it may be banned. */
  #ban({ source, isOutlasted }: Spell & { kind: 'ban' }): void {
    const isOf = (phone: Phone): boolean => covers(source, phone.options.address.host)
    for (const phone of this.#phones.filter(isOf)) {
      const { call, transport } = phone.options
      if (isOutlasted === true && transport === 'udp') this.#outlasting.add(call)
      else if ((phone.started || phone.options.line !== undefined) && !phone.settled) this.#pardon(call)
    }
  }

  /** A call begins. */
  #begin(caller: Phone, callee: Phone): void {
    const { call } = caller.options
    const sources = [...this.#bans.unsure, ...listOf(this.#court.oracle.store)]
    const isBanned = [caller, callee].some(({ options }) => sources.some((one) => covers(one, options.address.host)))
    if (isBanned && !this.#outlasting.has(call)) this.#pardon(call)
    caller.start()
  }

  #pardon(call: number): void {
    this.#court.pardon(call)
    this.#giveUp(call)
  }

  /** What happens to a phone at its time. */
  #goWrong(phone: Phone, from: number): void {
    const { call, oddity, address } = phone.options
    if (oddity?.kind === 'reset') this.#agenda.at(from + oddity.after, () => this.#streams.resetPhone(address.host))
    if (oddity?.kind !== 'dead') return
    this.#agenda.at(from + oddity.after, () => {
      this.#trace.tell(`${phone} dies`)
      phone.die()
      this.#pardon(call)
    })
  }

  #phone(options: PhoneOptions): Phone {
    return new Phone(this.#agenda, options, this.#phoneNetwork, this.#court)
  }

  get #phoneNetwork(): PhoneNetwork {
    return {
      datagram: (from, to, text) => {
        this.#witness?.datagram(from, text)
        this.#sip.fromPhone(from, to, text)
      },
      connect: (from, receiver) => this.#streams.connect(from, receiver),
    }
  }

  #attach(phone: Phone): void {
    const at = phone.options.address
    this.#sip.attachPhone(at, (data, from) => phone.receive(data, { from, at, end: null }))
    const { side, flow } = phone.options
    if (side === 'caller' || flow.takesStreams) this.#streams.listen(at, (end) => phone.accept(end))
  }

  /** A call failed through a transport reset, or a phone died: whoever is left sees that it is stuck. */
  #giveUp(call: number): void {
    this.#agenda.after(patience, () => {
      const stuck = this.#phones.filter((phone) => phone.options.call === call && phone.started && !phone.settled)
      for (const phone of stuck) phone.giveUp()
      if (this.#phones.some((phone) => phone.options.call === call && !phone.settled)) this.#giveUp(call)
    })
  }

  /** Faults have stopped: the dead come back, disks are put right, links and network are perfect. */
  *#converge(): Steps<Failure | null> {
    this.#sip.becomePerfect()
    for (const machine of this.#machines) {
      machine.mend()
      this.#strikes.start(machine, this.#plan.safetyUntil)
    }
    const stopped = (done: () => boolean) => (): boolean => this.#court.finding !== null || done()
    const settled = this.#paced(() => unsettled(this.#phones) === null)
    yield* this.#runUntil(this.#agenda.now + callsEndWithin, stopped(settled))
    const busy = unsettled(this.#phones)
    if (this.#court.finding === null && busy !== null) return this.#liveness(busy)
    let keptBy = Number.MAX_SAFE_INTEGER
    const unready = (): string | null => {
      const isBrief = (this.#plan.isBrief === true || this.#agenda.now >= keptBy) && !this.#isToCome()
      const members = this.#machines.filter(({ isMember }) => isMember)
      return (
        this.#operator.open ??
        this.#bans.open ??
        this.#clients.open ??
        this.#own?.open ??
        unconverged(members, this.#phones, this.#court.excusedCalls(this.#phones), isBrief)
      )
    }
    const converged = this.#paced(() => unready() === null)
    const expiring = (this.#plan.browsers ?? []).length > 0 || this.#own !== null ? sessionsExpireWithin : 0
    const aliases = hasAliases(this.#plan) ? aliasesForgottenWithin : 0
    const until = this.#agenda.now + forgottenWithin + expiring + aliases
    // A user's sessions that are there by then are there to stay.
    if (this.#own !== null) keptBy = until - second
    yield* this.#runUntil(until, stopped(converged))
    const left = unready()
    if (this.#court.finding === null && left !== null) return this.#liveness(left)
    this.#court.quiet(this.#machines, this.#phones)
    if (this.#isToCome()) {
      this.#court.broken('determinism', 'the crash point was not reached')
    }
    return this.#safety()
  }

  /** Whether a crash point has not been reached yet. */
  #isToCome(): boolean {
    return this.#strikes.struck < this.#plan.faults.filter(({ kind }) => kind === 'crash').length
  }

  /** Asks at most four times a simulated second. */
  #paced(ask: () => boolean): () => boolean {
    let next = 0
    return () => {
      if (this.#agenda.now < next) return false
      next = this.#agenda.now + second / 4
      return ask()
    }
  }

  #safety(): Failure | null {
    const { finding } = this.#court
    return finding === null ? null : { ...finding, seed: this.#plan.seed, kind: 'safety' }
  }

  #liveness(text: string): Failure {
    const { seed } = this.#plan
    const at = this.#agenda.now
    return { promise: 'C10', at, text: `${text} (at ${formatTime(at).trim()} s)`, call: null, seed, kind: 'liveness' }
  }

  #result(failure: Failure | null): RunResult {
    const { lost, duplicated } = this.#sip
    if (failure !== null) this.#trace.tell(`FAILURE ${failure.promise}: ${failure.text}`)
    return {
      seed: this.#plan.seed,
      calls: this.#plan.calls.length,
      kills: this.#strikes.kills,
      faults: this.#strikes.count + lost + duplicated,
      lost: failure !== null && failure.call !== null ? 1 : 0,
      excused: this.#court.excused.size,
      transportResets: this.#court.resets.size,
      events: this.#trace.events,
      simulatedSeconds: Math.round(this.#agenda.now / second),
      traceHash: this.#trace.hash(),
      hashes: this.#trace.hashes(),
      marks: this.#court.marks.counts,
      failure,
    }
  }
}

function userOf(user: string | null | undefined): Pick<PhoneOptions, 'user'> {
  return typeof user === 'string' ? { user } : {}
}

function calleeAddress(call: number): SocketAddress {
  return { host: `10.1.${call >> 8}.${call & 255}`, port: 5062 }
}

function hasAliases(plan: Plan): boolean {
  const application = applicationOf(plan)
  return (
    moduleOf(plan) !== null || application === 'keyed' || application === 'chain-keyed' || application === 'hands-over'
  )
}

/** What caller and callee speak. The next hop is called on the transport that the caller came on. */
function transportsOf(planned: PlannedCall, flow: Flow, nextHop: boolean): readonly [Transport, Transport] {
  const caller = planned.caller ?? flow.transport
  return [caller, nextHop ? caller : (planned.callee ?? flow.transport)]
}

/** What that callee's phone says of where it is. */
function routingOf(forks: string | undefined, ordinal: number): Pick<PhoneOptions, 'contacts' | 'name'> {
  const name = forks === undefined ? null : nameOfDoor(forks, ordinal)
  return forks === undefined
    ? {}
    : { contacts: contactsOf(forks, ordinal), ...(name === null ? {} : { name: name.host }) }
}
