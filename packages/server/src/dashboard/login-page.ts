import { hash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import { escapeHtml } from '../answer/html.ts'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { display: grid; min-height: 100vh; margin: 0; place-items: center }
main { width: min(26rem, 90vw) }
label, input, button { display: block; width: 100%; box-sizing: border-box }
input, button { font: inherit; padding: .6rem .8rem; margin-top: .4rem; border: 1px solid GrayText; border-radius: .4rem }
button { margin-top: 1rem; cursor: pointer }
[role=alert] { border-left: .25rem solid #c62828; padding-left: .8rem }
`

const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

/** The page that a browser without a session gets: a place to paste a key or the login link. */
export function sendLoginPage(
  reply: FastifyReply,
  page: { readonly status: number; readonly refused?: string },
): FastifyReply {
  return reply
    .code(page.status)
    .header('content-security-policy', CONTENT_SECURITY_POLICY)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(toHtml(page.refused))
}

function toHtml(refused: string | undefined): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Log in · Headrace</title><style>${STYLE}</style></head>
<body><main>
<h1>Headrace</h1>
${refused === undefined ? '' : `<p role="alert">${escapeHtml(refused)}</p>`}
<p>Open the link that <code>headrace serve</code> printed, or paste that link or an API key here.</p>
<form method="post" action="/login">
<label for="key">Key or login link</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button>
</form>
</main></body></html>
`
}
