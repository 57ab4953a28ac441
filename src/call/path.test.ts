// A phone that is reached by way of us: Path (RFC 3327) and outbound flows (RFC 5626).

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { header, values, vias } from '../sip/message.ts'
import type { HeaderList } from '../sip/build.ts'
import type { Flow } from '../wire/entry.ts'
import { Ladder } from './testing/ladder.ts'
import { calleeLeg, callerLeg, inDialog, parsed, parsedRequest, phone, request, response } from './testing/phone.ts'
import type { Leg, Phone } from './testing/phone.ts'

const SET = '127.31.3.1'
const registrar = phone('registrar', '127.31.3.3', 5060)

const CONTACT = 'sip:bob@192.168.1.7:5071'
const OUTBOUND: HeaderList = [['Supported', 'path, outbound']]
const REG_ID = `<${CONTACT};transport=tcp;ob>;reg-id=1;+sip.instance="<urn:uuid:1>"`

function bob(flow: Partial<Flow> = {}, contact = `${CONTACT};transport=tcp;ob`): Phone {
  const own = { transport: 'tcp', host: '127.31.3.2', port: 40_000, stream: '1.a.1/3', ...flow } as const
  return { name: 'bob', flow: own, address: '192.168.1.7:5071', contact }
}

function scene(callee = bob()): Ladder {
  const { transport } = callee.flow
  const listener = { transport, host: SET, port: transport === 'ws' ? 8080 : 5060 } as const
  const udp = { transport: 'udp', host: SET, port: 5060 } as const
  const sip = { host: SET, port: 5060, listeners: transport === 'udp' ? [udp] : [udp, listener] }
  const nextHop = { host: '127.31.3.3', port: 5060, transport: 'udp' } as const
  return new Ladder({ sip, nextHop }, [registrar, callee])
}

/** The REGISTER as the registrar gets it. */
function registered(callee: Phone, headers: HeaderList = OUTBOUND, contact = REG_ID): string {
  const ladder = scene(callee)
  const text = request(callee, 'REGISTER', `sip:${SET}`, { headers, callId: 'reg-1' })
  ladder.say(callee, text.replace(/Contact: .*\r\n/, `Contact: ${contact}\r\n`))
  return ladder.last(registrar, 'REGISTER')
}

function pathOf(register: string): readonly string[] {
  return values(parsed(register), 'Path')
}

/** A request from the registrar by that Path. */
function called(callee: Phone, path: readonly string[], method = 'INVITE', uri = callee.contact): Ladder {
  const ladder = scene(callee)
  const headers = path.map((value) => ['Route', value] as const)
  ladder.say(registrar, request(registrar, method, uri, { headers }))
  ladder.take()
  return ladder
}

function first(ladder: Ladder, method = 'INVITE'): Ladder['sent'][number] {
  return must(
    ladder.sent.find(({ data }) => data.startsWith(method)),
    method,
  )
}

function isGone(ladder: Ladder, method = 'INVITE'): void {
  const { what, flow, data } = first(ladder, method)
  ladder.step({ kind: 'unsent', what, flow, data, reason: 'no-stream' })
}

describe('RFC 3327: a REGISTER through us', () => {
  test('gets our value with the flow that it came on, two where the transport changes: the phone’s below', () => {
    const path = pathOf(registered(bob()))
    expect(path).toHaveLength(2)
    expect(path[0]).toBe(`<sip:${SET}:5060;lr>`)
    expect(path[1]).toMatch(
      /^<sip:127.31.3.1:5060;transport=tcp;lr;hff=1[0-9a-f]{16}~tcp~127.31.3.2~40000~1.a.1~3;ob>$/,
    )
    const udp = bob({ transport: 'udp', stream: '' })
    expect(pathOf(registered(udp))).toEqual([
      expect.stringMatching(/^<sip:127.31.3.1:5060;lr;hff=.*~udp~127.31.3.2~40000~;ob>$/),
    ])
  })

  test('stays as it is where the phone doesn’t say that it knows Path', () => {
    expect(pathOf(registered(bob(), []))).toEqual([])
    expect(pathOf(registered(bob(), [['Supported', 'outbound, pathology']]))).toEqual([])
  })

  test('has our value above those before it', () => {
    const path = pathOf(
      registered(bob(), [...OUTBOUND, ['Path', '<sip:edge.example;lr>'], ['Path', '<sip:first.example;lr>']]),
    )
    expect(path.slice(2)).toEqual(['<sip:edge.example;lr>', '<sip:first.example;lr>'])
  })

  test('RFC 5626 5.1: `ob` only where the phone itself asks for it, by reg-id and Supported', () => {
    const ob = (register: string): boolean => pathOf(register).some((value) => value.includes(';ob'))
    expect(ob(registered(bob()))).toBe(true)
    expect(ob(registered(bob(), [['Supported', 'path']]))).toBe(false)
    expect(ob(registered(bob(), OUTBOUND, `<${CONTACT}>`))).toBe(false)
    expect(ob(registered(bob(), [...OUTBOUND, ['Via', 'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK-behind']]))).toBe(false)
  })

  test('the same bytes by whatever owner it is asked again', () => {
    expect(registered(bob())).toBe(registered(bob()))
  })
})

describe('a request that comes back by that Path', () => {
  test('reaches the phone on its connection, whatever its Contact is, and not the next hop', () => {
    const ladder = called(bob(), pathOf(registered(bob())))
    expect(first(ladder).flow).toEqual(bob().flow)
    expect(parsedRequest(first(ladder).data).requestUri).toBe(bob().contact)
    expect(values(parsed(first(ladder).data), 'Route')).toEqual([])
    expect(values(parsed(first(ladder).data), 'Record-Route')).toHaveLength(2)
    expect(vias(parsed(first(ladder).data))).toHaveLength(2)
  })

  test('reaches a phone on datagrams where its REGISTER came from', () => {
    const udp = bob({ transport: 'udp', stream: '' }, `${CONTACT};ob`)
    const ladder = called(udp, pathOf(registered(udp)))
    expect(first(ladder).flow).toEqual({ transport: 'udp', host: '127.31.3.2', port: 40_000, stream: '' })
  })

  test('without `ob` goes by datagrams to the Contact, and not to the next hop', () => {
    const udp = bob({ transport: 'udp', stream: '' }, CONTACT)
    const ladder = called(udp, pathOf(registered(udp, [['Supported', 'path']])))
    expect(first(ladder).flow).toMatchObject({ transport: 'udp', host: '192.168.1.7', port: 5071 })
  })

  test('behind a WebSocket: on that', () => {
    const ws = bob({ transport: 'ws' }, 'sip:bob@df7jal23ls0d.invalid;transport=ws')
    const ladder = called(ws, pathOf(registered(ws, [['Supported', 'path']])))
    expect(first(ladder).flow.stream).toBe('1.a.1/3')
    isGone(ladder)
    expect(ladder.take().at(-1)).toBe('set -> registrar: 430 INVITE')
  })

  test('goes on to further proxies on the way, on the flow that they made', () => {
    const inner = '<sip:inner.example;lr>'
    const ladder = called(bob(), [...pathOf(registered(bob())), inner])
    expect(first(ladder).flow.stream).toBe('1.a.1/3')
    expect(values(parsed(first(ladder).data), 'Route')).toEqual([inner])
  })

  test('RFC 5626 5.3: a flow that is gone is a 430, in a commit like any failure; so is that of another request', () => {
    const path = pathOf(registered(bob()))
    const ladder = called(bob(), path)
    isGone(ladder)
    expect(ladder.take()).toEqual([expect.stringMatching(/^commit: tx 1, /), 'set -> registrar: 430 INVITE'])
    const other = called(bob(), path, 'MESSAGE')
    isGone(other, 'MESSAGE')
    expect(other.take()).toEqual(['set -> registrar: 430 MESSAGE'])
  })

  test('without `ob` a connection that is gone is made anew, to the Contact', () => {
    const plain = bob({}, `${CONTACT};transport=tcp`)
    const path = pathOf(registered(plain, [['Supported', 'path']], `<${plain.contact}>`))
    const ladder = called(plain, path)
    isGone(ladder)
    const again = must(
      ladder.sent.findLast(({ data }) => data.startsWith('INVITE')),
      'INVITE',
    )
    expect(again.flow).toMatchObject({ transport: 'tcp', host: '192.168.1.7', port: 5071, stream: '' })
    expect(vias(parsed(again.data))[0]?.branch).not.toBe(vias(parsed(first(ladder).data))[0]?.branch)
    const other = called(plain, path, 'MESSAGE')
    isGone(other, 'MESSAGE')
    expect(other.sent.filter(({ data }) => data.startsWith('MESSAGE')).map(({ flow }) => flow.host)).toEqual([
      '127.31.3.2',
      '192.168.1.7',
    ])
  })

  test('the flow of a REGISTER after that is another one: what comes by its Path reaches the phone again', () => {
    const back = bob({ stream: '2.b.1/8', port: 40_001 })
    expect(first(called(back, pathOf(registered(back)))).flow).toEqual(back.flow)
  })

  test('a new owner sends on that flow, too', () => {
    const ladder = called(bob(), pathOf(registered(bob())))
    ladder.takeover()
    expect(ladder.sent.filter(({ data }) => data.startsWith('INVITE')).map(({ flow }) => flow.stream)).toEqual([
      '1.a.1/3',
      '1.a.1/3',
    ])
  })

  test('its dialog is bound to the flow: in it the phone is waited for', () => {
    const ladder = called(bob(), pathOf(registered(bob())))
    const invite = ladder.last(bob(), 'INVITE')
    ladder.say(bob(), response(bob(), invite, 200))
    const leg = callerLeg(ladder.last(registrar, '200 INVITE'))
    ladder.say(registrar, inDialog(registrar, leg, 'ACK', 1))
    ladder.say(registrar, inDialog(registrar, leg, 'BYE', 2))
    isGone(ladder, 'BYE')
    ladder.take()
    const back = bob({ stream: '2.b.1/8' })
    ladder.say(back, inDialog(back, calleeLeg(bob(), invite), 'INFO', 1))
    const bye = must(
      ladder.sent.findLast(({ data }) => data.startsWith('BYE')),
      'BYE',
    )
    expect(bye.flow.stream).toBe('2.b.1/8')
  })
})

describe('a phone that comes back while it rings', () => {
  const back = bob({ stream: '2.b.1/8' })

  function ringing(): { readonly ladder: Ladder; readonly invite: string } {
    const ladder = called(bob(), pathOf(registered(bob())))
    const invite = ladder.last(bob(), 'INVITE')
    ladder.say(bob(), response(bob(), invite, 180))
    ladder.take()
    return { ladder, invite }
  }

  test('answers on its next connection, and what follows goes there', () => {
    const { ladder, invite } = ringing()
    ladder.say(back, response(back, invite, 200))
    const leg = callerLeg(ladder.last(registrar, '200 INVITE'))
    ladder.takeover()
    ladder.say(registrar, inDialog(registrar, leg, 'ACK', 1))
    ladder.say(registrar, inDialog(registrar, leg, 'BYE', 2))
    expect([first(ladder, 'ACK').flow.stream, first(ladder, 'BYE').flow.stream]).toEqual(['2.b.1/8', '2.b.1/8'])
  })

  test('refuses on it: the ACK goes there', () => {
    const { ladder, invite } = ringing()
    ladder.say(back, response(back, invite, 486))
    expect(first(ladder, 'ACK').flow.stream).toBe('2.b.1/8')
  })

  test('which its owner took with it, before anything was heard: it is waited for by the next one, for 64*T1', () => {
    const begun = (): { readonly ladder: Ladder; readonly invite: string } => {
      const ladder = called(bob(), pathOf(registered(bob())))
      const invite = ladder.last(bob(), 'INVITE')
      ladder.takeover()
      isGone(ladder)
      expect(ladder.take().filter((line) => line.includes('430'))).toEqual([])
      return { ladder, invite }
    }
    const { ladder, invite } = begun()
    ladder.say(back, response(back, invite, 200))
    const leg = callerLeg(ladder.last(registrar, '200 INVITE'))
    ladder.say(registrar, inDialog(registrar, leg, 'ACK', 1))
    expect(first(ladder, 'ACK').flow.stream).toBe('2.b.1/8')
    const { ladder: silent } = begun()
    silent.pass(33)
    expect(silent.take().some((line) => line.includes('set -> registrar: 408 INVITE'))).toBe(true)
  })

  test('and can be called: the next owner sends it the same INVITE there, and another one only if nobody takes that', () => {
    const plain = bob({}, `${CONTACT};transport=tcp`)
    const ladder = called(plain, pathOf(registered(plain, [['Supported', 'path']], `<${plain.contact}>`)))
    ladder.takeover()
    isGone(ladder)
    const invites = (): readonly Ladder['sent'][number][] => ladder.sent.filter(({ data }) => data.startsWith('INVITE'))
    const [sent, , again] = invites()
    expect(again).toMatchObject({ data: sent?.data, flow: { host: '192.168.1.7', port: 5071, stream: '' } })
    const { what, flow, data } = must(again, 'the INVITE')
    ladder.step({ kind: 'unsent', what, flow, data, reason: 'unreachable' })
    const branches = invites().map((invite) => vias(parsed(invite.data))[0]?.branch)
    expect([branches.length, new Set(branches).size]).toEqual([4, 2])
  })

  test('rings on it: a CANCEL goes there, also one that went on the old one', () => {
    const cancel = request(registrar, 'CANCEL', bob().contact, { branch: 'z9hG4bK-registrar-INVITE-1' })
    const cancels = ({ sent }: Ladder): readonly string[] =>
      sent.filter(({ data }) => data.startsWith('CANCEL')).map(({ flow }) => flow.stream)
    const { ladder, invite } = ringing()
    ladder.say(back, response(back, invite, 180))
    ladder.say(registrar, cancel)
    expect(cancels(ladder)).toEqual(['2.b.1/8'])
    const early = ringing()
    early.ladder.say(registrar, cancel)
    early.ladder.say(back, response(back, early.invite, 180))
    early.ladder.say(back, response(back, early.invite, 487))
    expect(cancels(early.ladder)).toEqual(['1.a.1/3', '2.b.1/8'])
  })
})

describe('RFC 5626 5.3: a phone with `ob` that speaks datagrams from behind a translator', () => {
  const udp = bob({ transport: 'udp', stream: '' }, `${CONTACT};ob`)
  /** Its Via asks for the source port (RFC 3581), as it must from there. */
  const natted = (text: string): string => text.replace('192.168.1.7:5071;', '192.168.1.7:5071;rport;')

  function talking(): { readonly ladder: Ladder; readonly leg: Leg; readonly own: Leg } {
    const ladder = scene(udp)
    ladder.say(udp, natted(request(udp, 'INVITE', `sip:alice@${SET}`)))
    const invite = ladder.last(registrar, 'INVITE')
    ladder.say(registrar, response(registrar, invite, 200))
    const own = callerLeg(ladder.last(udp, '200 INVITE'))
    ladder.say(udp, natted(inDialog(udp, own, 'ACK', 1)))
    return { ladder, leg: calleeLeg(registrar, invite), own }
  }

  test('gets requests of its dialogs where its own come from, not at its Contact', () => {
    const { ladder, leg } = talking()
    ladder.say(registrar, inDialog(registrar, leg, 'BYE', 1))
    expect(first(ladder, 'BYE').flow).toEqual(udp.flow)
    expect(parsedRequest(first(ladder, 'BYE').data).requestUri).toBe(udp.contact)
  })

  test('so does one that was called by its Path', () => {
    const ladder = called(udp, pathOf(registered(udp)))
    ladder.say(udp, response(udp, ladder.last(udp, 'INVITE'), 200))
    const leg = callerLeg(ladder.last(registrar, '200 INVITE'))
    ladder.say(registrar, inDialog(registrar, leg, 'ACK', 1))
    ladder.say(registrar, inDialog(registrar, leg, 'BYE', 2))
    expect(first(ladder, 'BYE').flow).toEqual(udp.flow)
  })

  test('one behind a proxy that is not on the route is reached at its Contact, caller or callee', () => {
    const { ladder, own } = talking()
    const behind = { ...registrar, contact: 'sip:alice@127.31.3.9:5062;ob' }
    ladder.say(behind, response(behind, ladder.last(registrar, 'INVITE'), 200, [], 'another-fork'))
    ladder.say(
      udp,
      natted(
        inDialog(
          udp,
          { ...own, remote: own.remote.replace('registrar-tag', 'another-fork'), target: behind.contact },
          'BYE',
          2,
        ),
      ),
    )
    expect(first(ladder, 'BYE').flow).toMatchObject({ host: '127.31.3.9', port: 5062 })

    const other = scene(udp)
    const forwarded = request(udp, 'INVITE', `sip:alice@${SET}`, {
      headers: [['Via', 'SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK-b']],
    })
    other.say(udp, natted(forwarded))
    const invite = other.last(registrar, 'INVITE')
    other.say(registrar, response(registrar, invite, 200))
    other.say(registrar, inDialog(registrar, calleeLeg(registrar, invite), 'BYE', 1))
    expect(first(other, 'BYE').flow).toMatchObject({ host: '192.168.1.7', port: 5071 })
  })

  test('and there still when the translator has given it another port: any request in the dialog tells', () => {
    const { ladder, leg, own } = talking()
    const moved = { ...udp, flow: { ...udp.flow, port: 41_000 } }
    ladder.say(moved, natted(inDialog(moved, own, 'INFO', 2)))
    ladder.take()
    ladder.say(moved, natted(inDialog(moved, own, 'INFO', 3)))
    expect(ladder.take().some((line) => line.startsWith('commit'))).toBe(false)
    ladder.takeover()
    ladder.say(registrar, inDialog(registrar, leg, 'BYE', 1))
    expect(first(ladder, 'BYE').flow).toEqual(moved.flow)
  })
})

describe('who may come by a Path', () => {
  test('a value that is not ours, or changed, is refused: 403', () => {
    const path = pathOf(registered(bob())).map((value) => value.replace('~1.a.1~3', '~1.a.1~4'))
    expect(called(bob(), path).sent.map(({ data }) => data.slice(0, 11))).toEqual(['SIP/2.0 403'])
  })

  test('RFC 5626 5.3.1: what comes from that flow itself goes on to elsewhere', () => {
    const ladder = scene()
    const headers = pathOf(registered(bob())).map((value) => ['Route', value] as const)
    ladder.say(bob(), request(bob(), 'INVITE', 'sip:alice@example.com', { headers }))
    expect(first(ladder).to).toBe('registrar')
  })

  test('one call’s group is its own, not the registration’s', () => {
    const path = pathOf(registered(bob()))
    const groups = ['a', 'b'].map((callId) => {
      const ladder = scene()
      const headers = path.map((value) => ['Route', value] as const)
      ladder.say(registrar, request(registrar, 'INVITE', bob().contact, { headers, callId }))
      return must(ladder.view, 'a group').key
    })
    expect(groups[0]).not.toBe(groups[1])
  })
})

describe('RFC 5626 4.4: Flow-Timer', () => {
  function answered(callee: Phone, headers: HeaderList, own = OUTBOUND, dies = false): string | null {
    const ladder = scene(callee)
    const text = request(callee, 'REGISTER', `sip:${SET}`, { headers: own })
    ladder.say(callee, text.replace(/Contact: .*\r\n/, `Contact: ${REG_ID}\r\n`))
    const register = ladder.last(registrar, 'REGISTER')
    if (dies) ladder.takeover()
    // RFC 3327 5.3: the registrar copies the Path.
    const path = values(parsed(register), 'Path').map((value) => ['Path', value] as const)
    ladder.say(registrar, response(registrar, register, 200, [...headers, ...path]))
    const answer = must(
      ladder.sent.findLast(({ data }) => data.startsWith('SIP/2.0 200')),
      'the 200',
    )
    return header(parsed(answer.data), 'Flow-Timer')
  }

  test('is said where a flow was bound: 120 s on a stream, 25 s on datagrams', () => {
    expect(answered(bob(), [['Require', 'outbound']])).toBe('120')
    expect(answered(bob({ transport: 'udp', stream: '' }), [['Require', 'outbound']])).toBe('25')
  })

  test('is said where who relayed the REGISTER has died since', () => {
    expect(answered(bob({ transport: 'udp', stream: '' }), [['Require', 'outbound']], OUTBOUND, true)).toBe('25')
    expect(answered(bob(), [], OUTBOUND, true)).toBeNull()
  })

  test('is not said where none was, and the registrar’s own stays', () => {
    expect(answered(bob(), [])).toBeNull()
    expect(answered(bob(), [['Require', 'outbound']], [['Supported', 'path']])).toBeNull()
    expect(
      answered(bob(), [
        ['Require', 'outbound'],
        ['Flow-Timer', '60'],
      ]),
    ).toBe('60')
  })
})

describe('a holder of the phone’s connection that sleeps, and may wake with it', () => {
  test.each(['INVITE', 'MESSAGE'])(
    'is given the %s again there, for as long as somebody waits for its answer',
    (method) => {
      const ladder = called(bob(), pathOf(registered(bob())), method)
      const { what, flow, data } = first(ladder, method)
      const sleeps = {
        kind: 'unsent',
        what,
        flow,
        data,
        reason: 'no-stream',
        mayHaveLeft: true,
        isSilent: true,
      } as const
      const times = (): number =>
        ladder.sent.filter((one) => one.data === data && one.flow.stream === flow.stream).length
      ladder.step(sleeps)
      ladder.step(sleeps)
      expect(times()).toBe(3)
      ladder.say(bob(), response(bob(), data, 486))
      ladder.step(sleeps)
      expect(times()).toBe(3)
    },
  )
})
