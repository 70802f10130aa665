/**
 * Browsers keep cookies by host and not by port, so the port is in the name: a second server on this machine has its own.
 * @param host as the request says it: `localhost:8080`
 */
function cookieName(host: string): string {
  const [, port] = /:(\d+)$/.exec(host) ?? []
  return port === undefined ? 'headrace_session' : `headrace_session_${port}`
}

/** The session's text among a request's cookies. */
export function sessionOfCookies(header: string | undefined, host: string): string | undefined {
  const expected = cookieName(host)
  for (const pair of header?.split(';') ?? []) {
    const [name, value] = pair.trim().split('=', 2)
    if (name === expected && value) return value
  }
  return undefined
}

/** Out of reach of scripts, and never sent by a link or form of another site. */
export function sessionCookie(session: string, host: string, options: { readonly isSecure: boolean }): string {
  const secure = options.isSecure ? '; Secure' : ''
  return `${cookieName(host)}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000${secure}`
}

export function expiredSessionCookie(host: string): string {
  return `${cookieName(host)}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`
}
