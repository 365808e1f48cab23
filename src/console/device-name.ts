/** The first that matches counts: many browsers also name those that they descend from. */
const programs: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Edge', /\bEdg(?:e|A|iOS)?\//], ['Opera', /\b(?:OPR|Opera)\//], ['Samsung Internet', /\bSamsungBrowser\//],
  ['Vivaldi', /\bVivaldi\//], ['Firefox', /\b(?:Firefox|FxiOS)\//], ['Chrome', /\b(?:Chrome|CriOS|HeadlessChrome)\//],
  ['Safari', /\bVersion\/[\d.]+.*\bSafari\//], ['curl', /^curl\//], ['Python', /^(?:python-|aiohttp|Python-)/],
  ['Go', /^Go-http-client\//], ['Node.js', /^(?:node|undici)\b/], ['okhttp', /^okhttp\//], ['Dart', /^Dart\//],
]
const systems: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['iPhone', /\biPhone\b/], ['iPad', /\biPad\b/], ['Android', /\bAndroid\b/], ['Windows', /\bWindows\b/],
  ['Mac', /\b(?:Macintosh|Mac OS X|Darwin)\b/], ['ChromeOS', /\bCrOS\b/], ['Linux', /\bLinux\b|\bX11\b/],
]

/**
 * "Firefox on Linux", from a user agent; null if it names no known program and no known system. It never contains a
 * part of the text. A client sends what it wants, so this is for display only. Pure.
 */
export function deviceName(userAgent: string | null): string | null {
  if (userAgent === null) return null
  const program = programs.find(([, pattern]) => pattern.test(userAgent))?.[0]
  const system = systems.find(([, pattern]) => pattern.test(userAgent))?.[0]
  if (program === undefined) return system === undefined ? null : `A program on ${system}`
  return system === undefined ? program : `${program} on ${system}`
}
