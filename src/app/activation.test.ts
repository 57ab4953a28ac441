import { describe, expect, test } from 'vitest'
import { callerLeg, inDialog, request, response } from '../call/testing/phone.ts'
import { legsScene } from './testing/legs-scene.ts'
import type { Handlers, LegsScene } from './testing/legs-scene.ts'

const TARGET = 'sip:callee@127.31.9.1:5060'

function proxied(more: Handlers): LegsScene {
  const plan = { targets: [], recurse: false, timeout: null }
  const handlers: Handlers = {
    doInvite: ({ message }) => [{ kind: 'proxy', request: message?.request ?? '', plan }],
    ...more,
  }
  const scene = legsScene(handlers)
  const { ladder, caller, callee } = scene
  ladder.say(caller, request(caller, 'INVITE', TARGET))
  ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 200))
  ladder.say(caller, inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'ACK', 1))
  return scene
}

const activated = ({ called }: LegsScene): number => called.filter((name) => name === 'sessionDidActivate').length

describe('a change of owner', () => {
  test('[JSR 19] sessionDidActivate() runs at the new owner, once, and what it does is committed', () => {
    const scene = proxied({
      sessionDidActivate: (_, { attributes }) => [
        { kind: 'set-attribute', of: '', name: 'owners', value: Number(attributes[0]?.value ?? 1) + 1 },
      ],
    })
    const { ladder } = scene
    expect(activated(scene)).toBe(0)
    ladder.takeover()
    expect(activated(scene)).toBe(1)
    ladder.pass(40)
    expect(activated(scene)).toBe(1)
    ladder.takeover()
    expect(activated(scene)).toBe(2)
    expect(scene.view().attributes).toEqual([{ name: 'owners', value: 3 }])
    expect(scene.refused).toEqual([])
  })

  test('[JSR 19] an application that does not listen is not asked, and nothing is committed for it', () => {
    const scene = proxied({})
    scene.ladder.take()
    scene.ladder.takeover()
    expect(scene.ladder.take().filter((line) => line.startsWith('commit'))).toEqual([])
    expect(activated(scene)).toBe(0)
  })

  test("a session that has ended is nobody's to activate", () => {
    const scene = proxied({ sessionDidActivate: () => [] })
    const { ladder, caller, callee } = scene
    ladder.say(caller, inDialog(caller, callerLeg(ladder.last(caller, '200 INVITE')), 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.takeover()
    expect(activated(scene)).toBe(0)
    ladder.pass(100)
    expect(ladder.idle).toBe(true)
  })
})
