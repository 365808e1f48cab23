import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { measured, minute } from '../base/words.ts'
import { MILLISECONDS } from './questions.ts'
import type { Question, Tone } from './questions.ts'

/** What is under the pointer: the index of a step, or null. */
export type OnPoint = (index: number | null) => void

const HEIGHT = 180
/** Lines differ by their dashes too, for eyes and paper that see no colours. */
const dashes: Readonly<Record<Tone, number[]>> = { accent: [], ink: [6, 3], warning: [6, 3], danger: [2, 2] }

/** The distances of the marks of an axis of counts: there is no half of a login. */
const wholes = [1, 2, 5].flatMap(digit => Array.from({ length: 9 }, (_, power) => digit * 10 ** power))
  .toSorted((one, other) => one - other)

/** A plot in the page. */
export interface Drawing {
  update(question: Question, steps: readonly number[]): void
  end(): void
}

/** Draws a plot into an element, as wide as that is, in the colours of the page, also when they change. */
export function draw(parent: HTMLElement, question: Question, steps: readonly number[], onPoint: OnPoint): Drawing {
  let latest = { question, steps }
  let plot = create(parent, question, steps, onPoint)
  const again = (): void => {
    plot.destroy()
    plot = create(parent, latest.question, latest.steps, onPoint)
  }
  const resized = new ResizeObserver(() => {
    if (parent.clientWidth !== plot.width) plot.setSize({ width: parent.clientWidth, height: HEIGHT })
  })
  resized.observe(parent)
  const looks = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map(query => matchMedia(query))
  for (const look of looks) look.addEventListener('change', again)
  return {
    update(next, steps) {
      latest = { question: next, steps }
      plot.setData(dataOf(next, steps))
    },
    end() {
      resized.disconnect()
      for (const look of looks) look.removeEventListener('change', again)
      plot.destroy()
    },
  }
}

function dataOf({ lines }: Question, steps: readonly number[]): uPlot.AlignedData {
  return [steps.map(at => at / 1000), ...lines.map(({ values }) => [...values])]
}

function create(parent: HTMLElement, question: Question, steps: readonly number[], onPoint: OnPoint): uPlot {
  const colors = colorsOf(parent)
  const font = `12px ${getComputedStyle(parent).fontFamily}`
  const axis: uPlot.Axis = {
    stroke: colors.quiet, font, ticks: { show: false }, grid: { stroke: colors.line, width: 1 },
  }
  return new uPlot({
    width: parent.clientWidth,
    height: HEIGHT,
    padding: [12, 66, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { size: 7 } },
    scales: {
      x: { time: true },
      // Counts and times start at zero; a flat line of zeros needs some height all the same.
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    series: [{}, ...question.lines.map(({ name, tone }): uPlot.Series => ({
      label: name, stroke: colors[tone], width: 1.75, dash: dashes[tone], spanGaps: false, points: { show: false },
    }))],
    axes: [
      {
        ...axis, grid: { show: false }, space: 70, size: 28,
        values: (_plot, ticks) => ticks.map(at => minute(at * 1000)),
      },
      {
        ...axis, size: 46, space: 34, ...question.unit === MILLISECONDS ? {} : { incrs: wholes },
        values: (_plot, ticks) => ticks.map(measured),
      },
    ],
    hooks: {
      setCursor: [({ cursor: { idx } }) => onPoint(idx ?? null)],
      draw: [plot => label(plot, question, colors, font)],
    },
  }, dataOf(question, steps), parent)
}

/** Writes the names of the lines beside their ends. */
function label(plot: uPlot, { lines }: Question, colors: Readonly<Record<Tone, string>>, font: string): void {
  const { ctx } = plot
  const ratio = devicePixelRatio
  const left = plot.bbox.left + plot.bbox.width + 6 * ratio
  const gap = 14 * ratio
  const ends = lines.flatMap(({ name, tone }, index) => {
    const last = [...plot.data[index + 1] ?? []].findLast(value => value != null)
    return last == null ? [] : [{ name, tone, y: plot.valToPos(last, 'y', true) }]
  }).sort((one, other) => other.y - one.y)
  // From below upwards, so that none covers another.
  let limit = plot.bbox.top + plot.bbox.height
  ctx.save()
  ctx.font = font.replace('12px', `${12 * ratio}px`)
  ctx.textBaseline = 'middle'
  ctx.textAlign = 'left'
  for (const { name, tone, y } of ends) {
    const place = Math.min(y, limit)
    limit = place - gap
    ctx.fillStyle = colors[tone]
    ctx.fillText(name, left, place)
  }
  ctx.restore()
}

/** The colours in effect: the canvas knows no custom properties. */
function colorsOf(parent: HTMLElement): Readonly<Record<Tone | 'quiet' | 'line', string>> {
  const probe = parent.appendChild(document.createElement('i'))
  const of = (name: string): string => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const colors = {
    accent: of('accent'), ink: of('ink'), warning: of('warning'), danger: of('danger'), quiet: of('quiet'),
    line: of('line'),
  }
  probe.remove()
  return colors
}
