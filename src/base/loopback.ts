/** An IPv4 address of 127.0.0.0/8. */
const loopbackNetwork = /^127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/

/** Whether the host name of a setting or a URL is the loopback interface, which other machines cannot reach. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || loopbackNetwork.test(host)
}

/**
 * Whether browsers request the host name of a URL from their own machine: a loopback host, or a name under `localhost`,
 * which they never look up in the DNS (RFC 6761 section 6.3).
 */
export function isLocalHostname(hostname: string): boolean {
  return isLoopbackHost(hostname) || hostname.endsWith('.localhost')
}
