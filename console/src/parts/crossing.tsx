import type { JSX } from 'preact'
import type { ShownTokenUse, TokenEvent } from '../../../src/console/api-types.ts'
import { deviceOf } from '../base/sessions.ts'
import { clock, span } from '../base/words.ts'
import { Foreign, Time } from './text.tsx'

type Party = 'current' | 'presented'

interface Line {
  readonly party: Party
  readonly use: ShownTokenUse
  readonly text: string
}

/**
 * The evidence of an alarm: on the left, two refresh tokens in the order of their issue, on the right in the order of
 * their use, and a line for each. Honest lines are parallel; in a theft they cross.
 */
export function Crossing({ presented, current, kind, isRevoked }: Pick<TokenEvent, 'kind' | 'isRevoked'> & {
  readonly presented: ShownTokenUse
  readonly current: ShownTokenUse
}): JSX.Element {
  const lines: readonly Line[] = [
    { party: 'presented', use: presented, text: kind === 'rejected' ? 'was rejected' : 'was presented' },
    { party: 'current', use: current, text: 'had become current' },
  ]
  const issued = lines.toSorted((one, other) => orderOf(one.use, other.use))
  const used = lines.toSorted((one, other) => one.use.at - other.use.at)
  const isCrossed = issued[0] !== used[0]
  const apart = Math.abs(presented.at - current.at)
  return <figure class="crossing">
    <div class="order issued">
      <p class="muted">Issued, older first</p>
      {issued.map(({ party, use }) => <div key={party} class={`token ${party}`}>
        <strong>{nameOf(use)}</strong>
      </div>)}
    </div>
    <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      {lines.map(line => <line key={line.party} class={line.party} vector-effect="non-scaling-stroke"
        x1="0" y1={issued.indexOf(line) * 50 + 25} x2="100" y2={used.indexOf(line) * 50 + 25} />)}
    </svg>
    <div class="order used">
      <p class="muted">Used, earlier first</p>
      {used.map(({ party, use, text }) => <div key={party} class={`token ${party}`}>
        <span><strong>{clock(use.at)}</strong> {nameOf(use)} {text}</span>
        <span><Foreign limit={60}>{deviceOf({ client: use.by })}</Foreign>, {use.by.ip === null ? 'address unknown'
          : <Foreign limit={45}>{use.by.ip}</Foreign>}</span>
        <Time at={use.at} />
      </div>)}
    </div>
    <figcaption>{isCrossed
      ? `The lines cross: the older token was used ${span(apart)} after the newer one had become current. ${
        kind === 'theft' ? 'Two parties hold tokens of this session.' : ''}`
      : `The lines do not cross: the tokens were used in the order of their issue, ${span(apart)} apart.`}
      {' '}{isRevoked ? 'Keyturn revoked the session, so neither token is valid.' : 'The session was kept.'}
    </figcaption>
  </figure>
}

function orderOf(one: ShownTokenUse, other: ShownTokenUse): number {
  return one.generation - other.generation || one.branch - other.branch || one.at - other.at
}

function nameOf({ generation, branch }: ShownTokenUse): string {
  return `Token ${generation}${branch === 0 ? '' : `, child ${branch + 1}`}`
}
