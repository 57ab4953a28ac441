// A phone: an RFC 3261 user agent for one call, caller or callee, driven by its side of a ladder. It keeps the rules for
// itself; what it receives is judged by the checkers, which see everything (PhoneWatch).

import type { Agenda } from '../agenda.ts'
import { drawHex, drawInRun } from '../draws.ts'
import type { Draw } from '../draws.ts'
import { talk } from '../ladder.ts'
import type { Deed, Side } from '../ladder.ts'
import { nameOf } from '../sip-network.ts'
import type { PhoneEnd, PhoneReceiver } from '../stream-network.ts'
import { ClientTransaction } from './client-transaction.ts'
import { Dialog } from './dialog.ts'
import { branchOf, callIdOf, cseqOf, header, printMessage, readMessage, sentByOf, tagOf, topVia } from './message.ts'
import type { RequestMessage, ResponseMessage } from './message.ts'
import { ReliableProvisionals } from './reliable.ts'
import { Script } from './script.ts'
import type { PhoneNetwork, PhoneOptions, PhoneWatch } from './surroundings.ts'
import { ServerTransaction } from './server-transaction.ts'
import { timeout } from './timers.ts'
import { answersNonsense } from './nonsense.ts'
import { PhoneTransport } from './transport.ts'
import type { Origin } from './transport.ts'
import { Unacknowledged } from './unacknowledged.ts'
import { ackFor, cancelFor, request, responseTo, sessionBody } from './writing.ts'

export class Phone {
  readonly options: PhoneOptions
  /** Its ladder made it leave the call without a word. */
  isGone = false
  /** How often its Contact has changed. */
  moves = 0
  /** Of the call's leg that it has. */
  callId: string
  readonly user: string
  readonly tag: string
  readonly #agenda: Agenda
  readonly #transport: PhoneTransport
  readonly #watch: PhoneWatch
  readonly #draw: Draw
  readonly #script: Script
  readonly #clients = new Map<string, ClientTransaction>()
  readonly #servers = new Map<string, ServerTransaction>()
  /** Where each request came from last: responses go there. */
  readonly #origins = new Map<RequestMessage, Origin>()
  /** By the CSeq of the INVITE and the tag of who answered it; null = not sent yet. */
  readonly #acks = new Map<string, string | null>()
  /** Branches of the BYEs to who answered after another had (13.2.2.4), without their answer yet. */
  readonly #surplus = new Set<string>()
  /** How often each deed's time has come. */
  readonly #held = new Map<string, number>()
  #branches = 0
  #dialog: Dialog | null = null
  readonly #reliable: ReliableProvisionals
  /** The caller's dialog before its 2xx, if a reliable 1xx made one, and its PRACKs without their answer. */
  #early: Dialog | null = null
  #pracks = 0
  /** The callee's CSeq of the last PRACK. */
  #pracked = 0
  /** The dialog's BYE went or came. */
  #hungUp = false
  #started = false
  /** Our INVITE without a final answer, and whether a 1xx came; and whether it is to be cancelled. */
  #calling: ClientTransaction | null = null
  #cancelling: 'no' | 'wanted' | 'sent' = 'no'
  /** Their INVITE that waits for our answer. */
  #asked: ServerTransaction | null = null
  /** The one before, which has its final answer. */
  #answered: ServerTransaction | null = null
  readonly #unacknowledged: Unacknowledged
  #byeOpen = false
  #firstFinal: number | null = null
  #isDead = false

  constructor(agenda: Agenda, options: PhoneOptions, network: PhoneNetwork, watch: PhoneWatch) {
    this.options = options
    this.callId = options.callId
    this.user = options.user ?? `${options.side}${options.call}`
    this.#agenda = agenda
    this.#watch = watch
    this.#reliable = new ReliableProvisionals(agenda)
    this.#unacknowledged = new Unacknowledged(agenda, {
      send: (request, text) => this.#answerTo(request, text),
      gaveUp: (request, { status }) => {
        watch.unacknowledged(this, request, status)
        this.#hangUp()
      },
    })
    options.line?.carry(this)
    this.#transport =
      options.line?.transport ??
      new PhoneTransport(
        agenda,
        network,
        options,
        (text, origin) => this.receive(text, origin),
        (text, problem) => watch.malformed(this, text, problem),
      )
    const about = `phone ${options.call} ${this.party}`
    this.#draw = drawInRun(options, about, () => agenda.now)
    this.tag = drawHex(options.seed, `tag ${about}`, 10)
    this.#script = new Script(
      agenda,
      options,
      this.#draw,
      (deed) => this.#act(deed),
      (deed, go) => this.#hold(deed, go),
    )
  }

  get side(): Side {
    return this.options.side
  }

  /** Its side, and which callee it is, if not the first one. */
  get party(): string {
    const { side, ordinal } = this.options
    return ordinal === 1 ? side : `${side}${ordinal}`
  }

  /** The first final status that this side's INVITE got, or that this side gave the first INVITE. */
  get firstFinal(): number | null {
    return this.#firstFinal
  }

  /** In a dialog that nobody has ended. */
  get established(): boolean {
    return this.#dialog !== null && !this.#hungUp && !this.#isDead
  }

  /** The dialog that it is in, as the other end is asked to replace it. */
  get replaceable(): string | null {
    return this.established ? `${this.callId};to-tag=${this.#dialog?.remoteTag};from-tag=${this.tag}` : null
  }

  /** Nothing is under way: no open INVITE, no living dialog, no BYE without its answer. */
  get settled(): boolean {
    return this.#isDead || (this.#started && !this.busy && !this.established)
  }

  /** A transaction that matters to the call is open. */
  get busy(): boolean {
    if (this.#isDead) return false
    if (this.#surplus.size > 0 || this.#pracks > 0) return true
    return this.#calling !== null || this.#asked !== null || this.#unacknowledged.size > 0 || this.#byeOpen
  }

  /** It refused an INVITE, and doesn't know whether the other side has heard so. */
  get awaitsAck(): boolean {
    return !this.#isDead && this.#answered !== null && this.#answered.awaitsAck
  }

  get started(): boolean {
    return this.#started
  }

  start(): void {
    this.#script.start()
  }

  /** A connection from the set. */
  accept(end: PhoneEnd): PhoneReceiver {
    return this.#transport.accept(end, this.options.proxy)
  }

  receive(text: string, origin: Origin): void {
    if (this.#isDead) return
    if (answersNonsense(text)) return
    const message = readMessage(text)
    if (typeof message === 'string') {
      this.#watch.malformed(this, text, message)
      return
    }
    this.#watch.received(this, message, text)
    if (message.kind === 'response')
      this.#clients.get(`${branchOf(message)} ${cseqOf(message).method}`)?.receive(message)
    else this.#request(message, origin)
  }

  // What the person does

  /** It says and hears nothing more. */
  die(): void {
    this.#isDead = true
    this.#script.stop()
    this.#transport.die()
  }

  /** The call got stuck, through no fault of the set: whoever is left cancels, refuses or hangs up. */
  giveUp(): void {
    if (this.#isDead) return
    this.#script.stop()
    if (!this.#started) return
    if (this.#asked !== null) this.#answer(480)
    if (this.#calling !== null) this.#cancel()
    this.#hangUp()
  }

  /** Its line has another flow. What is open goes on there, and in a dialog a request tells the set of it (docs/decisions/0029). */
  cameBack(): void {
    if (this.#isDead || !this.#started) return
    this.#asked?.repeated()
    for (const client of this.#clients.values()) client.repeat()
    if (this.established && !this.busy) this.#talk('OPTIONS')
  }

  #hold(deed: string, go: () => void): void {
    const nth = (this.#held.get(deed) ?? 0) + 1
    this.#held.set(deed, nth)
    if (this.options.gate === undefined) go()
    else this.options.gate(this, deed, nth, go)
  }

  #act(deed: Deed): void {
    if (deed.kind === 'answer') this.#answer(deed.status)
    else if (deed.kind === 'leave') this.#leave(deed.how)
    else if (deed.method === 'INVITE') this.#invite()
    else if (deed.method === 'CANCEL') this.#cancel()
    else if (deed.method === 'BYE') this.#hangUp()
    else this.#talk(deed.method)
  }

  #talk(method: (typeof talk)[number]): void {
    if (this.#dialog === null || this.#hungUp) return
    const { flow } = this.options
    if (method === 'UPDATE' && flow.isMoving) this.moves++
    const branch = this.#branch()
    const body = sessionBody(this.#draw, this.#branches)
    const client = this.#send(request(this, method, this.#dialog, branch, this.#draw, body))
    // RFC 4028 10: a session that it could not refresh is ended in time.
    if (method === 'UPDATE' && flow.sessionExpires > 0) this.#later(10_000_000, () => client.isOpen && this.#hangUp())
  }

  /** Not in the middle of something: what the other phone then misses would be this one's fault. */
  #leave(how: 'DIES' | 'FORGETS'): void {
    if (this.busy) return this.#later(300_000, () => this.#leave(how))
    if (!this.established) return
    this.isGone = true
    if (how === 'DIES') this.die()
    else this.#hungUp = true
  }

  #answer(status: number): void {
    const server = this.#asked
    if (server === null) return
    if (status < 200 && this.options.flow.isReliable) return this.#answerReliably(server, status)
    this.#reliable.stop()
    const response = responseTo(server.request, status, this, this.#draw)
    this.#watch.sent(this, response)
    server.respond(response)
    if (status < 200) return
    this.#asked = null
    this.#answered = server
    this.#firstFinal ??= status
    if (status < 300) this.#accepted(server.request, response)
    else if (this.#dialog === null) this.#over()
  }

  /** RFC 3262 3. */
  #answerReliably(server: ServerTransaction, status: number): void {
    if (this.#reliable.isOpen) return this.#later(200_000, () => this.#asked === server && this.#answer(status))
    const more = [header('Require', '100rel'), header('RSeq', String(this.#reliable.nextRseq()))]
    const response = responseTo(server.request, status, this, this.#draw, more)
    this.#watch.sent(this, response)
    server.respond(response)
    this.#reliable.repeat(() => this.#answerTo(server.request, printMessage(response)))
  }

  /** RFC 3262 4: in the dialog that the 1xx made, or the 2xx if that overtook it. */
  #acknowledgeProvisional(response: ResponseMessage, invite: RequestMessage): void {
    const rack = this.#reliable.rackFor(response)
    if (rack === null) return
    this.#early ??= this.#dialog ?? Dialog.atCaller(invite, response)
    this.#pracks++
    this.#send(request(this, 'PRACK', this.#early, this.#branch(), this.#draw, '', [header('RAck', rack)]))
  }

  #accepted(invite: RequestMessage, response: ResponseMessage): void {
    const to = response.lines.find((line) => line.name === 'to')?.value ?? ''
    if (this.#dialog === null) this.#dialog = Dialog.atCallee(invite, to, this.#draw.within(1, 10_000, 1))
    else this.#dialog.refreshTarget(invite)
    if (this.#pracked > 0) this.#dialog.acceptCseq(this.#pracked)
    const isRepeated = this.options.oddity?.kind !== 'terse' || this.options.transport === 'udp'
    this.#unacknowledged.add(invite, response, isRepeated)
  }

  #invite(): void {
    if (this.#dialog === null && this.#started) return
    if (this.#hungUp) return
    // 14.1: no INVITE while another one is open in either direction.
    if (this.#calling !== null || this.#asked !== null || this.#unacknowledged.size > 0) {
      this.#later(300_000, () => this.#invite())
      return
    }
    this.#started = true
    const invite = request(
      this,
      'INVITE',
      this.#dialog,
      this.#branch(),
      this.#draw,
      sessionBody(this.#draw, this.#branches, this.options.flow.isLong),
      this.#dialog === null ? this.options.more?.() : [],
    )
    this.#calling = this.#send(invite)
  }

  /** 9.1: a CANCEL goes only after a provisional answer. */
  #cancel(): void {
    if (this.#calling === null) {
      if (this.established) this.#hangUp()
      return
    }
    this.#cancelling = 'wanted'
    if (this.#calling.state === 'proceeding') this.#sendCancel(this.#calling.request)
  }

  #sendCancel(invite: RequestMessage): void {
    this.#cancelling = 'sent'
    const calling = this.#calling
    this.#send(cancelFor(invite))
    this.#agenda.after(timeout, () => {
      if (calling === null || this.#calling !== calling) return
      this.#calling = null
      this.#watch.timedOut(this, invite)
      this.#over()
    })
  }

  #hangUp(): void {
    if (this.#dialog === null || this.#hungUp) return
    // 15: a callee doesn't send BYE before the ACK. And people wait for their own re-INVITE.
    if (this.#unacknowledged.size > 0 || this.#calling !== null || this.#asked !== null) {
      this.#later(200_000, () => this.#hangUp())
      return
    }
    this.#hungUp = true
    this.#byeOpen = true
    this.#send(request(this, 'BYE', this.#dialog, this.#branch(), this.#draw, ''))
  }

  // What arrives

  #response(response: ResponseMessage, sent: RequestMessage): void {
    const { method } = cseqOf(response)
    if (method === 'INVITE') this.#inviteAnswered(response, sent)
    if (method === 'PRACK' && response.status >= 200) this.#prackEnded()
    if (method === 'BYE' && response.status >= 200 && this.#surplus.delete(branchOf(sent))) return this.#over()
    if (method === 'BYE' && response.status >= 200) {
      this.#byeOpen = false
      this.#over()
    }
  }

  #inviteAnswered(response: ResponseMessage, invite: RequestMessage): void {
    const { status } = response
    if (status < 200) {
      this.#acknowledgeProvisional(response, invite)
      if (this.#cancelling === 'wanted') this.#sendCancel(invite)
      if (status > 100) this.#script.saw({ kind: 'answer', status })
      return
    }
    const acknowledged = this.#acks.get(ackKey(response))
    if (acknowledged !== undefined) {
      if (acknowledged !== null) this.#toProxy(acknowledged)
      return
    }
    if (status < 300 && this.#dialog !== null && this.#dialog.remoteTag !== tagOf(response, 'to')) {
      this.#hangUpOnSurplus(response, invite)
      return
    }
    this.#calling = null
    this.#firstFinal ??= status
    if (status < 300) this.#established(response, invite)
    else this.#refused(status)
    this.#script.saw({ kind: 'answer', status })
    // 15: the caller changed its mind, but the answer was faster than the CANCEL.
    if (status < 300 && this.#cancelling !== 'no') this.#hangUp()
  }

  #established(response: ResponseMessage, invite: RequestMessage): void {
    const early = this.#early?.remoteTag === tagOf(response, 'to') ? this.#early : null
    this.#dialog ??= early
    if (this.#dialog === null) this.#dialog = Dialog.atCaller(invite, response)
    else this.#dialog.refreshTarget(response)
    const ack = ackFor(this, invite, this.#dialog, this.#branch())
    const { ackAfter } = this.options.flow
    this.#acks.set(ackKey(ack), null)
    const acknowledge = (): void => this.#hold('ACK', () => this.#acknowledge(ack))
    if (ackAfter === 0) acknowledge()
    else this.#later(ackAfter, acknowledge)
  }

  /** 13.2.2.4: another fork answered too: it has its ACK, and then a BYE. */
  #hangUpOnSurplus(response: ResponseMessage, invite: RequestMessage): void {
    const dialog = Dialog.atCaller(invite, response)
    this.#acknowledge(ackFor(this, invite, dialog, this.#branch()))
    const branch = this.#branch()
    this.#surplus.add(branch)
    this.#send(request(this, 'BYE', dialog, branch, this.#draw, ''))
  }

  #acknowledge(ack: RequestMessage): void {
    const text = printMessage(ack)
    this.#acks.set(ackKey(ack), text)
    this.#watch.sent(this, ack)
    this.#toProxy(text)
  }

  #refused(status: number): void {
    if (this.#dialog === null) this.#over()
    // 14.1: after a 491, try again once the other had its turn.
    else if (status === 491) {
      const owner = this.side === 'caller'
      const wait = this.#draw.within(owner ? 210 : 0, owner ? 400 : 200, 2, this.#branches) * 10_000
      this.#later(wait, () => this.#invite())
    }
  }

  #request(message: RequestMessage, origin: Origin): void {
    const via = topVia(message)
    const key = `${branchOf(message)} ${sentByOf(via)}`
    if (message.method === 'ACK') {
      this.#acknowledged(message, key)
      return
    }
    const known = this.#servers.get(`${key} ${message.method}`)
    if (known !== undefined && !known.terminated) {
      this.#origins.set(known.request, origin)
      known.repeated()
      return
    }
    this.#origins.set(message, origin)
    const server = new ServerTransaction(this.#agenda, message, origin.end !== null, {
      send: (text) => this.#answerTo(message, text),
      unacknowledged: () => this.#watch.unacknowledged(this, message, 300),
    })
    this.#servers.set(`${key} ${message.method}`, server)
    if (message.method === 'CANCEL') this.#cancelled(server, this.#servers.get(`${key} INVITE`))
    else if (message.method === 'INVITE') this.#invited(server)
    else if (message.method === 'BYE') this.#farHungUp(server)
    else if (message.method === 'PRACK') this.#prackCame(server)
    else this.#talkedTo(server)
  }

  #acknowledged(ack: RequestMessage, key: string): void {
    this.#servers.get(`${key} INVITE`)?.acknowledged()
    this.#unacknowledged.acknowledged(ack)
  }

  #cancelled(server: ServerTransaction, invite: ServerTransaction | undefined): void {
    this.#reply(server, invite === undefined ? 481 : 200)
    if (invite === undefined || invite !== this.#asked || !invite.open) return
    this.#script.saw({ kind: 'request', method: 'CANCEL' })
    this.#answer(487)
  }

  #invited(server: ServerTransaction): void {
    const invite = server.request
    if (tagOf(invite, 'to') === null) {
      // Under another branch, or after the first one was forgotten: a ghost call.
      if (this.#started) return this.#watch.rangAgain(this, invite)
      this.#started = true
      if (this.options.takesCallId === true) this.callId = callIdOf(invite)
      this.#asked = server
      // 17.2.1: 100 at once, or when 200 ms have passed without another answer.
      this.#later(this.#draw.chance(500_000, 3) ? 0 : 200_000, () => {
        if (server.silent) this.#reply(server, 100)
      })
      this.#script.start()
      this.#script.saw({ kind: 'request', method: 'INVITE' })
      return
    }
    const dialog = this.#dialog
    if (dialog === null || this.#hungUp || !dialog.matches(invite, this.tag)) return this.#reply(server, 481)
    if (!dialog.acceptCseq(cseqOf(invite).number)) return this.#reply(server, 500)
    // 14.2: glare.
    if (this.#calling !== null) return this.#reply(server, 491)
    if (this.#asked !== null) return this.#reply(server, 500)
    this.#asked = server
    this.#script.saw({ kind: 'request', method: 'INVITE' })
    if (this.#script.upcoming?.kind !== 'answer') this.#later(50_000, () => this.#asked === server && this.#answer(200))
  }

  /** RFC 3262 3. */
  #prackCame(server: ServerTransaction): void {
    if (tagOf(server.request, 'to') !== this.tag || !this.#reliable.pracked(server.request))
      return this.#reply(server, 481)
    this.#pracked = cseqOf(server.request).number
    this.#dialog?.acceptCseq(this.#pracked)
    this.#hold('200 to PRACK', () => this.#reply(server, 200))
  }

  #prackEnded(): void {
    this.#pracks--
    this.#over()
  }

  #farHungUp(server: ServerTransaction): void {
    const { request: bye } = server
    const dialog = this.#dialog
    if (dialog === null || !dialog.matches(bye, this.tag) || (this.#hungUp && !this.#byeOpen))
      return this.#reply(server, this.#unknown)
    if (!dialog.acceptCseq(cseqOf(bye).number)) return this.#reply(server, 500)
    this.#hungUp = true
    this.#reply(server, 200)
    // 15.1.2: what the dialog still owes is answered 487.
    if (this.#asked !== null) this.#answer(487)
    this.#script.saw({ kind: 'request', method: 'BYE' })
    this.#over()
  }

  /** 12.2.2. */
  #talkedTo(server: ServerTransaction): void {
    const { request: asked } = server
    const method = talk.find((one) => one === asked.method)
    const dialog = this.#dialog
    if (method === undefined) return this.#reply(server, 501)
    if (dialog === null || this.#hungUp || !dialog.matches(asked, this.tag)) return this.#reply(server, this.#unknown)
    if (!dialog.acceptCseq(cseqOf(asked).number)) {
      // The next one overtook it. It is refused, and its people know that it was said.
      this.#script.saw({ kind: 'request', method })
      return this.#reply(server, 500)
    }
    if (method === 'UPDATE') dialog.refreshTarget(asked)
    this.#reply(server, 200)
    this.#script.saw({ kind: 'request', method })
  }

  /** What it says to a request in a dialog that it doesn't have. Who had no room for the call has none for what follows. */
  get #unknown(): number {
    return this.#firstFinal === 503 ? 503 : 481
  }

  #reply(server: ServerTransaction, status: number): void {
    const response = responseTo(server.request, status, this, this.#draw)
    this.#watch.sent(this, response)
    server.respond(response)
  }

  // Sending

  #send(message: RequestMessage): ClientTransaction {
    this.#watch.sent(this, message)
    const client = new ClientTransaction(this.#agenda, message, this.options.transport !== 'udp', {
      send: (text) => this.#toProxy(text),
      response: (response, sent) => this.#response(response, sent),
      timedOut: (sent) => this.#timedOut(sent),
      acknowledge: (response, sent) => {
        const ack = ackFor(this, sent, null, branchOf(sent), response)
        this.#watch.sent(this, ack)
        return printMessage(ack)
      },
    })
    this.#clients.set(`${branchOf(message)} ${message.method}`, client)
    return client
  }

  #timedOut(sent: RequestMessage): void {
    this.#watch.timedOut(this, sent)
    if (sent.method === 'INVITE') this.#calling = null
    if (sent.method === 'PRACK') return this.#prackEnded()
    if (this.#surplus.delete(branchOf(sent))) return this.#over()
    if (sent.method === 'BYE') this.#byeOpen = false
    if (sent.method === 'BYE' || this.#dialog === null) this.#over()
  }

  #toProxy(text: string): void {
    const { transport, proxy } = this.options
    this.#transport.send({ to: this.#dialog?.nextHop ?? proxy, transport }, text)
  }

  /** 18.2.2: to the source of the request, which over UDP is the top Via's address. */
  #answerTo(request: RequestMessage, text: string): void {
    const origin = this.#origins.get(request)
    if (origin !== undefined) this.#transport.answer(origin, text)
  }

  #branch(): string {
    this.#branches++
    return `z9hG4bK${drawHex(this.options.seed, `branch ${this.options.call} ${this.party} ${this.#branches}`, 14)}`
  }

  #later(us: number, run: () => void): void {
    this.#agenda.after(us, run)
  }

  #over(): void {
    if (this.settled) this.#script.stop()
  }

  toString(): string {
    return `${this.party} of call ${this.options.call} (${this.options.flow.name}) at ${nameOf(this.options.address)}`
  }
}

/** Of an ACK, or of the 2xx that it is for. */
function ackKey(message: RequestMessage | ResponseMessage): string {
  return `${cseqOf(message).number} ${tagOf(message, 'to')}`
}
