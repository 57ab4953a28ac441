/// <reference lib="dom" />
// What the parts of the page share: making elements, and keeping rows of a table in place, so that what has the focus keeps it.

export type Child = Node | string

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no ${id}`)
  return found
}

/** An element with attributes; one that is null is left out. */
export function make(
  tag: string,
  attributes: Readonly<Record<string, string | number | null>> = {},
  ...inside: readonly Child[]
): HTMLElement {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, String(value))
  made.append(...inside)
  return made
}

export function svg(
  tag: string,
  attributes: Readonly<Record<string, string | number>> = {},
  ...inside: readonly Child[]
): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  made.append(...inside)
  return made
}

/** What one row of a table shows. A cell is a text, or an element that the caller keeps from one time to the next. */
export interface Row {
  readonly key: string
  readonly className?: string
  readonly cells: readonly Child[]
}

/** Makes the rows of a table's body those, touching only what differs. The first cell heads its row. */
export function fillRows(body: HTMLElement, rows: readonly Row[]): void {
  const known = new Map(
    [...body.children].map((one) => [(one as HTMLElement).dataset['key'] ?? '', one as HTMLElement]),
  )
  rows.forEach(({ key, className = '', cells }, at) => {
    const row = known.get(key) ?? make('tr', { 'data-key': key })
    known.delete(key)
    if (row.className !== className) row.className = className
    cells.forEach((cell, column) => {
      const place = row.children[column] ?? row.appendChild(column === 0 ? make('th', { scope: 'row' }) : make('td'))
      if (typeof cell === 'string') {
        if (place.textContent !== cell) place.textContent = cell
      } else if (place.firstChild !== cell) place.replaceChildren(cell)
    })
    if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null)
  })
  for (const gone of known.values()) gone.remove()
}

/** Writes only what is new: a screen reader says it once. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
}
