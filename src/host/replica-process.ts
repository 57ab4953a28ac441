// One replica as a process: its data folder, its sockets, its loop, put together in the order that the design asks for:
// the life is durable before a port opens, the SIP address is bound only when the replica says so.

import { randomBytes, randomInt } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { generationOf, placeOf, replicaId, replicaOf } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { must } from '../base/assert.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { InputBody } from '../replica/input.ts'
import type { ReplicaOptions } from '../replica/options.ts'
import type { Flow } from '../wire/entry.ts'
import { formatsUpTo, OLDEST_FORMAT } from '../wire/formats.ts'
import { useAdminToken } from './admin-client.ts'
import { AdminServer } from './admin-server.ts'
import { Applications } from './applications.ts'
import type { VersionCount } from './applications.ts'
import { workersOf } from './router-config.ts'
import { printAddress } from './address.ts'
import { callSettings, letsEverybodyIn } from './call-settings.ts'
import { openCertificates } from './certificates.ts'
import type { Certificates } from './certificates.ts'
import { boundBy } from './sip-addresses.ts'
import type { Listener } from '../proxy/settings.ts'
import { machineClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { isOneMachine } from './config.ts'
import type { ReplicaConfig, SetConfig } from './config.ts'
import type { Identify } from './data-folder.ts'
import { Failovers } from './failovers.ts'
import { Host } from './host.ts'
import type { Door, World } from './host.ts'
import type { FromReplica } from './ipc.ts'
import { PLAIN_HTTP } from './http-config.ts'
import { HepExport } from './hep.ts'
import { HttpServer } from './http-server.ts'
import { identify } from './join.ts'
import type { JoinParts } from './join.ts'
import { hostLimits } from './limits.ts'
import { Live } from './live.ts'
import { LoadWatch } from './load-watch.ts'
import { SparseLog } from './log.ts'
import type { Logger } from './log.ts'
import { watchProcess } from './metrics.ts'
import type { ProcessMetrics } from './metrics.ts'
import { PeerLinks } from './peer-links.ts'
import { PeerServer } from './peer-server.ts'
import type { PeerParts, SetFormats } from './peer-server.ts'
import type { Reloaded } from './reread.ts'
import { NameResolver } from './resolver.ts'
import { SessionQuestions } from './session-questions.ts'
import { SipSockets } from './sip-sockets.ts'
import { openDisk, openMemory } from './storage.ts'
import type { Storage } from './storage.ts'
import { TraceProcess } from './trace-process.ts'

/** The id of this process's own question, which no admin request has. */
const VERSIONS = 0

export interface ReplicaStart {
  readonly config: SetConfig
  /** Its place. */
  readonly replica: ReplicaId
  /** What it is if it has no log (join.ts). */
  readonly fresh: JoinParts['mode']
}

export interface Surroundings {
  readonly log: Logger
  makeReplica(options: ReplicaOptions): Door
  report(message: Exclude<FromReplica, { kind: 'alive' | 'failed' }>): void
  /** Its config file, read anew; absent = another process has it. An error is a sentence for the user. */
  reread?(now: SetConfig): Result<Reloaded, string>
  /** The process must end. Called once. */
  end(why: Ending): void
}

export interface Ending {
  /** `data`: the data folder is at fault; `bug`: an assertion. No failures: `drained`, it was told to end; `removed`, it is not in
   * the set any more. */
  readonly cause: 'data' | 'bug' | 'drained' | 'removed' | 'other'
  readonly reason: string
}

/** Runs until `end` is called or `close`; every way to fail is told by `end`. */
export class ReplicaProcess {
  readonly #start: ReplicaStart
  readonly #around: Surroundings
  readonly #own: ReplicaConfig
  readonly #listeners: readonly Listener[]
  /** As of the last reload. */
  #config: SetConfig
  /** What to close, the last opened first. */
  readonly #open: (() => void)[] = []
  #host: Host | null = null
  readonly #hep: HepExport | null
  /** Of handlers, about other sessions. */
  readonly #questions = new SessionQuestions((input) => this.give(input))
  #isOver = false
  #isDraining = false
  /** When the SIP sockets are bound, or could not be; null = they were not asked for. */
  #sipOpened: Promise<void> | null = null

  constructor(start: ReplicaStart, around: Surroundings) {
    this.#start = start
    this.#own = must(
      start.config.replicas.find(({ id }) => id === start.replica),
      'a replica of the set',
    )
    this.#listeners = boundBy(start.config, this.#own)
    this.#config = start.config
    useAdminToken(start.config.adminToken)
    this.#around = around
    const { hep } = start.config
    this.#hep = hep === undefined ? null : new HepExport(hep, placeOf(start.replica))
    if (this.#hep !== null) this.#open.push(() => this.#hep?.close())
  }

  async run(): Promise<void> {
    const { config } = this.#start
    const own = this.#own
    const storage = await this.#openStorage(own)
    if (!storage.ok) return this.#end('data', storage.error)
    this.#open.push(() => storage.value.close())
    if (this.#isOver) return this.close()

    const certificates = openCertificates(config, this.#around.log)
    if (!certificates.ok) return this.#end('other', certificates.error)
    const parts = this.#makeParts(own, storage.value, certificates.value)
    // Before the ports: what comes to an open one is heard from the first byte on.
    await parts.applications.start()
    const trouble = await openPorts(parts, own)
    if (trouble !== null) return this.#end('other', trouble)
    if (!this.#isOver) this.#begin(parts)
  }

  /** From now on calls are dealt with as this configuration says, which may differ in nothing else (reread.ts). */
  reload(config: SetConfig): void {
    this.#config = config
    this.give({ kind: 'settings', settings: callSettings(config) })
    this.#around.log.info({ code: 'reloaded' }, 'the config file was read anew')
  }

  /** The replica is told to end: it hands over first, in hostLimits.drainMs at most. Told again, it goes on as it does. */
  drain(): void {
    if (this.#isDraining || this.#isOver) return
    this.#isDraining = true
    if (this.#host === null) return this.#end('drained', 'it was told to end before it began')
    const seconds = hostLimits.drainMs / 1_000
    const timer = setTimeout(
      () => this.#end('drained', `its drain was not done after ${seconds} s`),
      hostLimits.drainMs,
    )
    this.#open.push(() => clearTimeout(timer))
    this.give({ kind: 'drain' })
  }

  /** Something else happens to this replica than what its sockets and its disk say. */
  give(input: InputBody): void {
    this.#host?.give(input)
  }

  close(): void {
    this.#isOver = true
    for (const close of this.#open.splice(0).reverse()) close()
  }

  /** The options that changed. */
  #reread(): Result<readonly string[], string> {
    const { reread } = this.#around
    if (reread === undefined) return err('up has the configuration of this replica: ask at the admin address of up')
    const read = reread(this.#config)
    if (!read.ok) return read
    const { config, changed } = read.value
    if (changed.length > 0) this.reload(config)
    return ok(changed)
  }

  #openStorage(own: ReplicaConfig): Promise<Result<Storage, string>> {
    const { config, replica, fresh: mode } = this.#start
    const { log } = this.#around
    const parts: JoinParts = { config, own, mode, log, isOver: () => this.#isOver || this.#isDraining }
    const asked: Identify = (incarnation) => identify(parts, incarnation)
    if (own.data === null) return openMemory(asked)
    // A log that is gone is no danger: without one it takes part under no identity that it had.
    const owner = { set: config.set, replica, hasRun: false }
    return openDisk(
      own.data,
      owner,
      asked,
      {
        log: this.#around.log,
        give: (input) => this.give(input),
        durable: (persists) => this.#host?.durable(persists),
        fatal: (reason) => this.#end('data', reason),
      },
      config.history?.keep,
    )
  }

  #makeParts(own: ReplicaConfig, storage: Storage, certificates: Certificates | null): Parts {
    const { config } = this.#start
    const { life, id, known } = storage
    const sparse = new SparseLog(this.#around.log)
    const load = this.#watchLoad()
    const give = (input: InputBody): void => {
      if (input.kind === 'sip' || input.kind === 'peer') load.came()
      if (input.kind === 'sip') this.#capture(input.flow, input.data, 'in')
      this.give(input)
    }
    const clock = machineClock()
    const peerParts: PeerParts = {
      set: config.set,
      secret: config.secret,
      replica: id,
      life,
      address: own.peer,
      founders: foundersOf(config, storage),
      known,
      formats: { own: formatsUpTo(config.formats.most ?? null), active: OLDEST_FORMAT },
      log: sparse,
      give,
      met: (peer, at) => links.met(peer, at),
    }
    const links = new PeerLinks(
      peerParts,
      (place) => config.replicas.find((other) => placeOf(other.id) === place)?.peer ?? null,
    )
    const applications = this.#makeApplications()
    const trace = new TraceProcess(own.data)
    this.#open.push(() => trace.close())
    const http =
      own.http === undefined
        ? null
        : new HttpServer(own.http, config.http ?? PLAIN_HTTP, certificates, {
            give,
            applications: () => applications.infos,
          })
    const parts: Parts = {
      clock,
      storage,
      formats: peerParts.formats,
      sip: new SipSockets({
        ...{ listeners: this.#listeners, certificates, life, clock, log: sparse, give },
        isOnlyHere: isOneMachine(config) || own.sip !== undefined,
      }),
      admin: new AdminServer(own.admin, withHep(watchProcess(), this.#hep), {
        give,
        drain: () => this.drain(),
        reload: () => this.#reread(),
        applications,
        live: liveOf(config, own),
        trace,
        set: config.set,
        token: config.adminToken,
        cut: (reason) => sparse.warn('event-consumer-cut', `a consumer of events was cut off: ${reason}`),
      }),
      applications,
      http,
      names: new NameResolver(config.dns ?? []),
      server: new PeerServer(peerParts),
      links,
    }
    const { sip, admin, server } = parts
    for (const part of [sip, admin, server, links, parts.names, applications]) this.#open.push(() => part.close())
    if (http !== null) this.#open.push(() => http.close())
    return parts
  }

  #capture({ transport, host, port }: Flow, data: string, way: 'in' | 'out'): void {
    if (this.#hep === null) return
    const isSix = host.includes(':')
    const own = this.#listeners.find((one) => one.host.includes(':') === isSix) ?? this.#start.config.sip
    const [from, to] = way === 'in' ? [{ host, port }, own] : [own, { host, port }]
    this.#hep.capture({ transport, from, to, data })
  }

  #watchLoad(): LoadWatch {
    const load = new LoadWatch(() => performance.eventLoopUtilization())
    const checks = setInterval(() => this.give({ kind: 'load', isFull: load.isFull() }), hostLimits.loadCheckMs)
    this.#open.push(() => clearInterval(checks))
    return load
  }

  #makeApplications(): Applications {
    return new Applications(workersOf(this.#start.config), {
      log: this.#around.log,
      answered: (id, answer) => this.give({ kind: 'answered', id, answer }),
      asks: (question, then) => this.#questions.ask(question, then),
      changed: (applications) => this.give({ kind: 'applications', applications }),
    })
  }

  /** Old versions of applications end when their sessions have. */
  #watchVersions({ applications }: Parts): void {
    const look = setInterval(() => {
      const of = applications.old.map(({ name, version }) => ({ name, version }))
      if (of.length > 0) this.give({ kind: 'admin', id: VERSIONS, query: { kind: 'versions', of } })
    }, hostLimits.applicationOldMs)
    this.#open.push(() => clearInterval(look))
  }

  #begin(parts: Parts): void {
    const { log, report, makeReplica } = this.#around
    const { life, records, place } = parts.storage
    let door: Door
    try {
      door = makeReplica(optionsOf(this.#config, parts))
    } catch (error) {
      // Replica's constructor throws only if the disk's records contradict themselves.
      return this.#end('data', `${place}: ${(error as Error).message}`)
    }
    this.#host = new Host(door, parts.clock, this.#world(parts), log)
    this.#open.push(() => this.#host?.close())
    log.info({ code: 'started', life, records: records.length }, 'a new life begins')
    if (letsEverybodyIn(this.#start.config)) {
      log.warn({ code: 'open-relay' }, 'the access list lets everybody in: this set relays whatever anybody sends')
    }
    this.#watchVersions(parts)
    report({ kind: 'listening', life })
    this.#host.start()
    parts.storage.start()
  }

  #world(parts: Parts): World {
    const { sip, links, storage, admin, server, names, applications, http } = parts
    const { log, report } = this.#around
    return {
      send: (send) => {
        sip.send(send)
        this.#capture(send.flow, send.data, 'out')
      },
      peer: (send) => links.send(send.to, send.frame),
      peers: (peers) => {
        server.follow(peers)
        links.follow(peers)
      },
      flush: () => links.flush(),
      persist: (persist) => storage.persist(persist),
      snapshot: (write) => storage.write(write),
      openSip: () => {
        this.#sipOpened = this.#openSip(sip)
      },
      closeSip: () => void this.#closeSip(sip, http),
      locate: (place) => void names.find(place).then((found) => this.give({ kind: 'located', place, ...found })),
      ask: (call) => applications.ask(call),
      http: (reply) => http?.reply(reply),
      reply: (reply) => {
        if (reply.id === VERSIONS) applications.counted(reply.body as readonly VersionCount[])
        else if (reply.id < 0) server.reply(reply)
        else if (this.#questions.answered(reply)) return
        else admin.reply(reply)
      },
      notice: (notice) => {
        if (notice.kind === 'serving') {
          log.info({ code: 'serving', lives: notice.lives }, 'these lives serve')
          report({ kind: 'serving', lives: notice.lives.map((life) => ({ id: placeOf(replicaOf(life)), life })) })
        } else if (notice.kind === 'format') {
          parts.formats.active = notice.active
          server.formatRaised()
          links.formatRaised()
        } else if (notice.kind === 'leader') report({ ...notice, id: placeId(notice.id) })
        else report({ ...notice, leader: placeId(notice.leader) })
      },
      stop: (why) => {
        if (why.kind === 'stop' && why.cause === 'removed') {
          void links.end().then(() => this.#end('removed', why.reason))
        } else if (why.kind === 'stop') this.#end('data', why.reason)
        else if (why.kind === 'bug') this.#end('bug', inWords(why.error))
        else void links.end().then(() => this.#end('drained', 'it was told to end, and has handed over'))
      },
    }
  }

  async #openSip(sip: SipSockets): Promise<void> {
    const addresses = [...new Set(this.#listeners.map(printAddress))].join(' or ')
    const trouble = await troubleOf(sip.open(), `the SIP address ${addresses}`)
    if (trouble !== null) this.#end('other', trouble)
    else if (!this.#isOver) this.#around.report({ kind: 'sip-open' })
  }

  async #closeSip(sip: SipSockets, http: HttpServer | null): Promise<void> {
    const answered = http?.drain()
    await this.#sipOpened
    if (this.#isOver) return
    await Promise.all([sip.drain(), answered])
    this.#host?.give({ kind: 'sip-closed' })
  }

  #end(cause: Ending['cause'], reason: string): void {
    if (this.#isOver) return
    this.close()
    this.#around.end({ cause, reason })
  }
}

interface Parts {
  readonly clock: Clock
  readonly storage: Storage
  readonly formats: SetFormats
  readonly sip: SipSockets
  readonly admin: AdminServer
  readonly http: HttpServer | null
  readonly names: NameResolver
  readonly applications: Applications
  readonly server: PeerServer
  readonly links: PeerLinks
}

/** Why the peer, the admin or the HTTP port can't be opened; null once they are. */
async function openPorts({ server, admin, http }: Parts, own: ReplicaConfig): Promise<string | null> {
  const web = own.http === undefined || http === null ? null : { http, address: printAddress(own.http) }
  return (
    (web === null ? null : await troubleOf(web.http.open(), `the HTTP address ${web.address}`)) ??
    (await troubleOf(server.open(), `the peer address ${printAddress(own.peer)}`)) ??
    (await troubleOf(admin.open(), `the admin address ${printAddress(own.admin)}`))
  )
}

async function troubleOf(opening: Promise<void>, what: string): Promise<string | null> {
  try {
    await opening
    return null
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const fix =
      code === 'EADDRNOTAVAIL'
        ? '. It is not an address of this machine; one that machines share is on the loopback of each: ip addr add ADDRESS/32 dev lo (docs/OPERATIONS.md)'
        : ''
    return `${what} can't be bound: ${message}${fix}`
  }
}

function inWords(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function withHep(metrics: ProcessMetrics, hep: HepExport | null): ProcessMetrics {
  if (hep === null) return metrics
  return { contentType: metrics.contentType, text: async () => hep.metrics() + (await metrics.text()) }
}

/** What the page shows at a replica: of the others only what they answer. */
function liveOf({ set, sip, replicas }: SetConfig, own: ReplicaConfig): Live {
  return new Live({
    ...{ name: `replica ${placeOf(own.id)}`, set, sip: printAddress(sip), token: null, isTold: false },
    failovers: new Failovers(),
    replicas: () => replicas,
    pids: () => new Map(),
  })
}

/** What users know a replica by. */
function placeId(id: ReplicaId): ReplicaId {
  return replicaId(placeOf(id))
}

/** With whom its log began. */
function foundersOf(config: SetConfig, { id, voters }: Storage): readonly ReplicaId[] {
  if (voters !== null) return voters
  return generationOf(id) === 0 ? config.replicas.map((replica) => replica.id) : []
}

function optionsOf(config: SetConfig, { storage, clock, applications }: Parts): ReplicaOptions {
  const { id, life, snapshot, records } = storage
  return {
    id,
    set: config.set,
    voters: foundersOf(config, storage),
    life,
    seed: randomInt(2 ** 32),
    freshKey: randomBytes(16),
    laterKeys: randomBytes(16),
    snapshot,
    records,
    durability: config.durability,
    compaction: config.compaction,
    keptEvents: config.events?.keep,
    formats: formatsUpTo(config.formats.most ?? null),
    settings: callSettings(config),
    applications: applications.infos,
    now: clock.now(),
    wall: clock.wall(),
  }
}
