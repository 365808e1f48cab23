// The code behind each card, as it runs: the server reads it from its own files.
import { signal } from '@preact/signals'
import { html } from './parts.js'

const code = signal({})
fetch('/demonstration/code').then(async response => {
  if (response.ok) code.value = await response.json()
}).catch(() => {})

const isWide = matchMedia('(min-width: 70rem)').matches

/** The code of a card, beside it or below it. */
export function Code({ card }) {
  return html`<details class="code" open=${isWide}>
    <summary>The code that runs here</summary>
    ${(code.value[card] ?? []).map(({ file, line, text }) => html`
      <figure>
        <figcaption>${file.replace('public/', '')}, line ${line}</figcaption>
        <pre><code>${highlighted(text)}</code></pre>
      </figure>`)}
  </details>`
}

/** Comments and texts in their colours. */
function highlighted(text) {
  return text.split(/(\/\/.*$|'[^'\n]*'|`[^`]*`)/m).map((part, index) => (
    index % 2 === 0 ? part : html`<span class=${part.startsWith('//') ? 'comment' : 'text'}>${part}</span>`
  ))
}
