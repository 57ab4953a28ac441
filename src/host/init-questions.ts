// The questions of `holdfast init` at a terminal. An answer that can't be right is asked for again at once, and not after the last
// question; who ends the input ends the questions.

import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** Options with what was said for each; what was left empty is not there. */
export type Answers = ReadonlyMap<string, string>

export interface Question {
  readonly option: string
  readonly text: string
  /** Asked only if this option has an answer, which is asked for again when this one's is refused: a certificate and its key. */
  readonly after?: string
  /** What later questions may still say, so that this one is not refused for want of it. */
  readonly assuming?: Readonly<Record<string, string>>
}

/** What is wrong with the answers so far, a sentence each. */
type Judge = (answers: Answers) => Promise<readonly string[]>

/** Null: the input ended (Ctrl-C, Ctrl-D) before the last answer. `known` is what options have said. */
export async function ask(
  questions: readonly Question[],
  known: Answers,
  troublesOf: Judge,
  { input, output }: { readonly input: Readable; readonly output: Writable },
): Promise<Answers | null> {
  const lines = createInterface({ input, output })
  // It keeps lines that were pasted in one piece until they are asked for, and it is over at Ctrl-C and Ctrl-D too.
  const said = lines[Symbol.asyncIterator]()
  let hasEnded = false
  lines.once('close', () => (hasEnded = true))
  const answers = new Map(known)
  try {
    for (let i = 0; i < questions.length; i++) {
      const { option, text, after, assuming = {} } = questions[i] as Question
      if (after !== undefined && !answers.has(after)) continue
      lines.setPrompt(text)
      if (!hasEnded) lines.prompt()
      const { value, done } = await said.next()
      if (done === true) {
        output.write('\n')
        return null
      }
      const answer = value.trim()
      if (answer === '') answers.delete(option)
      else answers.set(option, answer)
      const troubles = await troublesOf(new Map([...Object.entries(assuming), ...answers]))
      if (troubles.length === 0) continue
      output.write(`${troubles.map((trouble) => `  ${trouble}\n`).join('')}`)
      answers.delete(option)
      if (after !== undefined) {
        answers.delete(after)
        i = questions.findIndex((one) => one.option === after)
      }
      i--
    }
    return answers
  } finally {
    lines.close()
  }
}
