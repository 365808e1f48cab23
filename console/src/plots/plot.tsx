import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { clock, measured } from '../base/words.ts'
import { Explained } from '../parts/text.tsx'
import type { Drawing } from './draw.ts'
import type { Question } from './questions.ts'
import { lastOf } from './questions.ts'

/** A plot with its question, what is under the pointer, and its data as a table instead. */
export function Plot({ question, steps, asTable, onToggle }: {
  readonly question: Question
  readonly steps: readonly number[]
  readonly asTable: boolean
  readonly onToggle: () => void
}): JSX.Element {
  const { id, title, unit, meaning } = question
  return <section class="card plot" aria-labelledby={`plot-${id}`}>
    <div class="card-head">
      <h3 id={`plot-${id}`}><Explained tip={meaning}>{title}</Explained></h3>
      <button type="button" class="small" aria-pressed={asTable} onClick={onToggle}>
        {asTable ? 'Plot' : 'Table'}<span class="visually-hidden"> of “{title}”</span>
      </button>
    </div>
    {asTable ? <Numbers question={question} steps={steps} /> : <Canvas question={question} steps={steps} unit={unit} />}
  </section>
}

function Canvas({ question, steps, unit }: {
  readonly question: Question
  readonly steps: readonly number[]
  readonly unit: string
}): JSX.Element {
  const parent = useRef<HTMLDivElement>(null)
  const drawing = useRef<Drawing | null>(null)
  const latest = useRef({ question, steps })
  latest.current = { question, steps }
  const [point, setPoint] = useState<number | null>(null)
  useEffect(() => {
    let isEnded = false
    // The plots' library is most of the console: it is loaded when a plot is shown.
    void import('./draw.ts').then(({ draw }) => {
      if (isEnded || parent.current === null) return
      drawing.current = draw(parent.current, latest.current.question, latest.current.steps, setPoint)
    })
    return () => {
      isEnded = true
      drawing.current?.end()
      drawing.current = null
    }
  }, [])
  useEffect(() => drawing.current?.update(question, steps), [question, steps])
  const { lines } = question
  const hasData = lines.some(({ values }) => lastOf(values) !== null)
  return <>
    <p class="readout muted" aria-hidden="true">
      {point === null ? unit : `${clock(steps[point] ?? 0)}  ${lines.map(({ name, values }) => (
        `${name} ${numberOf(values[point])}`)).join('  ')}`}
    </p>
    <div class="canvas" role="img" aria-label={describe(question)} ref={parent}></div>
    {!hasData && <p class="no-data muted">Nothing was measured in this hour.</p>}
  </>
}

function numberOf(value: number | null | undefined): string {
  return value == null ? 'not measured' : measured(value)
}

function describe({ title, unit, lines }: Question): string {
  const parts = lines.map(({ name, values }) => {
    const known = values.filter(value => value !== null)
    return known.length === 0 ? `${name}: not measured`
      : `${name}: from ${measured(Math.min(...known))} to ${measured(Math.max(...known))}, last ${
        numberOf(known.at(-1))}`
  })
  return `${title} ${unit}, in the last hour. ${parts.join('. ')}.`
}

function Numbers({ question: { title, unit, lines }, steps }: {
  readonly question: Question
  readonly steps: readonly number[]
}): JSX.Element {
  // Newest first: what is going on now is at the top.
  const order = steps.map((_, index) => index).toReversed()
  return <div class="numbers" tabIndex={0} role="region" aria-label={`The numbers of “${title}”`}>
    <table>
      <caption class="visually-hidden">{title} {unit}</caption>
      <thead><tr><th scope="col">From</th>{lines.map(({ name }) => (
        <th key={name} scope="col" class="number">{name}, {unit}</th>))}</tr></thead>
      <tbody>{order.map(index => <tr key={steps[index]}>
        <th scope="row">{clock(steps[index] ?? 0)}</th>
        {lines.map(({ name, values }) => <td key={name} class="number">{values[index] == null
          ? <span class="muted">not measured</span> : measured(values[index])}</td>)}
      </tr>)}</tbody>
    </table>
  </div>
}
