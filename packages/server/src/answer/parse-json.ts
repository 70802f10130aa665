import type { FastifyInstance } from 'fastify'
import { HttpProblem } from '../problem/http-problem.ts'

/**
 * Takes JSON bodies, and nothing else. Text that is no JSON is answered with where it stops being some.
 * An app's own routes may add parsers of their own.
 */
export function parseJsonBodies(fastify: FastifyInstance): void {
  // It refuses `__proto__` and `constructor.prototype` keys, which would reach into objects they are copied to.
  const parse = fastify.getDefaultJsonParser('error', 'error')
  fastify.removeAllContentTypeParsers()
  // `application/geo+json` is JSON too.
  for (const type of ['application/json', /^application\/[\w.-]+\+json(?:;|$)/]) {
    fastify.addContentTypeParser<string>(type, { parseAs: 'string' }, (request, text, done) => {
      // A DELETE or a login without a body is fine; a route that needs one says so itself.
      if (text.length === 0) return done(null, undefined)
      parse(request, text, (error, body) => done(error ? notJson(text) : null, body))
    })
  }
}

function notJson(text: string): HttpProblem {
  return new HttpProblem({
    status: 400,
    code: 'body_not_json',
    title: 'The body is not JSON',
    detail: `The body is not JSON: ${whyNotJson(text)}`,
  })
}

function whyNotJson(text: string): string {
  try {
    JSON.parse(text)
    return 'it has a key __proto__ or constructor.prototype, which is not taken.'
  } catch (error) {
    const { message } = error as SyntaxError // sound: JSON.parse throws nothing else
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length)
    const before = text.slice(0, position).split('\n')
    return `it breaks off in line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1} (${reason(message)}).`
  }
}

/** V8 repeats the text around the fault; the client has it, and it may be long. */
function reason(message: string): string {
  return message.split(/,? (?:in JSON at|is not valid|"\.\.\.)/, 1)[0] ?? message
}
