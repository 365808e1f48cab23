/** Decodes a percent-encoded text (RFC 3986 section 2.1); `null` if it is not well-formed UTF-8. */
export function percentDecode(text: string): string | null {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
