import { signal } from '@preact/signals'

/** How far the server's clock is ahead of this machine's, in milliseconds. */
let ahead = 0

/** The server's time, to within a few seconds: what reads it is rendered again as time passes. */
export const now = signal(Date.now())

/** The server's time, exactly. */
export function serverTime(): number {
  return Date.now() + ahead
}

/** Learns the server's clock from a response. */
export function learnTime(serverNow: number): void {
  ahead = serverNow - Date.now()
  now.value = serverNow
}

setInterval(() => now.value = serverTime(), 5000)
