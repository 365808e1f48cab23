import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { LoginInfo } from '../../../src/console/api-types.ts'
import { announce, focusOn } from '../base/announce.ts'
import { change, hasEnded, me, read, readMe } from '../base/api.ts'
import { failureFrom, useLoad } from '../base/load.ts'
import { Problem, Ready } from '../parts/states.tsx'
import { Brand } from '../parts/brand.tsx'

/** Without a console session: the form for the API key, or what to do if the application decides. */
export function LogInPage(): JSX.Element {
  document.title = 'Log in · Keyturn console'
  const loaded = useLoad('login', abort => read<LoginInfo>('login', abort))
  useEffect(() => focusOn('title'), [])
  return <main class="log-in" id="main">
    <Brand />
    <h1 id="title" tabIndex={-1}>Log in to the console</h1>
    {hasEnded.value && <p class="done">Your console session has ended. Log in again: you return to where you were, and
      what you typed is kept.</p>}
    <Ready loaded={loaded} what="The way to log in" lines={3}>
      {({ login, product }) => <>
        {login === 'key' ? <KeyForm /> : <Embedded />}
        <p class="muted">{product.name} {product.version}</p>
      </>}
    </Ready>
  </main>
}

function Embedded(): JSX.Element {
  const [problem, setProblem] = useState('')
  const again = async (): Promise<void> => {
    setProblem('')
    try {
      await readMe()
      if (me.value === null) announce('The application still does not let you in.')
    } catch (error) {
      setProblem(failureFrom(error).message)
    }
  }
  return <div class="flow">
    <p>This console belongs to an application, which decides who may see it. It did not let you in.</p>
    <p>Log in to the application in another tab, then try again. If you are logged in, ask for the permission: the
      application grants it in the function <code>authorize</code> of its console.</p>
    {problem !== '' && <Problem>{problem}</Problem>}
    <p><button type="button" onClick={() => void again()}>Try again</button></p>
  </div>
}

function KeyForm(): JSX.Element {
  const [apiKey, setApiKey] = useState('')
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    if (apiKey.trim() === '') return refuse('Enter an API key.')
    setBusy(true)
    try {
      await logIn(apiKey.trim())
      announce('Logged in.')
      focusOn('title')
    } catch (error) {
      refuse(failureFrom(error).message)
    } finally {
      setBusy(false)
    }
  }
  const refuse = (sentence: string): void => {
    setProblem(sentence)
    announce(sentence)
    focusOn('api-key')
  }
  return <form class="flow" onSubmit={event => void submit(event)}>
    <label class="field">
      <span>API key</span>
      <input id="api-key" type="password" autocomplete="off" spellcheck={false} value={apiKey}
        onInput={({ currentTarget }) => setApiKey(currentTarget.value)}
        aria-invalid={problem === '' ? undefined : 'true'}
        aria-describedby={problem === '' ? 'api-key-hint' : 'api-key-problem api-key-hint'} />
    </label>
    {problem !== '' && <Problem id="api-key-problem">{problem}</Problem>}
    <p id="api-key-hint" class="muted">One of the server’s keys for the console. It is sent to this server once and not
      kept in the browser.</p>
    <button class="primary" aria-disabled={isBusy ? 'true' : undefined}>{isBusy ? 'Logging in…' : 'Log in'}</button>
  </form>
}

async function logIn(apiKey: string): Promise<void> {
  await change('POST', 'login', { apiKey })
  await readMe()
}
