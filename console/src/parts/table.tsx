import type { ComponentChildren, JSX } from 'preact'

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => ComponentChildren
  readonly isNumber?: boolean
  /** Takes the width that is left. */
  readonly isWide?: boolean
}

/**
 * A table; below 640 pixels, cards. Its roles are written out, because browsers forget them when CSS shows a table as
 * something else. The first column names the row; a link in it covers the row.
 */
export function Table<Row>({ caption, columns, rows, keyOf }: {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
}): JSX.Element {
  return <div class="table-frame">
    <table role="table">
      <caption class="visually-hidden">{caption}</caption>
      <thead role="rowgroup"><tr role="row">
        {columns.map(column => <th key={column.title} role="columnheader" scope="col" class={kindOf(column)}>
          {column.title}
        </th>)}
      </tr></thead>
      <tbody role="rowgroup">
        {rows.map(row => <tr key={keyOf(row)} role="row">
          {columns.map((column, index) => index === 0
            ? <th key={column.title} role="rowheader" scope="row" class={kindOf(column)}>{column.cell(row)}</th>
            : <td key={column.title} role="cell" data-title={column.title} class={kindOf(column)}>
              <div>{column.cell(row)}</div>
            </td>)}
        </tr>)}
      </tbody>
    </table>
  </div>
}

function kindOf<Row>({ isNumber = false, isWide = false }: Column<Row>): string {
  return isNumber ? 'number' : isWide ? 'wide' : ''
}

/** The ways to the other pages of a list. */
export function Pages({ what, isFirst, firstHref, nextHref }: {
  readonly what: string
  readonly isFirst: boolean
  readonly firstHref: string
  /** Null on the last page. */
  readonly nextHref: string | null
}): JSX.Element | null {
  if (isFirst && nextHref === null) return null
  return <nav class="row spread" aria-label={`Pages of ${what}`}>
    {isFirst ? <span></span> : <a class="button" href={firstHref}>First page</a>}
    {nextHref === null ? <span class="muted">This is the last page.</span>
      : <a class="button" href={nextHref}>Next page</a>}
  </nav>
}
