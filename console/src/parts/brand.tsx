import type { JSX } from 'preact'

/** The name with its sign: a key. */
export function Brand(): JSX.Element {
  return <span class="brand">
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <g><circle cx="11.5" cy="16" r="4.5" /><path d="M16 16h9v4M21 16v3" /></g>
    </svg>
    Keyturn <span class="muted">console</span>
  </span>
}
