import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { InspectedPart, Inspection, JsonObject, Verdict } from '../../../src/console/api-types.ts'
import { announce, focusOn } from '../base/announce.ts'
import { ask } from '../base/api.ts'
import { format } from '../base/json-text.ts'
import { failureFrom } from '../base/load.ts'
import { sessionHref, userHref } from '../base/address.ts'
import { Card, Page } from '../parts/page.tsx'
import { Problem } from '../parts/states.tsx'
import { Badge, Foreign, Prose, Time } from '../parts/text.tsx'

const parts: readonly (readonly [part: InspectedPart, title: string])[] = [
  ['header', 'Header'], ['claims', 'Claims'], ['signature', 'Signature'], ['key', 'Key'], ['lifetime', 'Lifetime'],
  ['revocation', 'Revocation'],
]
const words: Readonly<Record<Verdict, string>> = { good: 'Good', warning: 'Attention', bad: 'Bad', unknown: 'Unknown' }

export function InspectorPage(): JSX.Element {
  const [token, setToken] = useState('')
  const [inspection, setInspection] = useState<Inspection | null>(null)
  const [problem, setProblem] = useState('')
  // A token must not stay in the page longer than it is looked at.
  useEffect(() => () => setToken(''), [])
  const inspect = async (event: Event): Promise<void> => {
    event.preventDefault()
    const pasted = token.trim().replace(/^bearer\s+/i, '')
    if (pasted === '') return refuse('Paste an access token first.')
    try {
      const found = await ask<Inspection>('inspections', { token: pasted })
      setInspection(found)
      setProblem('')
      announce(found.sentence)
      focusOn('verdict-title')
    } catch (error) {
      refuse(failureFrom(error).message)
    }
  }
  const refuse = (sentence: string): void => {
    setInspection(null)
    setProblem(sentence)
    announce(sentence)
    focusOn('token-text')
  }
  const clear = (): void => {
    setToken('')
    setInspection(null)
    setProblem('')
    announce('The token was removed from the page.')
    focusOn('token-text')
  }
  return <Page title="Token inspector"
    answer="Paste an access token to see whether this server would accept it now, and why.">
    <form class="flow" onSubmit={event => void inspect(event)}>
      <label class="field"><span>Access token</span>
        <textarea id="token-text" rows={5} spellcheck={false} autocomplete="off" autocapitalize="off" value={token}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
          aria-invalid={problem === '' ? undefined : 'true'}
          aria-describedby={problem === '' ? 'token-hint' : 'token-problem token-hint'} /></label>
      {problem !== '' && <Problem id="token-problem">{problem}</Problem>}
      <p id="token-hint" class="muted">The token is sent to this server only. It is not stored, not logged, and not kept
        in the browser.</p>
      <div class="row">
        <button class="primary">Inspect the token</button>
        {(token !== '' || inspection !== null) && <button type="button" onClick={clear}>Clear</button>}
      </div>
    </form>
    {inspection !== null && <Result inspection={inspection} />}
  </Page>
}

function Result({ inspection }: { readonly inspection: Inspection }): JSX.Element {
  const { verdict, sentence, header, claims, handle, userId, explained } = inspection
  return <>
    <Card id="verdict" title="Verdict" actions={<>
      {handle !== null && <a class="button" href={sessionHref(handle)}>Open the session</a>}
      {userId !== null && <a class="button" href={userHref(userId)}>Open the user</a>}
    </>}>
      <p class="answer"><Badge tone={verdict}>{words[verdict]}</Badge> {sentence}</p>
      <dl class="verdicts">
        {parts.map(([part, title]) => <div key={part}>
          <dt>{title}</dt>
          <dd><Badge tone={inspection.parts[part].verdict}>{words[inspection.parts[part].verdict]}</Badge>{' '}
            <bdi><Prose>{inspection.parts[part].sentence}</Prose></bdi></dd>
        </div>)}
      </dl>
    </Card>
    <div class="cards">
      <Decoded id="header" title="Header" value={header} />
      <Decoded id="claims" title="Claims" value={claims} />
    </div>
    {explained.length > 0 && <Card id="explained" title="What the claims mean">
      <dl>{explained.map(({ claim, meaning, at }) => <div key={claim} class="claim">
        <dt><code>{claim}</code></dt>
        <dd><Foreign limit={300}>{meaning}</Foreign>{at !== null && <> <Time at={at} /></>}</dd>
      </div>)}</dl>
    </Card>}
  </>
}

function Decoded({ id, title, value }: {
  readonly id: string
  readonly title: string
  readonly value: JsonObject | null
}): JSX.Element {
  return <Card id={id} title={title}>
    {value === null ? <p class="muted">It cannot be decoded.</p>
      : <pre class="data" tabIndex={0} role="region" aria-label={`${title} as JSON`}>{format(value)}</pre>}
  </Card>
}
