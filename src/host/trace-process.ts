// `GET /trace/CALL-ID` of a replica: its log is read by a process of its own, so that no call waits for that; one at a time.

import { execFile } from 'node:child_process'
import { setPriority } from 'node:os'
import { hostLimits } from './limits.ts'

export interface TraceAnswer {
  readonly status: number
  readonly body: unknown
}

export class TraceProcess {
  readonly #data: string | null
  #stop: (() => void) | null = null

  /** `data`: the replica's folder; null = its log is in memory. */
  constructor(data: string | null) {
    this.#data = data
  }

  /** Never rejects. */
  ask(callId: string): Promise<TraceAnswer> {
    const data = this.#data
    if (data === null) return refused(409, 'this set keeps its log in memory (durability), so nothing is left to read')
    if (callId.startsWith('-')) return refused(400, 'no Call-ID that can be asked for here begins with -')
    if (this.#stop !== null) return refused(503, 'this replica reads its log for another trace; ask again')
    return new Promise((resolve) => {
      const program = [...process.execArgv, process.argv[1] ?? '', 'trace', callId, '--data', data, '--json']
      const bounds = { timeout: hostLimits.traceMs, maxBuffer: hostLimits.traceAnswerBytes }
      const child = execFile(process.execPath, program, bounds, (error, stdout, stderr) => {
        this.#stop = null
        resolve(answerOf(error, stdout, stderr))
      })
      // Calls come first.
      if (child.pid !== undefined) lower(child.pid)
      this.#stop = () => child.kill('SIGKILL')
    })
  }

  close(): void {
    this.#stop?.()
  }
}

function lower(pid: number): void {
  try {
    setPriority(pid, 19)
  } catch {
    // It has ended already.
  }
}

function refused(status: number, error: string): Promise<TraceAnswer> {
  return Promise.resolve({ status, body: { error } })
}

function answerOf(error: Error | null, stdout: string, stderr: string): TraceAnswer {
  if (error === null) {
    try {
      return { status: 200, body: JSON.parse(stdout) as unknown }
    } catch {
      return { status: 500, body: { error: 'the trace was cut short' } }
    }
  }
  const said = stderr.trim().replace(/^holdfast trace: /, '')
  const isNone = said.startsWith('the log has no call')
  return { status: isNone ? 404 : 500, body: { error: said === '' ? error.message : said } }
}
