// One baresip process: a phone with one line, told what to do over its control port (ctrl_tcp: JSON in netstrings), and its trace of
// SIP messages read for what it was answered. Its audio comes from a tone and goes to a bridge: no sound card.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { until } from '../cluster/poll.ts'
import { isAlive, startProgram } from '../cluster/programs.ts'
import type { Program } from '../cluster/programs.ts'
import { dial } from '../cluster/strangers.ts'
import type { Arena, Transport } from './arena.ts'

/** It doesn't bind what it connects by: all phones are at the address that such a connection has, so that they can be called back there
 * (18.2.2), each with ports of its own. */
const HOST = '127.0.0.1'
/** Where Debian and a build from source have them. */
const MODULES = ['/usr/lib/baresip/modules', '/usr/local/lib/baresip/modules'].find((path) => existsSync(path)) ?? ''

export interface PhonePorts {
  /** The next one is TLS's. */
  readonly sip: number
  /** Four of them. */
  readonly rtp: number
  readonly control: number
}

export interface PhoneOptions {
  readonly ports: PhonePorts
  readonly by: Transport
  /** All its requests go there first (a preloaded Route, RFC 3261 8.1.2): HOST:PORT. */
  readonly proxy: string
}

interface Told {
  readonly event?: boolean
  readonly type?: string
  readonly param?: string
}

export class BaresipPhone {
  readonly #program: Program
  readonly #control: Socket
  readonly #events: Told[] = []
  #rest = Buffer.alloc(0)

  private constructor(program: Program, control: Socket) {
    this.#program = program
    this.#control = control
    control.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  static async start(arena: Arena, options: PhoneOptions): Promise<BaresipPhone> {
    const { ports, by } = options
    const folder = join(arena.folder, `baresip-${ports.sip}`)
    mkdirSync(folder)
    const own = arena.issue(HOST)
    const files = {
      config: configOf(ports, folder, arena.folder),
      accounts: `<sip:phone@${HOST};transport=${by}>;regint=0;answermode=manual;outbound="${routeTo(options)}"\n`,
      contacts: '',
      'own.pem': `${own.key}${own.cert}`,
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const program = startProgram('baresip', ['-s', '-f', folder])
    arena.atEnd(async () => {
      program.signal('SIGKILL')
      await program.exit
    })
    const control = await until('baresip takes commands', 20_000, async () => {
      if (!isAlive(program.pid)) throw new Error(`baresip has ended: ${program.stdout()}${program.stderr()}`)
      return dial(`${HOST}:${ports.control}`).catch(() => null)
    })
    arena.atEnd(() => void control.destroy())
    return new BaresipPhone(program, control)
  }

  tell(command: string, params = ''): void {
    const text = JSON.stringify({ command, params, token: '' })
    this.#control.write(`${Buffer.byteLength(text)}:${text},`)
  }

  /** Until its call comes to that. */
  async event(type: 'CALL_INCOMING' | 'CALL_RINGING' | 'CALL_ESTABLISHED' | 'CALL_CLOSED'): Promise<void> {
    await until(`baresip's ${type}`, 40_000, () => (this.has(type) ? true : null)).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}\n${this.#program.stdout().slice(-3_000)}`, { cause: error })
    })
  }

  has(type: string): boolean {
    return this.#events.some((told) => told.type === type)
  }

  /** Says `command`, which makes a request of that method: its final answer, as traced. */
  async ask(command: string, method: string): Promise<number> {
    const before = finals(this.#program.stdout(), method).length
    this.tell(command)
    return until(`the answer to baresip's ${method}`, 40_000, () => {
      return finals(this.#program.stdout(), method)[before] ?? null
    })
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (;;) {
      const colon = this.#rest.indexOf(':')
      const length = Number(this.#rest.toString('latin1', 0, Math.max(colon, 0)))
      if (colon < 0 || this.#rest.length < colon + 1 + length + 1) return
      this.#events.push(JSON.parse(this.#rest.toString('utf8', colon + 1, colon + 1 + length)) as Told)
      this.#rest = this.#rest.subarray(colon + 1 + length + 1)
    }
  }
}

/** The final answers to requests of that method in a trace of what was received and sent, repetitions counted once. */
function finals(trace: string, method: string): number[] {
  const found = new Map<string, number>()
  const pattern = /^SIP\/2\.0 ([2-6]\d\d) [^]*?^CSeq: (\d+) (\w+)/gm
  for (const [, status, number, name] of trace.matchAll(pattern)) {
    if (name === method && number !== undefined) found.set(number, Number(status))
  }
  return [...found.values()]
}

function routeTo({ by, proxy }: PhoneOptions): string {
  return `sip:${proxy};transport=${by}`
}

function configOf(ports: PhonePorts, folder: string, trusted: string): string {
  return `poll_method epoll
sip_listen ${HOST}:${ports.sip}
sip_certificate ${folder}/own.pem
sip_cafile ${trusted}/ca.pem
net_interface ${HOST}
call_local_timeout 300
call_max_calls 1
audio_player aubridge,here
audio_source ausine,440
audio_alert aubridge,nil
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 2
auplay_channels 2
rtp_ports ${ports.rtp}-${ports.rtp + 3}
module_path ${MODULES}
module g711.so
module ausine.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen ${HOST}:${ports.control}
`
}
