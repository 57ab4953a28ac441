// What stands around a set that is the edge proxy of registered phones: their registrar, which is the set's next hop, and who calls
// them from its side, by the Path that it has kept (RFC 3327 5.3, RFC 5626 6).

import type { Agenda } from './agenda.ts'
import type { ByFlow } from './checkers/by-flow.ts'
import type { PlannedEdge } from './edge-plan.ts'
import { callIdOf, cseqOf, header, listOf, printMessage, valueOf } from './phones/message.ts'
import type { RequestMessage, ResponseMessage } from './phones/message.ts'
import { Line } from './phones/line.ts'
import type { PhoneNetwork } from './phones/surroundings.ts'
import type { SocketAddress } from './sip-network.ts'

/** What the registrar knows of a line. */
interface Binding {
  readonly cseq: number
  readonly path: readonly string[]
}

interface EdgeParts {
  readonly agenda: Agenda
  readonly seed: number
  readonly redrawn: { readonly at: number; readonly seed: number } | undefined
  readonly edge: PlannedEdge
  readonly proxy: SocketAddress
  readonly network: PhoneNetwork
  readonly rules: ByFlow
  /** A line is there. */
  readonly attach: (line: Line) => void
}

export class Edge {
  readonly #parts: EdgeParts
  readonly #lines = new Map<number, Line>()
  /** By Call-ID of the registration, which is a line's own. */
  readonly #bindings = new Map<string, Binding>()
  /** Who waits for a line to be registered. */
  readonly #waiting = new Map<Line, (() => void)[]>()

  constructor(parts: EdgeParts) {
    this.#parts = parts
    parts.rules.onRegistered = (line) => {
      for (const go of this.#waiting.get(line) ?? []) go()
      this.#waiting.delete(line)
    }
  }

  /** The line of that number; it lives at that address. */
  line(number: number, address: SocketAddress): Line {
    const known = this.#lines.get(number)
    if (known !== undefined) return known
    const { agenda, seed, redrawn, edge, proxy, network, rules, attach } = this.#parts
    const line = new Line(agenda, { seed, redrawn, number, address, edge, proxy }, network, rules)
    this.#lines.set(number, line)
    attach(line)
    return line
  }

  /** It begins if it has not, and `then` follows once the registrar knows it. */
  whenRegistered(line: Line, then: () => void): void {
    if (this.#bindings.has(line.callId)) return then()
    this.#waiting.set(line, [...(this.#waiting.get(line) ?? []), then])
    line.begin()
  }

  /** The Route of a call to it. `isForged`: its caller has tampered with the flow that it names. */
  routesTo(line: Line, callId: string, isForged: boolean): readonly string[] {
    const { cseq = 0, path = [] } = this.#bindings.get(line.callId) ?? {}
    this.#parts.rules.called(callId, { line, cseq, isForged })
    return isForged ? path.map(withAnotherFlow) : path
  }

  /** RFC 3261 10.3, RFC 3327 5.3: what the registrar answers. */
  register(register: RequestMessage): string {
    this.#parts.rules.atRegistrar(register)
    const callId = callIdOf(register)
    const { number: cseq } = cseqOf(register)
    const path = listOf(register, 'path')
    if (cseq > (this.#bindings.get(callId)?.cseq ?? 0)) this.#bindings.set(callId, { cseq, path })
    return printMessage(accepted(register, path, this.#parts.edge.outbound))
  }
}

function accepted(register: RequestMessage, path: readonly string[], isOutbound: boolean): ResponseMessage {
  const copied = ['via', 'from', 'call-id', 'cseq', 'contact', 'expires'].flatMap((name) =>
    register.lines.filter((line) => line.name === name),
  )
  const lines = [
    ...copied,
    header('To', `${valueOf(register, 'to')};tag=registrar`),
    ...path.map((value) => header('Path', value)),
    header('Supported', 'path'),
    ...(isOutbound ? [header('Require', 'outbound')] : []),
    header('Content-Length', '0'),
  ]
  return { kind: 'response', status: 200, reason: 'OK', lines, body: '' }
}

/** One letter of what names the flow is another one: who had made it would reach a phone of his choice. */
function withAnotherFlow(value: string): string {
  return value.replace(/(;hff=[^;>]*)([^;>])/, (_, most: string, last: string) => most + (last === '1' ? '2' : '1'))
}
