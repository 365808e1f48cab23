// Draws who got which refresh token: a line for each party, from the token that both had to the one that gives them
// away.
import { html } from './parts.js'

const STEP = 92
const LEFT = 84
const TOP = 44
const LANES = { you: TOP, thief: TOP + 84 }
const NAMES = { you: 'You', thief: 'Thief' }

/**
 * `steps`, oldest first: { party, place: { generation, branch }, kind }. `kind` is `copy`, `child` (a new token),
 * `same` (the same token as before, or as the other party's) or `theft` (an old token was presented).
 */
export function Lineage({ steps }) {
  const width = LEFT + steps.length * STEP
  const placed = steps.map((step, index) => ({ ...step, x: LEFT + index * STEP + 10, y: LANES[step.party], index }))
  /** Where a line comes from: the party's token before, or that of the other party if it was copied. */
  const source = ({ kind, party, index }) => placed.slice(0, index)
    .findLast(step => (step.party === party) === (kind !== 'copy'))
  return html`<div class="lineage" role="img" tabindex="0" aria-label=${describe(steps)}>
    <svg viewBox=${`0 0 ${width} 176`} width=${width} height="176" aria-hidden="true">
      ${Object.entries(LANES).map(([party, y]) => html`<g key=${party} class=${`holder ${party}`}>
        ${party === 'you'
          ? html`<circle cx="16" cy=${y} r="6" />`
          : html`<rect x="10" y=${y - 6} width="12" height="12" />`}
        <text x="30" y=${y + 5}>${NAMES[party]}</text>
      </g>`)}
      ${placed.map(step => html`<${Edge} key=${`to ${step.index}`} from=${source(step)} to=${step} />`)}
      ${placed.map(({ x, y, kind, place, index }) => html`<g key=${index} class=${`node ${kind}`}>
        <circle cx=${x} cy=${y} r="19" />
        <text class="number" x=${x} y=${y + 5}>${place.generation}${place.branch > 0 ? `/${place.branch}` : ''}</text>
        <text class="what" x=${x} y=${y + 38}>${words[kind]}</text>
      </g>`)}
    </svg>
  </div>`
}

function Edge({ from, to }) {
  if (from === undefined) return null
  return html`<line class=${`edge ${to.kind}`} x1=${from.x} y1=${from.y} x2=${to.x} y2=${to.y} />`
}

const words = { first: 'yours', copy: 'copied', child: 'new', same: 'the same', theft: 'old: theft' }

function describe(steps) {
  return steps.map(({ party, place, kind }) => `${NAMES[party]}: token ${place.generation}, ${words[kind]}`).join('. ')
}
