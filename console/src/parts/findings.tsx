import type { JSX } from 'preact'
import type { ConsoleFinding } from '../../../src/console/api-types.ts'
import { Badge, Prose } from './text.tsx'
import type { Tone } from './text.tsx'

const severities: Readonly<Record<ConsoleFinding['severity'], readonly [name: string, tone: Tone]>> = {
  error: ['Error', 'bad'], warning: ['Warning', 'warning'], info: ['Note', 'plain'],
}
const order: readonly ConsoleFinding['severity'][] = ['error', 'warning', 'info']

/** What was found, the worst first, each with its cure. */
export function Findings({ findings }: { readonly findings: readonly ConsoleFinding[] }): JSX.Element {
  const sorted = findings.toSorted((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity))
  return <ul class="findings" aria-label="Findings, the worst first">
    {sorted.map(({ severity, sentence, cure }) => <li key={sentence} class={severity}>
      <Badge tone={severities[severity][1]}>{severities[severity][0]}</Badge>
      <div>
        <p><strong><Prose>{sentence}</Prose></strong></p>
        {cure !== '' && <p><Prose>{cure}</Prose></p>}
      </div>
    </li>)}
  </ul>
}
