// What a run of `npm run bench` prints, and where it is kept: tables as Markdown, all figures as JSON, pictures as SVG.

import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import type { Result, Table } from './section.ts'

export interface About {
  readonly date: string
  readonly commit: string
  readonly machine: string
  readonly versions: string
  /** Load averages of one minute, before and after. */
  readonly load: readonly [before: number, after: number]
}

function aboutLine({ date, commit, machine, versions, load }: About): string {
  return `${date}, commit ${commit}, ${machine}, ${versions}; load ${load[0].toFixed(1)} before, ${load[1].toFixed(1)} after.`
}

/** `pictures`: where these lie, as a link says it; null = they are not shown. */
export function markdownOf(result: Result, about: About, pictures: string | null): string {
  const images =
    pictures === null
      ? []
      : Object.keys(result.pictures).map((name) => `![${result.title}](${pictures}${fileOf(name)})`)
  const parts = [aboutLine(about), ...result.tables.map(tableText), ...result.notes, ...images]
  return `${parts.join('\n\n')}\n`
}

function tableText({ head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

function fileOf(name: string): string {
  return `bench-${name}.svg`
}

export function writePictures(folder: string, result: Result): void {
  for (const [name, svg] of Object.entries(result.pictures)) writeFileSync(join(folder, fileOf(name)), svg)
}

/** Puts a section's text between its marks, `<!-- bench: cpu -->` and `<!-- end -->`, in a Markdown file. */
export function writeSection(file: string, section: string, result: Result, about: About, images: string): void {
  const text = readFileSync(file, 'utf8')
  const [open, close] = [`<!-- bench: ${section} -->`, '<!-- end -->']
  const from = text.indexOf(open)
  const to = text.indexOf(close, from)
  if (from < 0 || to < 0)
    throw new Error(`${basename(file)} has no ${open} ... ${close}: put these two lines where the section is to be`)
  const link = `${relative(dirname(file), images)}/`
  const inside = `${open}\n\n${markdownOf(result, about, link)}\n`
  writeFileSync(file, text.slice(0, from) + inside + text.slice(to))
}
