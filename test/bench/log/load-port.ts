// The port that the load comes in by: frames of a slot's number and a value, answered by that number. Answers of one turn leave
// with one write.

import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { FrameReader } from '../../../src/host/frame-stream.ts'
import type { Slot } from './load-door.ts'

export const SLOT_BYTES = 4

export interface Written {
  /** One more group that writes may go to. */
  slot(): Slot
  write(slot: Slot, value: Uint8Array, answer: () => void): void
}

/** `asked` is called when something was asked for. */
export function openLoadPort(port: number, door: Written, asked: () => void): Promise<void> {
  const server = createServer((socket) => serve(socket, door, asked))
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
}

function serve(socket: Socket, door: Written, asked: () => void): void {
  const reader = new FrameReader()
  const slots = new Map<number, Slot>()
  let answers: Buffer[] = []
  socket.setNoDelay(true)
  socket.on('error', () => undefined)
  socket.on('data', (piece: Buffer) => {
    const frames = reader.push(piece)
    if (!frames.ok) return void socket.destroy()
    for (const frame of frames.value) {
      const head = Buffer.from(frame.subarray(0, SLOT_BYTES))
      const number = head.readUInt32LE(0)
      let slot = slots.get(number)
      if (slot === undefined) slots.set(number, (slot = door.slot()))
      // A view into what was read: the commit's encoding copies it.
      door.write(slot, frame.subarray(SLOT_BYTES), () => answer(head))
    }
    asked()
  })

  function answer(head: Buffer): void {
    if (answers.push(head) > 1) return
    queueMicrotask(() => {
      if (!socket.destroyed) socket.write(Buffer.concat(answers))
      answers = []
    })
  }
}
