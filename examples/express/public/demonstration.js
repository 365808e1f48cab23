// What only the demonstration can do: the server offers it to this page alone.
import { signal } from '@preact/signals'

/** Whether the database is stopped. */
export const isStopped = signal(false)
/** For how long a repeated refresh gets the same answer, in milliseconds: two reuse intervals. */
export const repetitionWindow = signal(6000)

/** Asks the server for a part of the demonstration. Resolves to its answer, and to whether it was a good one. */
export async function demonstrate(method, path, body) {
  const init = { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) }
  try {
    const response = await fetch(path, init)
    return { ok: response.ok, ...await response.json() }
  } catch {
    return { ok: false, message: 'the server cannot be reached' }
  }
}

void demonstrate('GET', '/demonstration/state').then(state => {
  if (!state.ok) return
  isStopped.value = state.isStopped
  repetitionWindow.value = state.repetitionWindow
})
